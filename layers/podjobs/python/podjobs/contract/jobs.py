"""What Pod asks for: the jobs, validated.

Source: docs/contract-pod.md, the positional arguments of Pod's Celery tasks.
"""

import posixpath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, NonNegativeInt

from podjobs.contract.errors import InvalidRequestError

JobId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]


def _absolute(path: str) -> str:
    if not path.startswith("/") or "\0" in path:
        msg = "must be an absolute path without NUL characters"
        raise ValueError(msg)
    return path


PodPath = Annotated[str, Field(min_length=2, max_length=4096), AfterValidator(_absolute)]
"""An absolute path as the Pod server sees it."""


class EncodingJob(BaseModel):
    """One video (or audio) file to encode into Pod's ladder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["encoding"] = "encoding"
    id: JobId
    video_id: NonNegativeInt
    video_path: PodPath
    cut_start: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0
    """Seconds into the source; 0 with cut_end 0 means no cut."""
    cut_end: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0
    json_dressing: dict[str, Any] | None = None
    dressing_input: str = ""

    @property
    def target(self) -> str:
        """What the job is about: a newer job for the same target supersedes an older one."""
        return str(self.video_id)

    @property
    def output_dir(self) -> str:
        """The folder Pod expects the files in, as Pod sees it."""
        return posixpath.join(posixpath.dirname(self.video_path), f"{self.video_id:04d}")

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path the message names, to be checked against the media root."""
        return (self.video_path,)


class TranscriptionJob(BaseModel):
    """The sound of one video to be written down as captions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["transcription"] = "transcription"
    id: JobId
    video_id: NonNegativeInt
    mp3filepath: PodPath
    duration: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0
    """As Pod has it, seconds: only a hint, the file itself is measured."""
    lang: Annotated[str, Field(max_length=64)]
    """As Pod has it: a language's code, or `auto`."""

    @property
    def target(self) -> str:
        """What the job is about: a newer job for the same target supersedes an older one."""
        return str(self.video_id)

    @property
    def captions_key(self) -> str:
        """Where Pod is to find the captions, from its media root on; no two jobs have the same."""
        return f"temp/transcription_{self.video_id}_{self.id}.vtt"

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path the message names, to be checked against the media root."""
        return (self.mp3filepath,)


Job = Annotated[EncodingJob | TranscriptionJob, Field(discriminator="type")]
"""Every job there is. Studio composition joins here."""


def check_paths(job: Job, media_root: str) -> None:
    """Refuse a job that names a path outside Pod's media root.

    Looks at the text alone: links are resolved where the file lies, by the storage backend.

    Args:
        job: what Pod asked for.
        media_root: Pod's MEDIA_ROOT, absolute.

    Raises:
        InvalidRequestError: a path leads out of the media root; a retry does not help.
    """
    root = posixpath.normpath(media_root)
    for path in job.paths:
        normal = posixpath.normpath(path)
        if normal == root or not normal.startswith(root.rstrip("/") + "/"):
            msg = (
                f"The path {path!r} is outside Pod's media root {root!r}. "
                "Set MEDIA_ROOT to the media root as the Pod server sees it, or refuse the sender."
            )
            raise InvalidRequestError(msg, path=path)
