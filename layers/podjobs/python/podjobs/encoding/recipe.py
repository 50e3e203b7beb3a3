"""What all steps of an encoding job share: the source, its facts, the ladder and the cut into chunks. Pure."""

from pydantic import BaseModel, ConfigDict

from podjobs.contract.ports import Key
from podjobs.encoding.ladder import Rendition
from podjobs.encoding.media import MediaFacts

TICKS_PER_S = 90_000
"""The clock of all video we make: MPEG's 90 kHz."""


class Chunk(BaseModel):
    """A part of the output's time line: every frame whose time t has start_s ≤ t < end_s, and no other."""

    model_config = ConfigDict(frozen=True)

    number: int
    start_s: float
    end_s: float | None
    """None: to the end of the source, whatever its header says."""
    expected_end_s: float | None = None
    """Where it will end as far as the source tells."""
    generation: int = 0
    """Raised when the chunks are made anew because the packaged result did not verify."""

    @property
    def name(self) -> str:
        """The step's id and the folder of its files."""
        return f"chunk-{self.number:04d}" if not self.generation else f"chunk-{self.number:04d}-{self.generation}"


class Recipe(BaseModel):
    """How one source becomes its renditions."""

    model_config = ConfigDict(frozen=True)

    source: Key
    facts: MediaFacts
    renditions: tuple[Rendition, ...]
    origin_s: float
    """Where the output's time line begins, in the source's clock."""
    duration_s: float | None
    """Expected length of the output; None where the source does not tell."""
    ends: bool
    """Whether the output ends before the source (a cut)."""
    starts_s: tuple[float, ...] = (0.0,)
    """Where the chunks begin on the output's time line."""
    kept_of: int = 1
    """One of so many frames is kept: sources with more frames a second than allowed are halved, and halved again."""
    lead_s: float
    """How far before a chunk to seek in the source."""
    generation: int = 0
    log: tuple[str, ...] = ()

    @property
    def end_s(self) -> float | None:
        """Where the output's time line ends, in the source's clock; None: with the source."""
        return self.origin_s + self.duration_s if self.ends and self.duration_s is not None else None

    @property
    def audio_rates_bps(self) -> tuple[int, ...]:
        """The bit rates the renditions need, each once."""
        return tuple(sorted({rendition.audio_bps for rendition in self.renditions}))

    @property
    def chunks(self) -> tuple[Chunk, ...]:
        """The chunks: half-open intervals without gaps; a single one in the second generation."""
        starts_s = (0.0,) if self.generation else self.starts_s
        ends_s = [*starts_s[1:], None]
        last_s = self.duration_s if self.ends else None
        return tuple(
            Chunk(
                number=number,
                start_s=start_s,
                end_s=last_s if end_s is None else end_s,
                expected_end_s=None if self.generation else self.duration_s if end_s is None else end_s,
                generation=self.generation,
            )
            for number, (start_s, end_s) in enumerate(zip(starts_s, ends_s, strict=True))
        )
