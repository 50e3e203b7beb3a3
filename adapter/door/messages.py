"""Pod's messages read into jobs. Pure.

Source: docs/contract-pod.md.
"""

from pydantic import ValidationError

from adapter.door.envelope import open_envelope
from podjobs.contract.errors import InvalidRequestError, list_faults
from podjobs.contract.jobs import EncodingJob, Job

ENCODING_TASK = "pod.video_encode_transcript.encoding_tasks.start_encoding_task"

_ARGUMENTS: dict[str, tuple[type[Job], tuple[str, ...]]] = {
    ENCODING_TASK: (
        EncodingJob,
        ("video_id", "video_path", "cut_start", "cut_end", "json_dressing", "dressing_input"),
    ),
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
    envelope = open_envelope(raw)
    task = envelope.task
    if not isinstance(task, str) or task not in _ARGUMENTS:
        known = ", ".join(_ARGUMENTS)
        raise InvalidRequestError(f"The task {task!r} is not one of those this version performs: {known}.")
    kind, names = _ARGUMENTS[task]
    values = envelope.arguments(names)
    try:
        return kind.model_validate({**values, "id": envelope.id})
    except ValidationError as error:
        raise InvalidRequestError(f"The task's arguments are not valid: {list_faults(error)}") from error
