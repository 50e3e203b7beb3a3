"""What is to be expected of us, given what plain ffmpeg shows. Pure."""

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from support.corpus.kit import Row
from support.corpus.places import in_order
from support.corpus.watch import Seen, Shown

EARLY_S = 1.0
"""Sound that begins this much before the picture belongs to the time line; see docs/decisions/0005."""
TOLERANCE_S = 0.001
CHIRP_ROOM_S = 0.05
"""A chirp so near to the end of a cut is not heard whole."""
HIGHEST_RATE = 60 * 1.02
"""Frames a second."""
ASSUMED_FRAME_S = 0.04
"""How long the only frame of a source is shown."""


@dataclass(frozen=True)
class Expected:
    """What is to be expected of us."""

    seen: Seen
    """What plain ffmpeg shows, within the cut."""
    other_chirps_s: tuple[float, ...]
    """Outside of the time line, but not wrong."""
    begin_s: float
    """Where the time line begins, on plain ffmpeg's clock."""
    end_s: float
    """Where the last of picture and sound ends, or the cut."""
    remarks: tuple[str, ...]
    """What plain ffmpeg does that no player could show."""
    decimation: int = 1
    """One frame of so many is kept."""

    @property
    def length_s(self) -> float:
        """How long the output plays."""
        return self.end_s - self.begin_s

    def sound_length_s(self, begin_s: float) -> float:
        """How long the sound is heard after the beginning of the time line."""
        return max(0.0, min(self.seen.sound_s, self.end_s) - begin_s)


def expected_of(row: Row, seen: Seen, decimation: int) -> Expected:
    """Derive what a player would show of a source: within the cut, at up to 60 frames a second.

    Args:
        row: the source.
        seen: what plain ffmpeg shows.
        decimation: one frame of so many was kept; it is believed where there are more than 60 a second.
    """
    frames, hidden = in_order(seen.frames)
    if not row.numbered:
        frames = counted(frames)
    zero_s = _zero_of(frames, seen)
    cut_start_s, cut_end_s = (float(row.request.get(name) or 0) for name in ("cut_start", "cut_end"))
    begin_s = zero_s + cut_start_s
    end_s = max(_picture_end_s(frames), seen.sound_s)
    if cut_end_s:
        end_s = min(end_s, zero_s + cut_end_s)
    kept = [frame for frame in frames if begin_s - TOLERANCE_S <= frame.time_s < end_s - TOLERANCE_S]
    chirps_s = [time_s for time_s in seen.chirps_s if begin_s - TOLERANCE_S <= time_s < end_s - CHIRP_ROOM_S]
    return Expected(
        # a cut may leave no sound of that which is there
        seen=replace(
            seen, frames=kept, chirps_s=chirps_s, level_db=seen.level_db if chirps_s or not row.request else None
        ),
        other_chirps_s=tuple(time_s for time_s in seen.chirps_s if time_s not in chirps_s),
        begin_s=begin_s,
        end_s=end_s,
        decimation=min(decimation, decimation_of(frames)),
        remarks=(f"{hidden} frames of plain ffmpeg go back in time",) if hidden else (),
    )


def counted(frames: Sequence[Shown]) -> list[Shown]:
    """Frames that cannot be told apart, but for their places."""
    return [replace(frame, number=place) for place, frame in enumerate(frames)]


def decimation_of(frames: Sequence[Shown]) -> int:
    """The largest of 1, 2, 4 … that is justified: of so many frames one is kept, so that 60 a second are left."""
    steps_s = [after.time_s - before.time_s for before, after in itertools.pairwise(frames)]
    rate = 1 / statistics.median(steps_s) if steps_s else 1.0
    return 1 << max(0, math.ceil(math.log2(rate / HIGHEST_RATE)))


def _zero_of(frames: list[Shown], seen: Seen) -> float:
    """Where the time line begins: with the picture, or with sound that begins much earlier."""
    if not frames:
        return 0.0
    first_s = frames[0].time_s
    return 0.0 if seen.sound_s and first_s > EARLY_S else first_s


def _picture_end_s(frames: list[Shown]) -> float:
    if not frames:
        return 0.0
    last_s = frames[-1].time_s - frames[-2].time_s if len(frames) > 1 else ASSUMED_FRAME_S
    return frames[-1].time_s + last_s
