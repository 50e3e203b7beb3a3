"""Translates Pod's Celery tasks into jobs. Pure.

Source: docs/contract-pod.md, what Pod puts on Redis.
"""

import posixpath
from abc import abstractmethod
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, TypeAdapter, ValidationError

from adapter.door.celery_dressing import is_about_dressing, read_dressing
from adapter.door.celery_studio import read_layout, read_output, read_sources, read_subtime, recording_target
from adapter.door.envelope import open_envelope
from podjobs.contract.errors import InvalidRequestError, Problem, list_faults
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.jobs import Cut, EncodingJob, Job, Seconds, StudioJob, TranscriptionJob, spare_source
from podjobs.contract.media_paths import MediaPaths, PodPath
from podjobs.contract.reply_to import PodCallback, PodRecordingCallback

ENCODING_TASK = "pod.video_encode_transcript.encoding_tasks.start_encoding_task"
STUDIO_TASK = "pod.video_encode_transcript.encoding_tasks.start_studio_task"
TRANSCRIPTION_TASK = "pod.video_encode_transcript.transcripting_tasks.start_transcripting_task"


_NUMBER: TypeAdapter[int] = TypeAdapter(NonNegativeInt)
_POD_PATH: TypeAdapter[str] = TypeAdapter(PodPath)
_NOTHING_ELSE = {"cut_start": None, "cut_end": None, "json_dressing": None, "dressing_input": ""}
"""What Pod's callback must repeat of a task whose arguments are not valid."""


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

    @classmethod
    @abstractmethod
    def refused(cls, values: dict[str, Any], job_id: Any, paths: MediaPaths, refusal: Problem) -> Job:
        """Make a job of a task that cannot be done, so that Pod is told why: it would wait for ever.

        Args:
            values: its arguments, as far as they can be told apart.
            job_id: as for `to_job`.
            paths: as for `to_job`.
            refusal: why it cannot be done.

        Raises:
            ValidationError: not even the number of the video or recording, or the job's id, is valid.
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

    @classmethod
    def refused(cls, values: dict[str, Any], job_id: Any, paths: MediaPaths, refusal: Problem) -> EncodingJob:
        """The report is left at the video; if its path cannot be used, at a place of the job's own."""
        video_id = _NUMBER.validate_python(values.get("video_id"))
        source = _usable_key(values.get("video_path"), paths) or spare_source(str(job_id))
        request = {"video_id": video_id, "video_path": paths.pod_path(source)}
        return EncodingJob(
            id=job_id,
            target=str(video_id),
            source=source,
            output_folder=posixpath.join(posixpath.dirname(source), f"{video_id:04d}"),
            refusal=refusal,
            reply_to=PodCallback(video_id=video_id, request=request | _NOTHING_ELSE),
        )

    def _cut(self) -> Cut | None:
        """Pod sends 0, 0 if nothing is cut, and 0 as the end if only the beginning is."""
        if not self.cut_start and not self.cut_end:
            return None
        return Cut(start_s=self.cut_start, end_s=self.cut_end or None)


class _StudioTask(_Task):
    recording_id: NonNegativeInt
    video_output: PodPath
    videos: list[Any]
    subtime: str = ""
    presenter: Any = ""

    def to_job(self, job_id: Any, paths: MediaPaths) -> StudioJob:
        sources = read_sources(self.videos, paths)
        return StudioJob(
            id=job_id,
            target=recording_target(self.recording_id),
            presentation=sources.presentation,
            presenter=sources.presenter,
            layout=read_layout(self.presenter, sources),
            cut=read_subtime(self.subtime),
            output=read_output(self.video_output, {sources.presentation, sources.presenter}, paths),
            reply_to=PodRecordingCallback(recording_id=self.recording_id),
        )

    @classmethod
    def refused(cls, values: dict[str, Any], job_id: Any, paths: MediaPaths, refusal: Problem) -> StudioJob:
        """Its log is left where the recording would be; if that cannot be used, at a place of the job's own."""
        recording_id = _NUMBER.validate_python(values.get("recording_id"))
        return StudioJob(
            id=job_id,
            target=recording_target(recording_id),
            output=cls._usable_output(values, paths) or spare_source(str(job_id), "unknown.mp4"),
            refusal=refusal,
            reply_to=PodRecordingCallback(recording_id=recording_id),
        )

    @classmethod
    def _usable_output(cls, values: dict[str, Any], paths: MediaPaths) -> str | None:
        """Pod takes away what is at the place that it is notified with: never a source."""
        videos = values.get("videos")
        listed = [video.get("src") for video in videos if isinstance(video, dict)] if isinstance(videos, list) else []
        try:
            output = _POD_PATH.validate_python(values.get("video_output"))
            return read_output(output, {_usable_key(src, paths) for src in listed}, paths)
        except (ValidationError, InvalidRequestError):
            return None


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

    @classmethod
    def refused(cls, values: dict[str, Any], job_id: Any, paths: MediaPaths, refusal: Problem) -> TranscriptionJob:
        """Pod is told with an empty caption file, at a place of ours."""
        video_id = _NUMBER.validate_python(values.get("video_id"))
        return TranscriptionJob(
            id=job_id,
            target=str(video_id),
            source=_usable_key(values.get("mp3filepath"), paths) or "temp/unknown",
            captions=f"temp/transcription_{video_id}_{job_id}.vtt",
            language="",
            refusal=refusal,
            reply_to=PodCallback(video_id=video_id),
        )


def _usable_key(path: Any, paths: MediaPaths) -> str | None:
    try:
        return paths.key_of(_POD_PATH.validate_python(path))
    except (ValidationError, InvalidRequestError):
        return None


_TASKS: dict[str, type[_Task]] = {
    ENCODING_TASK: _EncodingTask,
    STUDIO_TASK: _StudioTask,
    TRANSCRIPTION_TASK: _TranscriptionTask,
}
JOB_TASKS = frozenset(_TASKS)
"""Names of the tasks that become jobs."""


def read_job(raw: bytes, paths: MediaPaths) -> Job:
    """Read one element of a Celery queue.

    Args:
        raw: the element, as it is in the list.
        paths: maps paths below Pod's media root; a job that names one outside is refused.

    Returns:
        The job; its id is Celery's. A task whose arguments are not valid becomes a job with a refusal, of which Pod is
        told, if only its video or recording is known.

    Raises:
        InvalidRequestError: it is not a task of which Pod could be told; the message says why. A retry does not help.
    """
    envelope = open_envelope(raw)
    task = _TASKS.get(envelope.task) if isinstance(envelope.task, str) else None
    if task is None:
        known = ", ".join(_TASKS)
        raise InvalidRequestError(f"The task {envelope.task!r} is not supported by this version, expected: {known}.")
    arguments, names = envelope.unpack(), tuple(task.model_fields)
    try:
        return task.model_validate(arguments.bind(names)).to_job(envelope.id, paths)
    except ValidationError as error:
        kind = FailureKind.DRESSING if is_about_dressing(error) else None
        invalid = InvalidRequestError(f"The task's arguments are not valid: {list_faults(error)}", kind=kind)
    except InvalidRequestError as error:
        invalid = error
    try:
        return task.refused(arguments.guess(names), envelope.id, paths, Problem.of(invalid))
    except ValidationError as error:
        detail = f"{invalid.detail} Pod cannot be told: {list_faults(error)}. Request it again in Pod's administration."
        raise InvalidRequestError(detail) from error
