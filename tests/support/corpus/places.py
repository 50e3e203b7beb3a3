"""Frames and chirps of a result, put beside those of its source. Pure."""

import itertools
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from support.corpus.watch import Shown
from support.fidelity.marks import MARK_EVERY

HELD_FROM_S = 0.85
"""A picture that is held is shown about once a second."""
ECHO_S = 0.2
"""A chirp so near to another one is the same, once more."""
OFFSET_S = 0.010
"""How far sound and picture may be further apart than in the source."""
LONGEST_DELAY_S = 0.1
"""Of a codec, until its first samples."""
NEAR_S = 0.3
"""A chirp this near to its place is out of place; further away it is another one."""
OTHER_COLOURS = 12.0
"""Mean difference of colours, of 255, from which a picture is another one; a generation of coding leaves some 3."""
NAMED = 3
"""How many of several faults of a kind are named."""


@dataclass(frozen=True)
class Allowed:
    """What is right although it is not as with plain ffmpeg."""

    slack_s: float = OFFSET_S
    """So far a chirp may be beside its place."""
    in_step: bool = False
    """The source was made so that each chirp begins with its frame: there it is right, too."""


STRICTLY = Allowed()


@dataclass
class Findings:
    """What differs, a clause each."""

    worse: list[str] = field(default_factory=list)
    better: list[str] = field(default_factory=list)
    shift_s: float | None = None
    """The result's clock minus the source's."""
    frames: int = 0
    """So many were found again."""
    chirps: int = 0
    """Likewise."""


def in_order(frames: Sequence[Shown]) -> tuple[list[Shown], int]:
    """The frames that a player shows: those whose times increase; and how many are hidden."""
    shown: list[Shown] = []
    for frame in frames:
        if not shown or frame.time_s > shown[-1].time_s:
            shown.append(frame)
    return shown, len(frames) - len(shown)


def thin_out(source: Sequence[Shown], made: Sequence[Shown], decimation: int) -> Sequence[Shown]:
    """The frames of a source that are to be expected if one of so many is kept, whichever.

    Args:
        source: what plain ffmpeg shows.
        made: what our file shows.
        decimation: of so many frames one is kept; of twice as many in a row, one must be there.
    """
    if decimation == 1:
        return source
    shown = {frame.number for frame in made}
    kept, since = [], 0
    for frame in source:
        since += 1
        if frame.number in shown or since >= 2 * decimation:
            kept.append(frame)
            since = 0
    return kept


def compare_frames(source: Sequence[Shown], made: Sequence[Shown], slack_s: float, odd: int = 0) -> Findings:
    """Put each frame of a result beside the same one of its source.

    Args:
        source: what plain ffmpeg shows, in the order of their times.
        made: what our file shows.
        slack_s: how far a frame may be beside its time.
        odd: so many may be missing, further beside their time, or shown twice.
    """
    findings = Findings()
    if not source:
        return findings
    if any(after.time_s <= before.time_s for before, after in itertools.pairwise(made)):
        findings.worse.append("times do not increase")
    pairs = _match(source, made)
    if not pairs:
        findings.worse.append(f"none of {len(source)} frames is there ({len(made)} others are)")
        return findings
    differences = [made[there].time_s - source[here].time_s for here, there in pairs]
    findings.shift_s, findings.frames = statistics.median_low(differences), len(pairs)
    _look_for_lost(source, {here for here, _ in pairs}, findings, odd)
    late_s = max(
        (abs(difference - findings.shift_s), here) for difference, (here, _) in zip(differences, pairs, strict=True)
    )
    moved = sum(abs(difference - findings.shift_s) > slack_s for difference in differences)
    if moved > odd:
        findings.worse.append(
            f"{moved} frames are beside their time, by up to {1000 * late_s[0]:.0f} ms"
            f" at {source[late_s[1]].time_s:.2f} s"
        )
    _look_for_damaged(source, made, pairs, findings)
    _look_at_others(source, made, {there for _, there in pairs}, findings, odd)
    return findings


