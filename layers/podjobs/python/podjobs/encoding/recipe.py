"""What all steps of an encoding job share: the source, its facts, the ladder and the cut into chunks. Pure."""

import math

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
    chunk_s: int
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
        """The chunks, on the grid of the segments."""
        return cut_into_chunks(self.duration_s, self.chunk_s, ends=self.ends, generation=self.generation)


def choose_chunk_s(duration_s: float, shortest_s: int, longest_s: int, aim: int, grid_s: int) -> int:
    """Choose the length of the chunks: short videos get short ones, so that more of them run in parallel.

    Args:
        duration_s: length of the output.
        shortest_s: lower bound.
        longest_s: upper bound.
        aim: number of chunks aimed at between the bounds.
        grid_s: length of a segment; chunks are whole numbers of segments.

    Returns:
        Seconds, at least one segment.
    """
    wanted_s = min(max(duration_s / aim, shortest_s), longest_s)
    return max(grid_s, math.ceil(wanted_s / grid_s) * grid_s)


def cut_into_chunks(duration_s: float | None, chunk_s: int, *, ends: bool, generation: int = 0) -> tuple[Chunk, ...]:
    """Cut a time line into half-open intervals; the last one takes a rest shorter than half a chunk with it.

    Args:
        duration_s: length of the time line; None: one chunk for all.
        chunk_s: length of a chunk.
        ends: whether the last chunk ends with the time line rather than with the source.
        generation: see Chunk.
    """
    count = max(1, round(duration_s / chunk_s)) if duration_s is not None and not generation else 1
    return tuple(
        Chunk(
            number=number,
            start_s=float(number * chunk_s),
            end_s=float((number + 1) * chunk_s) if number + 1 < count else (duration_s if ends else None),
            expected_end_s=None if generation else float((number + 1) * chunk_s) if number + 1 < count else duration_s,
            generation=generation,
        )
        for number in range(count)
    )
