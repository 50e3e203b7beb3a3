"""Splits a sound into parts at pauses near evenly spaced marks; only the surroundings of a mark are examined. Pure.

So a two-hour file is split in seconds, is never in memory as a whole, and no word is cut.
"""

from collections.abc import Sequence
from itertools import pairwise

from podjobs.contract.ports.speech import VAD_FRAME_S
from podjobs.transcription.hearing.vad import MIN_PAUSE_S, find_speech, least_speech_at
from podjobs.transcription.settings import TranscriptionSettings
from podjobs.transcription.spans import TimeSpan

SEARCH_RADII_S = (15.0, 45.0)
"""How far around a mark to look for a pause; the second is used if there is none."""
GOOD_PAUSE_S = 1.0
"""Longer pauses are no better."""


def place_marks(length_s: float, settings: TranscriptionSettings) -> tuple[float, ...]:
    """Place the marks between the parts of a sound, evenly spaced.

    Args:
        length_s: of the sound.
        settings: how long parts are.
    """
    part_s = length_s / settings.podjobs_parts_per_sound
    part_s = min(max(part_s, settings.podjobs_part_min_s), settings.podjobs_part_max_s)
    parts = max(1, round(length_s / part_s))
    return tuple(length_s * number / parts for number in range(1, parts))


def search_span(mark_s: float, radius_s: float, part_s: float) -> TimeSpan:
    """Where to look for a pause: never so far that the spans of two marks could meet."""
    radius_s = min(radius_s, part_s / 3)
    return TimeSpan(max(0.0, mark_s - radius_s), mark_s + radius_s)


def find_pause(probabilities: Sequence[float], threshold: float, mark_s: float) -> float | None:
    """Find the best time to cut: in the middle of the longest pause; of equally long ones, of the nearest.

    Args:
        probabilities: of speech.
        threshold: from this probability on, it is speech.
        mark_s: where the cut is wanted, on the clock of the probabilities.

    Returns:
        A time on the same clock; None if there is no pause.
    """
    end_s = len(probabilities) * VAD_FRAME_S
    speech = (TimeSpan(0.0, 0.0), *find_speech(probabilities, threshold), TimeSpan(end_s, end_s))
    pauses = [TimeSpan(before.end_s, after.start_s) for before, after in pairwise(speech)]
    pauses = [pause for pause in pauses if pause.length_s >= MIN_PAUSE_S]
    if not pauses:
        return None
    best = max(pauses, key=lambda pause: (min(pause.length_s, GOOD_PAUSE_S), -_distance_s(pause, mark_s)))
    half_s = min(best.length_s, GOOD_PAUSE_S) / 2
    return min(max(mark_s, best.start_s + half_s), best.end_s - half_s)


def _distance_s(pause: TimeSpan, mark_s: float) -> float:
    return max(0.0, pause.start_s - mark_s, mark_s - pause.end_s)


def find_quietest(probabilities: Sequence[float]) -> float:
    """Find where to cut speech without a pause: where it is least like speech."""
    return least_speech_at(probabilities, 0.0, len(probabilities) * VAD_FRAME_S)