def _match(source: Sequence[Shown], made: Sequence[Shown]) -> list[tuple[int, int]]:
    """Pairs of places: of one number and in the same order; then, of those that cannot be read, at one time."""
    left, right = _runs(source, -1), _runs(made, -1_000_000)
    blocks = SequenceMatcher(None, [key for key, _ in left], [key for key, _ in right], autojunk=False)
    runs = [
        (left[block.a + step][1], right[block.b + step][1])
        for block in blocks.get_matching_blocks()
        for step in range(block.size)
    ]
    if not runs:
        return []
    shift_s = statistics.median_low(made[there[0]].time_s - source[here[0]].time_s for here, there in runs)

    def beside_s(here: int, there: int) -> float:
        return abs(made[there].time_s - shift_s - source[here].time_s)

    pairs = [pair for here, there in runs for pair in _pair(here, there, beside_s)]
    known, used = {here for here, _ in pairs}, {there for _, there in pairs}
    # what cannot be read on one side may be readable on the other
    left_over = [place for place in range(len(source)) if place not in known]
    free = [place for place in range(len(made)) if place not in used]
    pairs += [
        (here, there)
        for here, there in _pair(left_over, free, beside_s, within_s=OFFSET_S)
        if None in {source[here].number, made[there].number}
    ]
    return sorted(pairs)


def _runs(frames: Sequence[Shown], unreadable: int) -> list[tuple[int, list[int]]]:
    """Numbers, each with the places where it is shown again and again: a held picture is one run."""
    keys = [unreadable - place if frame.number is None else frame.number for place, frame in enumerate(frames)]
    return [(key, list(places)) for key, places in itertools.groupby(range(len(keys)), keys.__getitem__)]


def _pair(
    here: Sequence[int],
    there: Sequence[int],
    beside_s: Callable[[int, int], float],
    within_s: float = float("inf"),
) -> list[tuple[int, int]]:
    """Give each place the nearest that is left."""
    free, pairs = list(there), []
    for one in here:
        distances = {other: beside_s(one, other) for other in free}
        nearest = min(distances, key=distances.__getitem__, default=None)
        if nearest is not None and distances[nearest] <= within_s:
            pairs.append((one, nearest))
            free.remove(nearest)
    return pairs


def _look_for_lost(source: Sequence[Shown], matched: set[int], findings: Findings, odd: int) -> None:
    lost = [place for place, frame in enumerate(source) if place not in matched and frame.number is not None]
    if len(lost) > odd:
        places = ", ".join(f"{source[place].time_s:.2f} s" for place in lost[:NAMED])
        findings.worse.append(
            f"{len(lost)} of {len(source)} frames are missing ({places}{' …' if lost[NAMED:] else ''})"
        )


def _look_for_damaged(
    source: Sequence[Shown], made: Sequence[Shown], pairs: Sequence[tuple[int, int]], findings: Findings
) -> None:
    """Frames at their places that do not show what they show in the source."""
    damaged = [made[there] for here, there in pairs if source[here].number is not None and made[there].number is None]
    if damaged:
        findings.worse.append(f"{len(damaged)} frames are damaged (the first at {damaged[0].time_s:.2f} s)")
    differences = [(_difference(source[here].look, made[there].look), made[there].time_s) for here, there in pairs]
    others = [one for one in differences if one[0] > OTHER_COLOURS]
    if others:
        most, _ = max(others)
        findings.worse.append(
            f"{len(others)} frames have other colours, by up to {most:.0f} of 255 (the first at {others[0][1]:.2f} s)"
        )


def _difference(look: bytes, other: bytes) -> float:
    """How far colours are from one another, of 255 at most; 0 if one is not known."""
    if not look or len(look) != len(other):
        return 0.0
    return statistics.fmean(abs(a - b) for a, b in zip(look, other, strict=True))


def _look_at_others(
    source: Sequence[Shown], made: Sequence[Shown], matched: set[int], findings: Findings, odd: int
) -> None:
    """Frames that the source does not show there: held ones fill a gap, others are found again, or are shown twice."""
    known = {frame.number for frame in source}
    held = again = found = unreadable = 0
    for place, frame in enumerate(made):
        if place in matched:
            continue
        neighbours = [made[near] for near in (place - 1, place + 1) if 0 <= near < len(made)]
        if frame.number is None:
            unreadable += 1
        elif any(frame.number == near.number for near in neighbours) and all(
            abs(near.time_s - frame.time_s) >= HELD_FROM_S for near in neighbours[:1] if place
        ):
            held += 1
        elif frame.number in known:
            again += 1
        else:
            found += 1
    if again > odd:
        findings.worse.append(f"{again} frames are shown twice")
    if unreadable:
        findings.better.append(f"{unreadable} more damaged frames are shown")
    if found:
        findings.better.append(f"{found} frames that plain ffmpeg drops are shown")
    if held:
        findings.better.append(f"a picture is held where plain ffmpeg shows none ({held} s)")


