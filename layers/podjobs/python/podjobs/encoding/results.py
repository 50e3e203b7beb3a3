"""The results of an encoding job's steps, and how later steps read them. Pure, except for the clock."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from podjobs.contract.bounds import Log
from podjobs.contract.plans import Result
from podjobs.encoding.recipe import Recipe
from podjobs.encoding.steps import chunk_id, images_id, package_id


class StepResult(BaseModel):
    """The values of a step's result."""

    model_config = ConfigDict(frozen=True)

    def reply(self, log: Sequence[str] = ()) -> Result:
        """The step's reply.

        Args:
            log: sentences for the job's log.
        """
        return Result(values=self.model_dump(), log=tuple(log))


class ChunkResult(StepResult):
    """An encoded chunk."""

    frames: int
    """How many frames each rendition has."""
    first_s: float | None = None
    """Time of the first one on the output's time line; None: there is none, or, later than in the first chunk, it was
    not looked up, since the number is as expected."""
    lost: int = 0
    """How many frames of the source are missing before the first one."""


class AudioResult(StepResult):
    """The encoded sound."""

    files: tuple[str, ...] = ()
    """None if no part has sound that can be heard."""
    duration_s: float = 0.0
    notes: tuple[str, ...] = ()
    """Sentences about sound that is missing."""


class SubtitleFile(NamedTuple):
    """The captions of one subtitle stream."""

    stream: int
    language: str
    name: str


class SubtitlesResult(StepResult):
    """The subtitle streams that have captions in this part of the video."""

    files: tuple[SubtitleFile, ...] = ()
    notes: Log = ()
    """Sentences about what is missing."""


class ImagesResult(StepResult):
    """The pictures, in the order in which Pod lists them."""

    thumbnails: tuple[str, ...]
    overview: tuple[str, ...]
    notes: Log = ()
    """Sentences about what is missing."""


class PackageResult(StepResult):
    """What the master playlist and info_video.json need to know about a packaged rendition."""

    name: str
    files: tuple[str, ...]
    duration_s: float
    peak_bps: int
    average_bps: int
    codecs: str
    faults: tuple[str, ...]
    """What did not verify; empty when all is well."""


class PublishResult(StepResult):
    """What the video's folder contains now."""

    files: tuple[str, ...]
    duration_s: int
    """As info_video.json states it, and Pod once it has imported it: whole seconds."""
    heights_px: tuple[int, ...]
    """Nominal, of the renditions."""
    published_at: float = Field(default_factory=time.time)
    """Seconds since the epoch: from then on the files may be waited for until Pod sees them, too."""


@dataclass(frozen=True)
class EarlierResults:
    """The results that a step receives, typed."""

    recipe: Recipe
    values: Mapping[str, Mapping[str, Any]]
    """By step id."""

    @property
    def chunks(self) -> dict[str, ChunkResult]:
        """The chunks, by their ids; none for a source without video."""
        if self.recipe.facts.video is None:
            return {}
        ids = (chunk_id(chunk) for chunk in self.recipe.chunks)
        return {step_id: ChunkResult.model_validate(self.values[step_id]) for step_id in ids}

    @property
    def frames(self) -> dict[str, int]:
        """The number of frames of each chunk, by its id; none for a source without video."""
        return {step_id: chunk.frames for step_id, chunk in self.chunks.items()}

    @property
    def audio(self) -> AudioResult:
        """Empty for a source without sound."""
        return AudioResult.model_validate(self.values.get("audio", {}))

    @property
    def subtitles(self) -> SubtitlesResult:
        """Empty for a source without text subtitles."""
        return SubtitlesResult.model_validate(self.values.get("subtitles", {}))

    @property
    def images(self) -> ImagesResult:
        """Never empty."""
        return ImagesResult.model_validate(self.values[images_id(self.recipe)])

    @property
    def packages(self) -> tuple[PackageResult, ...]:
        """One per rendition, in the order of the ladder."""
        ids = (package_id(self.recipe, rendition) for rendition in self.recipe.renditions)
        return tuple(PackageResult.model_validate(self.values[step_id]) for step_id in ids)
