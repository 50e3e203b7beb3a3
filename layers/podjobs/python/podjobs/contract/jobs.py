"""The jobs, in our own terms: what to do with which media, and whom to notify.

How a job was requested is known only to the door it came through (adapter/door); how its sender is notified, only to
the function `notification`, by the job's `reply_to`. Everything about job types but their data is in workflows.py.
"""

import operator
import posixpath
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from podjobs.contract.errors import Problem
from podjobs.contract.media_paths import Key
from podjobs.contract.reply_to import ReplyTo

JobId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
Target = Annotated[str, Field(min_length=1, max_length=256)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Position = Literal["top_right", "top_left", "bottom_right", "bottom_left"]
Layout = Literal["mid", "pipb", "piph", "alone"]
"""Where the sources of a studio recording are shown: `mid` side by side, `pipb` and `piph` the presenter in a corner of
the presentation, bottom or top right, `alone` the first source that has a picture, whatever the other one shows."""


class RemoteFile(BaseModel):
    """A file that is fetched over HTTP before the job is planned: its sender shares no folder."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    url: Annotated[str, Field(pattern=r"^https?://[^\s/]+", max_length=2048)]
    key: Key
    """Where it is put in the media storage."""


class Job(BaseModel):
    """The fields of every job."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    type: str
    """Its row in the table of workflows.py."""
    id: JobId
    target: Target
    """What the job is about, such as a video's number: a newer job for the same target supersedes an older one."""
    reply_to: ReplyTo
    fetch: tuple[RemoteFile, ...] = Field(default=(), max_length=16, exclude_if=operator.not_)
    """What is fetched before the job is planned; the source is the first. Written only if there is any."""
    refusal: Problem | None = None
    """Why the request cannot be met, if this was found on arrival: the job fails at its first step, so that its sender
    is notified as for any other job."""


class Cut(BaseModel):
    """The part of a source that is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    start_s: Seconds = 0.0
    end_s: Seconds | None = None
    """None: to the end of the source."""


class DressingRequest(BaseModel):
    """What a video is dressed with: a watermark, opening and ending credits."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    watermark: Key | None = None
    """A picture."""
    position: Position = "top_right"
    opacity: Annotated[float, Field(ge=0, le=1)] = 1.0
    opening: Key | None = None
    """A video to show before this one."""
    ending: Key | None = None
    """A video to show after this one."""


class RenditionRequest(BaseModel):
    """A rendition that the job's sender asks for; what it leaves open is as VIDEO_RENDITIONS has it for its height."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    resolution: Annotated[str, Field(pattern=r"^\d{2,5}x\d{2,5}$")]
    max_bps: Annotated[int, Field(gt=0)] | None = None
    audio_bps: Annotated[int, Field(gt=0)] | None = None
    mp4: bool = False
    """Whether it is made as an MP4, too, and not for HLS alone."""


class EncodingJob(Job):
    """One video (or audio) file to encode into a ladder of renditions."""

    type: Literal["encoding"] = "encoding"
    source: Key
    output_folder: Key
    """Where the files are published."""
    cut: Cut | None = None
    dressing: DressingRequest | None = None
    renditions: tuple[RenditionRequest, ...] = Field(default=(), max_length=16, exclude_if=operator.not_)
    """None: those of VIDEO_RENDITIONS. Written only if there are any."""

    def at(self, source: Key) -> Self:
        """The same job with its source, and beside it its output folder, at another place."""
        folder = posixpath.join(posixpath.dirname(source), posixpath.basename(self.output_folder))
        return self.model_copy(update={"source": source, "output_folder": folder})

    @property
    def spare(self) -> Self:
        """The job at a place of its own: a report is left there that cannot be left at the video."""
        return self.at(spare_source(self.id, posixpath.basename(self.source)))


def spare_source(job_id: str, name: str = "unknown") -> Key:
    """A source's key at a place that is the job's own, in the folder in which Pod expects files of its workers."""
    return f"temp/encoding_{job_id}/{name}"


class StudioJob(Job):
    """A studio recording of one or two sources to compose into one file."""

    type: Literal["studio"] = "studio"
    presentation: Key | None = None
    """What was shown: slides, a screen."""
    presenter: Key | None = None
    """Who spoke: a camera."""
    layout: Layout = "alone"
    cut: Cut | None = None
    """The part that is kept, on the time line that both sources begin together."""
    output: Key
    """The MP4 that is published; its log file is beside it."""
    mediapackage: Key | None = Field(default=None, exclude_if=operator.not_)
    """The file, fetched before, that says which sources there are, and the cut; its sources are fetched next. Written
    only if there is one."""
    renditions: tuple[RenditionRequest, ...] = Field(default=(), max_length=16, exclude_if=operator.not_)
    """Of the encoding that follows, if there is one; see EncodingJob. Written only if there are any."""

    @property
    def sources(self) -> tuple[Key, ...]:
        """The sources, the presentation first."""
        return tuple(source for source in (self.presentation, self.presenter) if source is not None)

    @property
    def log(self) -> Key:
        """The log file, where Pod's own worker wrote it; it is no part of a result that is fetched over HTTP."""
        if self.mediapackage is not None:
            return posixpath.join(posixpath.dirname(posixpath.dirname(self.output)), "studio.log")
        return f"{self.output.removesuffix('.mp4')}.log"


class RecoveryJob(Job):
    """What nobody needs any more in the media storage is found, reported and removed."""

    type: Literal["recovery"] = "recovery"
    known: tuple[JobId, ...]
    """The jobs that have not ended."""
    known_at: float
    """When they were listed, seconds since the epoch: a job that began later is none of the unknown."""
    results_before: float | None = Field(default=None, exclude_if=operator.not_)
    """Results that were fetched over HTTP, of jobs that are not known, are removed if they last changed before this, in
    seconds since the epoch; None: none are. Written only if it is set."""
    dry_run: bool = Field(default=False, exclude_if=operator.not_)
    """Report only, and remove nothing. Written only if it is set: a version that does not know it reads all other jobs,
    and refuses such a one instead of removing anything."""


class TranscriptionJob(Job):
    """The sound of one video to transcribe into captions."""

    type: Literal["transcription"] = "transcription"
    source: Key
    captions: Key
    """Where the captions are published, as WebVTT; unique to the job."""
    language: Annotated[str, Field(max_length=64)]
    """A language code, or `auto`."""
    translate: bool = Field(default=False, exclude_if=operator.not_)
    """The captions are in English, whatever is spoken. Written only if it is set."""
    info: Key | None = Field(default=None, exclude_if=operator.not_)
    """Where an info_video.json is published beside the captions. Written only if it is wanted."""
