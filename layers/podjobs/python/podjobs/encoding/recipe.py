"""What all steps of an encoding job share: the source, its facts, the ladder and the division into chunks. Pure."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from podjobs.contract.bounds import Log
from podjobs.contract.jobs import Position
from podjobs.contract.media_paths import Key
from podjobs.encoding.ladder import Rendition
from podjobs.media.facts import MediaFacts

TICKS_PER_S = 90_000
"""The time base of all video we make: MPEG's 90 kHz."""
ASSUMED_FRAME_RATE = 25.0
"""Frames per second, if the source does not state a rate."""
FREEZE_EVERY_S = 1
"""Interval between the copies of a frozen frame: browsers stop where frames are missing."""

PartName = Literal["opening", "main", "ending"]


class Chunk(BaseModel):
    """A part of the output's time line: every frame whose time t satisfies start_s ≤ t < end_s, and no other."""

    model_config = ConfigDict(frozen=True)

    number: int
    part: PartName = "main"
    start_s: float
    end_s: float | None
    """None: to the end of the source, whatever its header says."""
    expected_end_s: float | None = None
    """Where it should end according to the source's header; None if unknown."""
    generation: int = 0
    """Incremented when the chunks are encoded again because the packaged result did not verify."""


class Credit(BaseModel):
    """A video that is shown in full before or after the main one."""

    model_config = ConfigDict(frozen=True)

    source: Key
    facts: MediaFacts
    length_s: float
    decimation: int = 1
    """As in Recipe."""
    freeze_last: bool = False
    """As in Recipe."""


class Watermark(BaseModel):
    """A picture that is overlaid on the main video."""

    model_config = ConfigDict(frozen=True)

    picture: Key
    """A PNG in the job's work folder."""
    position: Position
    opacity: float


class Recipe(BaseModel):
    """How one source becomes its renditions."""

    model_config = ConfigDict(frozen=True)

    version: Literal[1] = 1
    """It rises when a later step would misread what an earlier version wrote: such a job is planned anew."""
    source: Key
    facts: MediaFacts
    renditions: tuple[Rendition, ...]
    origin_s: float
    """Where the main video's part begins, on the source's clock."""
    duration_s: float | None
    """Expected length of the main video's part; None if the source's header does not state it."""
    ends: bool
    """Whether that part ends before the source does (a cut)."""
    starts_s: tuple[float, ...] = (0.0,)
    """Where the chunks begin, from the beginning of the main video's part."""
    decimation: int = 1
    """One frame in this many is kept: a frame rate above the limit is halved until it is not."""
    freeze_first_s: float = 0.0
    """How long the first frame is shown before its time, because the sound begins earlier."""
    freeze_last: bool = False
    """Whether the last frame stays on screen until the sound ends."""
    first_frame_pts_s: float | None = None
    """Presentation time, on the source's clock, of the long frame within which a cut begins: it is shown from the cut
    on. None: the cut begins with a frame of its own."""
    pad_audio: bool = False
    """Whether the sound ends before the picture and is followed by silence."""
    preroll_s: float
    """How far before a chunk to seek in the source."""
    opening: Credit | None = None
    ending: Credit | None = None
    watermark: Watermark | None = None
    generation: int = 0
    log: Log = ()

    @property
    def end_s(self) -> float | None:
        """Where the main video's part ends, on the source's clock; None: with the source."""
        return self.origin_s + self.duration_s if self.ends and self.duration_s is not None else None

    @property
    def offset_s(self) -> float:
        """Where the main video begins on the output's time line."""
        return self.opening.length_s if self.opening else 0.0

    @property
    def output_s(self) -> float | None:
        """Expected length of the output; None if the source's header does not state it."""
        if self.duration_s is None:
            return None
        return self.offset_s + self.duration_s + (self.ending.length_s if self.ending else 0.0)

    @property
    def has_credits(self) -> bool:
        """Whether there are opening or ending credits."""
        return self.opening is not None or self.ending is not None

    @property
    def has_audio(self) -> bool:
        """Whether any part has a sound track, by its header. Whether it can be decoded turns out when it is encoded."""
        credits_with_sound = (credit for credit in (self.opening, self.ending) if credit and credit.facts.audio)
        return self.facts.audio is not None or any(credits_with_sound)

    @property
    def audio_rates_bps(self) -> tuple[int, ...]:
        """The bit rates the renditions need, each once."""
        return tuple(sorted({rendition.audio_bps for rendition in self.renditions}))

    @property
    def chunks(self) -> tuple[Chunk, ...]:
        """The chunks: half-open intervals without gaps; in the second generation, one per part."""
        chunks: list[Chunk] = []
        if self.opening:
            chunks.append(self._credit_chunk("opening", 0, 0.0, self.opening))
        chunks += self._main_chunks(len(chunks))
        if self.ending and self.duration_s is not None:
            start_s = self.offset_s + self.duration_s
            chunks.append(self._credit_chunk("ending", len(chunks), start_s, self.ending))
        return tuple(chunks)

    def is_held(self, chunk: Chunk) -> bool:
        """Whether a chunk shows nothing but the first frame before its time, or the last one after it."""
        video = self.facts.video
        if video is None or chunk.part != "main":
            return False
        shift_s = self.origin_s - self.offset_s
        if self.freeze_first_s and chunk.end_s is not None and chunk.end_s + shift_s <= video.start_s:
            return True
        return self.freeze_last and video.end_s is not None and chunk.start_s + shift_s >= video.end_s

    def credit_of(self, chunk: Chunk) -> Credit | None:
        """The credit that a chunk is cut from; None: it is cut from the main video."""
        return {"opening": self.opening, "ending": self.ending, "main": None}[chunk.part]

    def _main_chunks(self, first: int) -> list[Chunk]:
        starts_s = [self.offset_s + start_s for start_s in ((0.0,) if self.generation else self.starts_s)]
        length_end_s = None if self.duration_s is None else self.offset_s + self.duration_s
        last_s = length_end_s if self.ends or self.ending or self.freeze_last else None
        return [
            Chunk(
                number=number,
                start_s=start_s,
                end_s=last_s if end_s is None else end_s,
                expected_end_s=None if self.generation else length_end_s if end_s is None else end_s,
                generation=self.generation,
            )
            for number, (start_s, end_s) in enumerate(zip(starts_s, [*starts_s[1:], None], strict=True), first)
        ]

    def _credit_chunk(self, part: PartName, number: int, start_s: float, credit: Credit) -> Chunk:
        end_s = start_s + credit.length_s
        return Chunk(
            number=number,
            part=part,
            start_s=start_s,
            end_s=end_s,
            expected_end_s=end_s,
            generation=self.generation,
        )
