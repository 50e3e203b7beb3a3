"""What all steps of a studio job share: which pictures and sounds of which sources, where, and from when on. Pure."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from podjobs.contract.bounds import Log
from podjobs.contract.media_paths import Key
from podjobs.encoding.ladder import Rendition
from podjobs.encoding.recipe import Chunk
from podjobs.media.facts import AudioFacts, MediaFacts, VideoFacts
from podjobs.studio.layout import Place

SourceName = Literal["presentation", "presenter"]


class Picture(BaseModel):
    """A source's picture, and where it is shown."""

    model_config = ConfigDict(frozen=True)

    name: SourceName
    source: Key
    """The file, or a copy in the job's work folder."""
    facts: MediaFacts
    """With a video."""
    origin_s: float
    """Where the output begins, on the source's clock."""
    place: Place
    preroll_s: float
    decimation: int = 1
    first_frame_pts_s: float | None = None
    """As in encoding's Recipe."""

    @property
    def video(self) -> VideoFacts:
        """The picture's own facts."""
        if self.facts.video is None:
            raise ValueError("A source without a picture is not shown.")
        return self.facts.video


class Sound(BaseModel):
    """A source's sound."""

    model_config = ConfigDict(frozen=True)

    name: SourceName
    source: Key
    audio: AudioFacts
    file_start_s: float
    """Where the source begins, on its own clock."""
    origin_s: float
    """As in Picture."""


class StudioRecipe(BaseModel):
    """How the sources of a studio recording become one file."""

    model_config = ConfigDict(frozen=True)

    version: Literal[1] = 1
    """As in encoding's Recipe."""
    pictures: tuple[Picture, ...]
    """From the bottom to the top."""
    sounds: tuple[Sound, ...]
    """Those that may be heard, the preferred one first."""
    frame_rate: float | None
    """Frames per second of the composed picture; None: a single picture keeps its frames and their times."""
    duration_s: float
    """Of the output."""
    starts_s: tuple[float, ...]
    """Where the chunks begin."""
    rendition: Rendition
    """The only one: as large as the whole picture."""
    matrix: str
    """From YCbCr to RGB, ffmpeg's name."""
    log: Log = ()

    @property
    def chunks(self) -> tuple[Chunk, ...]:
        """The chunks: half-open intervals without gaps."""
        ends_s = (*self.starts_s[1:], self.duration_s)
        pairs = enumerate(zip(self.starts_s, ends_s, strict=True))
        return tuple(
            Chunk(number=number, start_s=start_s, end_s=end_s, expected_end_s=end_s)
            for number, (start_s, end_s) in pairs
        )

    @property
    def frames(self) -> int | None:
        """How many frames the output has; None: as many as the single picture."""
        return None if self.frame_rate is None else round(self.duration_s * self.frame_rate)
