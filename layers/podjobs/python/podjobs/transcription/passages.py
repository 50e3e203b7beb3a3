"""Passages: stretches of speech put together, without the pauses, to what a model listens to at once. Pure.

Whisper takes 30 s at a time, whether they are full or not; and where nobody speaks it invents.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from podjobs.contract.ports import PASSAGE_S, SOUND_BYTES_PER_S, SOUND_HZ
from podjobs.transcription.activity import Stretch

LONGEST_S = PASSAGE_S - 1.0
"""Below the model's own limit, so that the last word is heard to its end."""
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
    """Put stretches together, each one whole.

    Args:
        stretches: in order, none longer than a passage.
        longest_s: of a passage.
    """
    passages: list[list[Stretch]] = []
    length_s = 0.0
    for stretch in stretches:
        if not passages or length_s + stretch.length_s > longest_s:
            passages.append([])
            length_s = 0.0
        passages[-1].append(stretch)
        length_s += stretch.length_s
    return tuple(Passage(tuple(members)) for members in passages)