def compare_chirps(
    source_s: Sequence[float],
    made_s: Sequence[float],
    shift_s: float,
    marks_s: Sequence[float] | None,
    others_s: Sequence[float] = (),
    allowed: Allowed = STRICTLY,
) -> Findings:
    """Put each chirp of a result beside the same one of its source.

    Args:
        source_s: where they begin.
        made_s: likewise.
        shift_s: the result's clock minus the source's, as the pictures say.
        marks_s: where the result shows frames that have a chirp. None: there are no pictures.
        others_s: where there are chirps that are not expected, but not wrong.
        allowed: what else is right.
    """
    findings = Findings(shift_s=shift_s)
    moved_s = [time_s + shift_s for time_s in source_s]
    heard = dict(_pair_chirps(moved_s, made_s))
    if lost := [time_s for place, time_s in enumerate(source_s) if place not in heard]:
        findings.worse.append(f"{len(lost)} of {len(source_s)} chirps are missing (the first at {lost[0]:.2f} s)")
    apart = {there: made_s[there] - moved_s[here] for here, there in heard.items()}
    far = {there: apart_s for there, apart_s in apart.items() if abs(apart_s) > allowed.slack_s}
    right = {there for there in far if allowed.in_step and _distance_s(made_s[there], marks_s or ()) <= OFFSET_S}
    if wrong := [apart_s for there, apart_s in far.items() if there not in right]:
        findings.worse.append(f"sound is up to {1000 * max(wrong, key=abs):+.0f} ms beside its place")
    if right:
        findings.better.append(f"{len(right)} chirps are nearer to their frames than with plain ffmpeg")
    findings.chirps = len(heard)
    used = set(heard.values())
    left_s = [time_s for place, time_s in enumerate(made_s) if place not in used]
    left_s = [one for one in left_s if _distance_s(one - shift_s, others_s) > OFFSET_S]
    _look_at_other_chirps(left_s, [made_s[place] for place in used], marks_s, findings)
    return findings


def _distance_s(time_s: float, others_s: Sequence[float]) -> float:
    return min((abs(time_s - other_s) for other_s in others_s), default=float("inf"))


def shift_of_chirps(source_s: Sequence[float], made_s: Sequence[float], expected_s: float) -> float:
    """How much later all of the chirps of a result begin: where there is no picture, a codec's delay does not matter.

    Args:
        source_s: where they begin.
        made_s: likewise.
        expected_s: what is to be expected; returned if it is more than a delay.
    """
    moved_s = [time_s + expected_s for time_s in source_s]
    differences_s = [made_s[there] - source_s[here] for here, there in _pair_chirps(moved_s, made_s)]
    shift_s = statistics.median_low(differences_s) if differences_s else expected_s
    return shift_s if abs(shift_s - expected_s) <= LONGEST_DELAY_S else expected_s


def _pair_chirps(moved_s: Sequence[float], made_s: Sequence[float]) -> list[tuple[int, int]]:
    """Give each place the nearest that is left, if it is near."""
    free, pairs = set(range(len(made_s))), []
    for here, time_s in enumerate(moved_s):
        nearest = min(free, key=lambda place: abs(made_s[place] - time_s), default=None)
        if nearest is not None and abs(made_s[nearest] - time_s) <= NEAR_S:
            pairs.append((here, nearest))
            free.remove(nearest)
    return pairs


def _look_at_other_chirps(
    left_s: Sequence[float], heard_s: Sequence[float], marks_s: Sequence[float] | None, findings: Findings
) -> None:
    """Chirps that the source does not sound there: those of frames that are shown are found again."""
    twice = [one for one in left_s if _distance_s(one, heard_s) < ECHO_S]
    if twice:
        findings.worse.append(f"{len(twice)} chirps are heard twice (the first at {twice[0]:.2f} s)")
    left_s = [one for one in left_s if one not in twice]
    stray = [one for one in left_s if _distance_s(one, marks_s or ()) >= NEAR_S]
    if stray:
        findings.worse.append(f"{len(stray)} chirps are heard where there are none (the first at {stray[0]:.2f} s)")
    # the time line begins with the picture: of a chirp there, plain ffmpeg lets hear more, or less
    more = [one for one in left_s if one not in stray and marks_s and one - marks_s[0] > NEAR_S]
    if more:
        findings.better.append(f"{len(more)} chirps that plain ffmpeg drops are heard")


def marks_of(frames: Sequence[Shown]) -> list[float]:
    """Where frames that have a chirp are shown."""
    return [frame.time_s for frame in frames if frame.number is not None and frame.number % MARK_EVERY == 0]
