"""Celery messages as Pod writes them, read into jobs. Pure.

Source: docs/contract-pod.md; Celery message protocol 2; kombu's virtual transports for the base64 body.
"""

import base64
import binascii
import json
from typing import Any

from pydantic import ValidationError

from podjobs.contract.errors import InvalidRequestError, list_faults
from podjobs.contract.jobs import EncodingJob, Job, TranscriptionJob

ENCODING_TASK = "pod.video_encode_transcript.encoding_tasks.start_encoding_task"

TRANSCRIPTION_TASK = "pod.video_encode_transcript.transcripting_tasks.start_transcripting_task"

_ARGUMENTS: dict[str, tuple[type[EncodingJob | TranscriptionJob], tuple[str, ...]]] = {
    ENCODING_TASK: (
        EncodingJob,
        ("video_id", "video_path", "cut_start", "cut_end", "json_dressing", "dressing_input"),
    ),
    TRANSCRIPTION_TASK: (TranscriptionJob, ("video_id", "mp3filepath", "duration", "lang")),
}
"""Per task: the job it asks for, and the names of its arguments in their order."""


def read_message(raw: bytes) -> Job:
    """Read one element of a Celery queue.

    Args:
        raw: the element, as it lies in the list.

    Returns:
        The job; its id is Celery's.

    Raises:
        InvalidRequestError: it cannot be used; the sentence says why. A retry does not help.
    """
    message = _json(raw, "The message")
    if not isinstance(message, dict) or not isinstance(message.get("headers"), dict):
        raise InvalidRequestError("The message is no Celery message of protocol 2: it has no object 'headers'.")
    headers = message["headers"]
    task = headers.get("task")
    if not isinstance(task, str) or task not in _ARGUMENTS:
        known = ", ".join(_ARGUMENTS)
        raise InvalidRequestError(f"The task {task!r} is not one of those this version performs: {known}.")
    kind, names = _ARGUMENTS[task]
    values = _bind(names, *_arguments(message))
    try:
        return kind.model_validate({**values, "id": headers.get("id")})
    except ValidationError as error:
        raise InvalidRequestError(f"The task's arguments are not valid: {list_faults(error)}") from error


def _json(raw: bytes, what: str) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError(f"{what} is not JSON: {error}.") from error


def _arguments(message: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Unpack the positional and keyword arguments."""
    content_type = message.get("content-type")
    if content_type != "application/json":
        raise InvalidRequestError(
            f"The message's body is {content_type!r}, expected 'application/json'. "
            "Set Pod's CELERY_TASK_SERIALIZER to 'json'."
        )
    if compression := message["headers"].get("compression"):
        raise InvalidRequestError(
            f"The message's body is compressed ({compression}). Set no task_compression in Pod's Celery."
        )
    body = message.get("body")
    if not isinstance(body, str):
        raise InvalidRequestError("The message has no text 'body'.")
    try:
        decoded = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequestError(f"The message's body is not base64: {error}.") from error
    content = _json(decoded, "The message's body")
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InvalidRequestError(
            "The message's body holds half a surrogate pair, which is no Unicode text."
        ) from error
    match content:
        case [list(positional), dict(keywords), *_]:
            return positional, keywords
        case _:
            raise InvalidRequestError("The message's body is not a list of arguments and keyword arguments.")


def _bind(names: tuple[str, ...], positional: list[Any], keywords: dict[str, Any]) -> dict[str, Any]:
    if len(positional) > len(names):
        raise InvalidRequestError(f"The task has {len(positional)} arguments, at most {len(names)} were expected.")
    values = dict(zip(names, positional, strict=False))
    for name, value in keywords.items():
        if name in values:
            raise InvalidRequestError(f"The task's argument {name!r} is given twice.")
        if name not in names:
            raise InvalidRequestError(f"The task's argument {name!r} is unknown. Expected: {', '.join(names)}.")
        values[name] = value
    return values
