"""Where somebody speaks: stretches of speech from a model's probabilities, pauses, holes. Pure.

The probabilities come from the speech model, one for every `LOOK_S`; times are from the beginning of what was looked
at.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from podjobs.contract.ports import LOOK_S

RELEASE = 0.15
"""A stretch goes on until the probability is that much below the threshold. Source: Silero VAD."""
SHORTEST_PAUSE_S = 0.25
"""Shorter ones are between sounds of a word."""
SHORTEST_SPEECH_S = 0.1
PAD_S = 0.4
"""Around a stretch: quiet beginnings and endings of words are not told as speech."""


@dataclass(frozen=True)
class Stretch:
    """A time span."""

    start_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        """From start to end."""
        return self.end_s - self.start_s

    def shifted(self, by_s: float) -> "Stretch":
        """The same span on another clock."""
        return Stretch(self.start_s + by_s, self.end_s + by_s)


def find_stretches(probabilities: Sequence[float], threshold: float) -> tuple[Stretch, ...]:
    """Find the stretches of speech.

    Args:
        probabilities: that somebody speaks.
        threshold: from there on somebody does.
    """
    spoken = _runs(probabilities, threshold)
    joined: list[Stretch] = []
    for stretch in spoken:
        if joined and stretch.start_s - joined[-1].end_s < SHORTEST_PAUSE_S:
            joined[-1] = Stretch(joined[-1].start_s, stretch.end_s)
        else:
            joined.append(stretch)
    return tuple(stretch for stretch in joined if stretch.length_s >= SHORTEST_SPEECH_S)


def _runs(probabilities: Sequence[float], threshold: float) -> list[Stretch]:
    found: list[Stretch] = []
    begun: int | None = None
    for index, probability in enumerate((*probabilities, 0.0)):
        if begun is None and probability >= threshold:
            begun = index
        elif begun is not None and probability < max(threshold - RELEASE, 0.01):
            found.append(Stretch(begun * LOOK_S, index * LOOK_S))
            begun = None
    return found


def pad(stretches: Sequence[Stretch], total_s: float) -> tuple[Stretch, ...]:
    """Widen stretches on both sides; two that would meet share the pause between them.

    Args:
        stretches: in order.
        total_s: nothing lies beyond.
    """
    padded = []
    for index, stretch in enumerate(stretches):
        before = (stretches[index - 1].end_s + stretch.start_s) / 2 if index else 0.0
        after = (stretch.end_s + stretches[index + 1].start_s) / 2 if index + 1 < len(stretches) else total_s
        padded.append(Stretch(max(before, stretch.start_s - PAD_S), min(after, stretch.end_s + PAD_S)))
    return tuple(padded)


def divide(stretch: Stretch, probabilities: Sequence[float], longest_s: float) -> tuple[Stretch, ...]:
    """Cut a stretch that is too long, each time where it is the least like speech.

    Args:
        stretch: on the probabilities' clock.
        probabilities: that somebody speaks.
        longest_s: of a piece; pieces are at least half as long.
    """
    pieces = []
    while stretch.length_s > longest_s:
        cut_s = least_speech_at(probabilities, stretch.start_s + longest_s / 2, stretch.start_s + longest_s)
        pieces.append(Stretch(stretch.start_s, cut_s))
        stretch = Stretch(cut_s, stretch.end_s)
    return (*pieces, stretch)


SMOOTHED_LOOKS = 3
"""Looks that are taken together: one alone may be an accident."""


def least_speech_at(probabilities: Sequence[float], from_s: float, to_s: float) -> float:
    """The time in a span that is the least like speech."""
    first = max(0, round(from_s / LOOK_S))
    last = max(first, min(len(probabilities), round(to_s / LOOK_S)) - SMOOTHED_LOOKS)
    best = min(range(first, last + 1), key=lambda index: sum(probabilities[index : index + SMOOTHED_LOOKS]))
    return min((best + SMOOTHED_LOOKS / 2) * LOOK_S, to_s)


def find_holes(speech: Sequence[Stretch], said: Iterable[Stretch], longer_than_s: float) -> tuple[Stretch, ...]:
    """Find speech that nothing was written down of.

    Args:
        speech: where somebody speaks, in order.
        said: where words are.
        longer_than_s: shorter holes do not count: a word's time is not that exact.
    """
    covered = sorted((span.start_s, span.end_s) for span in said)
    holes = []
    for stretch in speech:
        begin_s = stretch.start_s
        for start_s, end_s in covered:
            if end_s <= begin_s or start_s >= stretch.end_s:
                continue
            if start_s - begin_s > longer_than_s:
                holes.append(Stretch(begin_s, start_s))
            begin_s = max(begin_s, end_s)
        if stretch.end_s - begin_s > longer_than_s:
            holes.append(Stretch(begin_s, stretch.end_s))
    return tuple(holes)
