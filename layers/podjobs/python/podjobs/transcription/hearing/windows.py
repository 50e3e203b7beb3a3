"""Passages: stretches of speech put together, without the pauses, to what a model listens to at once. Pure.

Whisper takes 30 s at a time, whether they are full or not; and where nobody speaks it invents.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from podjobs.contract.ports import PASSAGE_S, SOUND_BYTES_PER_S, SOUND_HZ
from podjobs.transcription.hearing.vad import Stretch

LONGEST_S = PASSAGE_S - 1.0
"""Below the model's own limit, so that the last word is heard to its end."""
FULL_ENOUGH = 0.7
"""From this share on a passage may end: at the end of a sentence it is understood better than at the 30th second."""
SAMPLE_BYTES = SOUND_BYTES_PER_S // SOUND_HZ


@dataclass(frozen=True)
class Passage:
    """Stretches that are heard as one."""

    stretches: tuple[Stretch, ...]

    def take_from(self, sound: bytes) -> bytes:
        """Cut its sound out of a part's."""
        return b"".join(sound[_at(stretch.start_s) : _at(stretch.end_s)] for stretch in self.stretches)

    def place(self, start_s: float, end_s: float) -> tuple[float, float]:
        """Find where a word of the passage is in the part: in one stretch, the one that holds its middle.

        Args:
            start_s: from the passage's beginning.
            end_s: likewise.
        """
        ends_s = list(accumulate(stretch.length_s for stretch in self.stretches))
        index = min(bisect_right(ends_s, (start_s + end_s) / 2), len(ends_s) - 1)
        stretch = self.stretches[index]
        shift_s = stretch.start_s - (ends_s[index] - stretch.length_s)
        placed_s = [min(max(time_s + shift_s, stretch.start_s), stretch.end_s) for time_s in (start_s, end_s)]
        return placed_s[0], placed_s[1]


def _at(time_s: float) -> int:
    return round(time_s * SOUND_HZ) * SAMPLE_BYTES


def make_passages(stretches: Sequence[Stretch], longest_s: float = LONGEST_S) -> tuple[Passage, ...]:
    """Put stretches together, each one whole; where a passage is full it ends at its longest pause.

    Args:
        stretches: in order, none longer than a passage.
        longest_s: of a passage.
    """
    passages: list[Passage] = []
    left = list(stretches)
    while left:
        lengths_s = list(accumulate(stretch.length_s for stretch in left))
        fitting = max(1, bisect_right(lengths_s, longest_s))
        if fitting < len(left):
            enough = min(fitting, bisect_right(lengths_s, longest_s * FULL_ENOUGH) + 1)
            fitting = max(range(enough, fitting + 1), key=lambda count: left[count].start_s - left[count - 1].end_s)
        passages.append(Passage(tuple(left[:fitting])))
        del left[:fitting]
    return tuple(passages)
