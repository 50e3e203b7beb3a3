"""Times of words that agree with one another, and when each cue comes and goes. Pure."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from podjobs.transcription.captions.rules import TOLERANCE_S, CueRules
from podjobs.transcription.hearing.utterances import Word


class Span(NamedTuple):
    """A stretch of time, in seconds."""

    start_s: float
    end_s: float


def agree_times(words: Sequence[Word]) -> list[Span]:
    """Make the times of words follow one another.

    The longest run of words that begin one after the other is believed; the others are spread between their neighbours.
    So one absurd time does not displace what comes after it.

    Args:
        words: in the order they were said; their times may be equal, backwards or negative.

    Returns:
        As many stretches, in whole milliseconds; none begins before the one before it, ends after the next one begins,
        or lies before 0.
    """
    believed = _longest_run([word.start_s for word in words])
    starts_s = [max(word.start_s, 0.0) for word in words]
    for before, after in zip([-1, *believed], [*believed, len(words)], strict=True):
        from_s = starts_s[before] if before >= 0 else 0.0
        to_s = starts_s[after] if after < len(words) else from_s
        for index in range(before + 1, after):
            starts_s[index] = from_s + (to_s - from_s) * (index - before) / (after - before)
    starts_s = [round(start_s, 3) for start_s in starts_s]
    limits_s = [*starts_s, math.inf][1:]
    return [
        Span(start_s, min(max(round(word.end_s, 3), start_s), limit_s))
        for word, start_s, limit_s in zip(words, starts_s, limits_s, strict=True)
    ]


def _longest_run(numbers: Sequence[float]) -> list[int]:
    """The places of the longest part that never decreases; patience sorting, O(n log n)."""
    tails: list[float] = []
    places: list[int] = []
    previous: list[int] = []
    for place, number in enumerate(numbers):
        rank = bisect_right(tails, number)
        previous.append(places[rank - 1] if rank else -1)
        tails[rank : rank + 1] = [number]
        places[rank : rank + 1] = [place]
    run: list[int] = []
    place = places[-1] if places else -1
    while place >= 0:
        run.append(place)
        place = previous[place]
    return run[::-1]


def time_cues(spoken: Sequence[Span], chars: Sequence[int], rules: CueRules) -> list[Span]:
    """Choose when cues come and go.

    A cue comes with its first word and goes with its last one. Where that is too short to be read, it stays into the
    silence that follows, and if that is not enough it comes a little earlier. Gaps that would flicker are closed.

    Args:
        spoken: from the first word of each cue to the end of its last one, in order.
        chars: columns of each cue's text.
        rules: to be kept.

    Returns:
        As many stretches; none overlaps the next one, each lasts at least a millisecond.
    """
    starts_s = _part_starts([span.start_s for span in spoken], rules.min_s)
    ends_s: list[float] = []
    for index, (span, start_s) in enumerate(zip(spoken, starts_s, strict=True)):
        following_s = starts_s[index + 1] if index + 1 < len(spoken) else math.inf
        needed_s = math.ceil(rules.needed_s(chars[index]) * 1000) / 1000
        end_s = min(max(span.end_s, start_s + needed_s), start_s + rules.max_s, following_s)
        if end_s - start_s < needed_s:
            free_s = ends_s[-1] if ends_s else 0.0
            # Never later than it was, whatever has been rounded.
            starts_s[index] = min(start_s, max(start_s - rules.max_lead_s, free_s, end_s - needed_s))
        ends_s.append(end_s)
    _close_gaps(starts_s, ends_s, rules)
    return [Span(round(start_s, 3), round(end_s, 3)) for start_s, end_s in zip(starts_s, ends_s, strict=True)]


def _part_starts(starts_s: Sequence[float], step_s: float) -> list[float]:
    """Let cues that begin at one time begin one after the other: evenly up to the next time there is.

    Args:
        starts_s: never decreasing.
        step_s: no further apart than that.
    """
    parted: list[float] = []
    while len(parted) < len(starts_s):
        first = len(parted)
        last = bisect_right(starts_s, starts_s[first])
        room_s = starts_s[last] - starts_s[first] if last < len(starts_s) else math.inf
        step = min(step_s, room_s / (last - first))
        parted += [starts_s[first] + step * index for index in range(last - first)]
    for index, start_s in enumerate(parted):
        # What is left to do where there is no room at all.
        parted[index] = max(round(start_s, 3), round(parted[index - 1] + 0.001, 3)) if index else round(start_s, 3)
    return parted


def _close_gaps(starts_s: Sequence[float], ends_s: list[float], rules: CueRules) -> None:
    for index in range(len(ends_s) - 1):
        following_s = starts_s[index + 1]
        if 0 < following_s - ends_s[index] < rules.min_gap_s - TOLERANCE_S / 2:
            # A cue that may not stay longer goes a little earlier instead.
            stays = following_s - starts_s[index] <= rules.max_s
            ends_s[index] = following_s if stays else following_s - rules.min_gap_s
