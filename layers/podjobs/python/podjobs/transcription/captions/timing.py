"""Timing: word times that follow one another, and when each cue appears and disappears. Pure."""

import math
from bisect import bisect_right
from collections.abc import Sequence

from podjobs.contract.ports.speech import Word
from podjobs.transcription.captions.rules import TOLERANCE_S, CueRules
from podjobs.transcription.spans import TimeSpan


def order_times(words: Sequence[Word]) -> list[TimeSpan]:
    """Make the times of words follow one another.

    The longest run of words that begin one after the other is trusted; the others are spread between their neighbours.
    So one absurd time does not displace what comes after it.

    Args:
        words: in spoken order; their times may be equal, backwards or negative.

    Returns:
        As many spans, in whole milliseconds; none begins before the previous one, ends after the next one begins, or
        lies before 0.
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
        TimeSpan(start_s, min(max(round(word.end_s, 3), start_s), limit_s))
        for word, start_s, limit_s in zip(words, starts_s, limits_s, strict=True)
    ]


def _longest_run(numbers: Sequence[float]) -> list[int]:
    """The indices of the longest non-decreasing subsequence; patience sorting, O(n log n)."""
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


def time_cues(spoken: Sequence[TimeSpan], chars: Sequence[int], rules: CueRules) -> list[TimeSpan]:
    """Choose when cues appear and disappear.

    A cue appears with its first word and disappears with its last. If that is too short to read it calmly, it stays
    during the silence that follows; if that is not even enough to read it fast, it appears a little earlier. Gaps that
    would flicker are closed.

    Args:
        spoken: from the first word of each cue to the end of its last one, in order.
        chars: columns of each cue's text.
        rules: the rules to follow.

    Returns:
        As many spans; none overlaps the next one, and each lasts at least a millisecond.
    """
    starts_s = _separate_starts([span.start_s for span in spoken], rules.min_s)
    ends_s: list[float] = []
    for index, (span, start_s) in enumerate(zip(spoken, starts_s, strict=True)):
        following_s = starts_s[index + 1] if index + 1 < len(spoken) else math.inf
        needed_s = math.ceil(rules.needed_s(chars[index]) * 1000) / 1000
        calm_s = math.ceil(rules.calm_s(chars[index]) * 1000) / 1000
        end_s = min(max(span.end_s, start_s + calm_s), start_s + rules.max_s, following_s)
        if end_s - start_s < needed_s:
            free_s = ends_s[-1] if ends_s else 0.0
            # Never later than it was, whatever has been rounded.
            starts_s[index] = min(start_s, max(start_s - rules.max_lead_s, free_s, end_s - needed_s))
        ends_s.append(end_s)
    _close_gaps(starts_s, ends_s, rules)
    return [TimeSpan(round(start_s, 3), round(end_s, 3)) for start_s, end_s in zip(starts_s, ends_s, strict=True)]


def _separate_starts(starts_s: Sequence[float], step_s: float) -> list[float]:
    """Spread cues that begin at the same time evenly up to the next time.

    Args:
        starts_s: never decreasing.
        step_s: no further apart than this.
    """
    separate: list[float] = []
    while len(separate) < len(starts_s):
        first = len(separate)
        last = bisect_right(starts_s, starts_s[first])
        room_s = starts_s[last] - starts_s[first] if last < len(starts_s) else math.inf
        step = min(step_s, room_s / (last - first))
        separate += [starts_s[first] + step * index for index in range(last - first)]
    for index, start_s in enumerate(separate):
        # The last resort if there is no room at all.
        separate[index] = max(round(start_s, 3), round(separate[index - 1] + 0.001, 3)) if index else round(start_s, 3)
    return separate


def _close_gaps(starts_s: Sequence[float], ends_s: list[float], rules: CueRules) -> None:
    for index in range(len(ends_s) - 1):
        following_s = starts_s[index + 1]
        if 0 < following_s - ends_s[index] < rules.min_gap_s - TOLERANCE_S / 2:
            # A cue that may not stay longer disappears a little earlier instead.
            stays = following_s - starts_s[index] <= rules.max_s
            ends_s[index] = following_s if stays else following_s - rules.min_gap_s
