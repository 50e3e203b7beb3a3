"""Translates Pod's Celery tasks into jobs. Pure.

Source: docs/contract-pod.md, what Pod puts on Redis.
"""

import posixpath
from abc import abstractmethod
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError

from adapter.door.celery_dressing import read_dressing
from adapter.door.envelope import open_envelope
from podjobs.contract.errors import InvalidRequestError, Problem, list_faults
from podjobs.contract.jobs import Cut, EncodingJob, Job, Seconds, TranscriptionJob
from podjobs.contract.media_paths import MediaPaths, PodPath
from podjobs.contract.reply_to import PodCallback

ENCODING_TASK = "pod.video_encode_transcript.encoding_tasks.start_encoding_task"
TRANSCRIPTION_TASK = "pod.video_encode_transcript.transcripting_tasks.start_transcripting_task"


class _Task(BaseModel):
    """The arguments of a task: fields have Pod's names and the order of its positional arguments."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @abstractmethod
    def to_job(self, job_id: Any, paths: MediaPaths) -> Job:
        """Translate the task into a job.

        Args:
            job_id: Celery's id of the message, unchecked.
            paths: maps paths below Pod's media root.

        Raises:
            InvalidRequestError: a path is outside the media root.
            ValidationError: the id is not valid.
        """


class _EncodingTask(_Task):
    video_id: NonNegativeInt
    video_path: PodPath
    cut_start: Seconds = 0
    cut_end: Seconds = 0
    json_dressing: dict[str, Any] | None = None
    dressing_input: str = ""

    def to_job(self, job_id: Any, paths: MediaPaths) -> EncodingJob:
        source = paths.key_of(self.video_path)
        dressing, refusal = None, None
        try:
            dressing = read_dressing(self.json_dressing, self.dressing_input, paths)
        except InvalidRequestError as error:
            refusal = Problem.of(error)
        return EncodingJob(
            id=job_id,
            target=str(self.video_id),
            source=source,
            output_folder=posixpath.join(posixpath.dirname(source), f"{self.video_id:04d}"),
            cut=self._cut(),
            dressing=dressing,
            refusal=refusal,
            reply_to=PodCallback(video_id=self.video_id, request=self.model_dump()),
        )

    def _cut(self) -> Cut | None:
        """Pod sends 0, 0 if nothing is cut, and 0 as the end if only the beginning is."""
        if not self.cut_start and not self.cut_end:
            return None
        return Cut(start_s=self.cut_start, end_s=self.cut_end or None)


class _TranscriptionTask(_Task):
    video_id: NonNegativeInt
    mp3filepath: PodPath
    duration: Seconds = 0
    """Only a hint, and not used: the file itself is measured."""
    lang: Annotated[str, Field(max_length=64)]

    def to_job(self, job_id: Any, paths: MediaPaths) -> TranscriptionJob:
        return TranscriptionJob(
            id=job_id,
            target=str(self.video_id),
            source=paths.key_of(self.mp3filepath),
            captions=f"temp/transcription_{self.video_id}_{job_id}.vtt",
            language=self.lang,
            reply_to=PodCallback(video_id=self.video_id),
        )


_TASKS: dict[str, type[_Task]] = {ENCODING_TASK: _EncodingTask, TRANSCRIPTION_TASK: _TranscriptionTask}


def read_job(raw: bytes, paths: MediaPaths) -> Job:
    """Read one element of a Celery queue.

    Args:
        raw: the element, as it is in the list.
        paths: maps paths below Pod's media root; a job that names one outside is refused.

    Returns:
        The job; its id is Celery's.

    Raises:
        InvalidRequestError: it is not a valid task; the message says why. A retry does not help.
    """
    envelope = open_envelope(raw)
    task = _TASKS.get(envelope.task) if isinstance(envelope.task, str) else None
    if task is None:
        known = ", ".join(_TASKS)
        raise InvalidRequestError(f"The task {envelope.task!r} is not supported by this version, expected: {known}.")
    values = envelope.arguments(tuple(task.model_fields))
    try:
        return task.model_validate(values).to_job(envelope.id, paths)
    except ValidationError as error:
        raise InvalidRequestError(f"The task's arguments are not valid: {list_faults(error)}") from error
