"""Splits a sound into parts, at pauses near the marks of a grid: only there it is listened to. Pure.

So a two-hour file is split in seconds, nothing is ever whole in memory, and no word is cut.
"""

from collections.abc import Sequence
from itertools import pairwise

from podjobs.contract.ports import LOOK_S
from podjobs.transcription.hearing.vad import SHORTEST_PAUSE_S, Stretch, find_stretches, least_speech_at
from podjobs.transcription.settings import TranscriptionSettings

REACHES_S = (15.0, 45.0)
"""How far around a mark a pause is looked for; farther when nothing is found."""
GOOD_PAUSE_S = 1.0
"""A longer one is no better."""


def place_marks(length_s: float, settings: TranscriptionSettings) -> tuple[float, ...]:
    """The marks between the parts of a sound, evenly set.

    Args:
        length_s: of the sound.
        settings: how long parts are.
    """
    part_s = length_s / settings.podjobs_parts_per_sound
    part_s = min(max(part_s, settings.podjobs_part_min_s), settings.podjobs_part_max_s)
    parts = max(1, round(length_s / part_s))
    return tuple(length_s * number / parts for number in range(1, parts))


def look_around(mark_s: float, reach_s: float, part_s: float) -> Stretch:
    """Where to look for a pause: never so far that the parts at two marks could meet."""
    reach_s = min(reach_s, part_s / 3)
    return Stretch(max(0.0, mark_s - reach_s), mark_s + reach_s)


def find_pause(probabilities: Sequence[float], threshold: float, mark_s: float) -> float | None:
    """The best place to cut: in the middle of the longest pause, of equal ones in the nearest.

    Args:
        probabilities: that somebody speaks.
        threshold: from there on somebody does.
        mark_s: where the cut is wanted, on the probabilities' clock.

    Returns:
        A time on their clock; None where there is no pause.
    """
    end_s = len(probabilities) * LOOK_S
    speech = (Stretch(0.0, 0.0), *find_stretches(probabilities, threshold), Stretch(end_s, end_s))
    pauses = [Stretch(before.end_s, after.start_s) for before, after in pairwise(speech)]
    pauses = [pause for pause in pauses if pause.length_s >= SHORTEST_PAUSE_S]
    if not pauses:
        return None
    best = max(pauses, key=lambda pause: (min(pause.length_s, GOOD_PAUSE_S), -_distance(pause, mark_s)))
    half_s = min(best.length_s, GOOD_PAUSE_S) / 2
    return min(max(mark_s, best.start_s + half_s), best.end_s - half_s)


def _distance(pause: Stretch, mark_s: float) -> float:
    return max(0.0, pause.start_s - mark_s, mark_s - pause.end_s)


def find_quietest(probabilities: Sequence[float]) -> float:
    """Where to cut speech without a pause: where it is the least like speech."""
    return least_speech_at(probabilities, 0.0, len(probabilities) * LOOK_S)
