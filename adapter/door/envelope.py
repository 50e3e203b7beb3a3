"""Celery messages: what a task's arguments are wrapped in. Pure.

Source: docs/contract-pod.md; Celery message protocol 2; kombu's virtual transports for the base64 body.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from adapter.plurals import counted
from podjobs.contract.errors import InvalidRequestError
from podjobs.contract.traces import TraceContext

DEEPEST = 66
"""Levels of objects and lists within the outermost one. A message with a statement has some ten; JSON parsers and
writers give up between 100 and 1,000."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of a task, unchecked."""

    positional: list[Any]
    keywords: dict[str, Any]

    def bind(self, names: tuple[str, ...]) -> dict[str, Any]:
        """Match them with the task's parameters.

        Args:
            names: the parameters, in order.

        Raises:
            InvalidRequestError: there are too many, or unknown ones, or one is given twice.
        """
        return _bind(names, self.positional, self.keywords)

    def guess(self, names: tuple[str, ...]) -> dict[str, Any]:
        """Match what can be matched; the rest is left out."""
        by_name = {name: value for name, value in self.keywords.items() if name in names}
        return by_name | dict(zip(names, self.positional, strict=False))


@dataclass(frozen=True, slots=True)
class Envelope:
    """A Celery message whose arguments have not been unpacked yet."""

    message: dict[str, Any]

    @property
    def task(self) -> Any:
        """The task's name, unchecked."""
        return self.message["headers"].get("task")

    @property
    def id(self) -> Any:
        """Celery's id of the message, unchecked."""
        return self.message["headers"].get("id")

    def arguments(self, names: tuple[str, ...]) -> dict[str, Any]:
        """Unpack the arguments and match them with the task's parameters. Raises like `unpack` and `bind`."""
        return self.unpack().bind(names)

    def unpack(self) -> "Arguments":
        """Unpack the arguments. Raises InvalidRequestError if that is not possible."""
        match self.content():
            case [list(positional), dict(keywords), *_]:
                return Arguments(positional, keywords)
            case _:
                raise InvalidRequestError("The message's body is not a list of arguments and keyword arguments.")

    def content(self) -> Any:
        """What its body says. Raises InvalidRequestError if it cannot be read."""
        return _content(self.message)


def open_envelope(raw: bytes) -> Envelope:
    """Read one element of a Celery queue.

    Args:
        raw: the element, as it is in the list.

    Raises:
        InvalidRequestError: it is not a Celery message. A retry does not help.
    """
    message = _json(raw, "The message")
    if not isinstance(message, dict) or not isinstance(message.get("headers"), dict):
        raise InvalidRequestError("The message is not a Celery message of protocol 2: it has no 'headers' object.")
    return Envelope(message)


def read_traceparent(raw: bytes) -> str:
    """The trace that a message's sender has begun, as OpenTelemetry's instrumentation of Celery says it. Pure.

    Args:
        raw: a message that has been read.

    Returns:
        A valid `traceparent`; empty: there is none.
    """
    if b'"traceparent"' not in raw:
        return ""
    given = open_envelope(raw).message["headers"].get("traceparent")
    found = TraceContext.read(given)
    return found.traceparent if found else ""


def _json(raw: bytes, what: str) -> Any:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError(f"{what} is not JSON: {error}.") from error
    if _is_deeper(value, DEEPEST):
        raise InvalidRequestError(f"{what} has objects and lists that are nested more than {DEEPEST} deep.")
    return value


def _is_deeper(value: object, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels < 0 or any(_is_deeper(part, levels - 1) for part in inner if isinstance(part, dict | list))


def _content(message: dict[str, Any]) -> Any:
    """What the body of a message says."""
    content_type = message.get("content-type")
    if content_type != "application/json":
        raise InvalidRequestError(
            f"The message's body is {content_type!r}, expected 'application/json'. "
            "Set Pod's CELERY_TASK_SERIALIZER to 'json'."
        )
    if compression := message["headers"].get("compression"):
        raise InvalidRequestError(
            f"The message's body is compressed ({compression!r}). Remove task_compression from Pod's Celery settings."
        )
    body = message.get("body")
    if not isinstance(body, str):
        raise InvalidRequestError("The message has no 'body' string.")
    try:
        decoded = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequestError(f"The message's body is not base64: {error}.") from error
    content = _json(decoded, "The message's body")
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InvalidRequestError(
            "The message's body contains half a surrogate pair, so it is not valid Unicode."
        ) from error
    return content


def _bind(names: tuple[str, ...], positional: list[Any], keywords: dict[str, Any]) -> dict[str, Any]:
    if len(positional) > len(names):
        raise InvalidRequestError(
            f"The task has {counted(len(positional), 'argument', 'arguments')}, at most {len(names)} were expected."
        )
    values = dict(zip(names, positional, strict=False))
    for name, value in keywords.items():
        if name in values:
            raise InvalidRequestError(f"The task's argument {name!r} is given twice.")
        if name not in names:
            raise InvalidRequestError(f"The task's argument {name!r} is unknown. Expected: {', '.join(names)}.")
        values[name] = value
    return values
