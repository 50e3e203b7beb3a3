"""Makes sure that decoding shows a chunk's first frames: it may have to begin earlier than at the last key frame.

After some packets that are marked as key frames nothing can be shown for a while: a picture that is refreshed little by
little, a recovery point, a flag that is wrong. What is missing is found by comparing the source's packets with the
first encoded frame; where to begin instead, by decoding the little before the chunk.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from podjobs.contract.commands import Access
from podjobs.contract.errors import CommandStoppedError, PermanentError
from podjobs.encoding.boundaries import SHORTEST_PREROLL_S, choose_preroll_s
from podjobs.encoding.frames import SourceCut
from podjobs.encoding.picture import GRID_TOLERANCE, JITTER_S
from podjobs.encoding.recipe import Chunk
from podjobs.encoding.workspace import Workspace
from podjobs.media.commands import input_argv

LONGEST_LEAD_S = 600
"""Decoding does not begin earlier than that: some recorders write one key frame every ten minutes."""
LOOK_TIMEOUT_S = 60
CERTAIN_GAP_S = 0.05
"""A chunk whose first frame comes sooner than this, and than one regular frame, lacks none."""
FRAME_TOLERANCE = 0.01
"""Rates are rounded: a chunk of 239.998 frames has 240."""
EMPTY_CHUNK_S = 60
"""How far a chunk without any frame and without an end is looked at."""
CHECKING_CODECS = frozenset({"h264", "vp8", "vp9", "av1"})
"""Their decoders show nothing until the picture is right; others show grey or damaged pictures meanwhile."""


class Seen(NamedTuple):
    """What a part of a source contains and shows; times on the source's clock."""

    packets_s: tuple[float, ...]
    """In the order of the file, from the packet on where reading began."""
    frames_s: tuple[float, ...] = ()
    intra_s: tuple[float, ...] = ()
    """Of the frames, those that are coded without others."""


class Lead(NamedTuple):
    """A place to begin decoding, and what it shows of a chunk's beginning."""

    preroll_s: float
    shown: int
    """How many of the frames in question."""
    is_settled: bool
    """Whether the picture is right before the chunk begins: no earlier place would show more."""


def has_regular_number(cut: SourceCut, chunk: Chunk, frames: int) -> bool:
    """Whether a chunk has exactly as many frames as its length asks for: then none is missing, and no look is needed.

    Args:
        cut: the source.
        chunk: the part that was encoded.
        frames: how many were encoded.
    """
    if chunk.end_s is None or not cut.video.frame_rate:
        return False
    regular = (chunk.end_s - chunk.start_s) * cut.video.frame_rate / cut.decimation
    return frames == math.ceil(regular - FRAME_TOLERANCE)


def may_lack_frames(cut: SourceCut, chunk: Chunk, first_s: float | None) -> bool:
    """Whether frames could be missing between a chunk's beginning and its first frame.

    Args:
        cut: the source.
        chunk: the part that was encoded.
        first_s: its first frame, on the output's time line; None: it has none.
    """
    if not cut.begins_within(chunk):
        return False
    interval_s = cut.decimation / cut.video.frame_rate if cut.video.frame_rate else 0.0
    return first_s is None or first_s - chunk.start_s > min(CERTAIN_GAP_S, interval_s) + JITTER_S


def first_frame_place_s(cut: SourceCut, chunk: Chunk, first_s: float | None) -> float:
    """Where a chunk's first frame lies on the source's clock; if there is none, where it ends.

    Args:
        cut: the source.
        chunk: the part that was encoded.
        first_s: its first frame, on the output's time line.
    """
    if first_s is None:
        first_s = chunk.start_s + EMPTY_CHUNK_S if chunk.end_s is None else chunk.end_s
    return cut.shift_s + first_s


def find_missing_frames(cut: SourceCut, chunk: Chunk, until_s: float, work: Workspace) -> int:
    """Count the packets between a chunk's beginning and its first frame, without decoding them.

    Args:
        cut: the source.
        chunk: the part that was encoded.
        until_s: its first frame, on the source's clock.
        work: runs ffprobe.
    """
    seen = _look(cut, chunk, until_s, work, decode=False)
    if not seen.packets_s and _further_s(cut, chunk, seen) is not None:
        seen = _look(replace(cut, preroll_s=math.inf), chunk, until_s, work, decode=False)
    return len(_wanted(seen.packets_s, cut, chunk, until_s))


def find_lead(cut: SourceCut, chunk: Chunk, until_s: float, work: Workspace) -> Lead:
    """Find where decoding must begin so that a chunk's first frames are shown and right.

    Begins where the cut says, then at the key frame before that, then at twice the distance, and so on.

    Args:
        cut: the source.
        chunk: the part to encode.
        until_s: up to which time, on the source's clock, frames are in question.
        work: runs ffprobe.

    Returns:
        The first place after which the picture is right; else the one that shows the most.
    """
    best = Lead(cut.preroll_s, 0, is_settled=False)
    attempt = cut
    while True:
        seen = _look(attempt, chunk, until_s, work, decode=True)
        lead = judge_lead(seen, attempt, chunk, until_s)
        if lead.is_settled:
            return lead
        best = max(best, lead, key=lambda one: one.shown)
        further_s = _further_s(attempt, chunk, seen)
        if further_s is None:
            return best
        attempt = replace(cut, preroll_s=further_s)


def _further_s(attempt: SourceCut, chunk: Chunk, seen: Seen) -> float | None:
    """How far before a chunk decoding must begin in the next attempt; None: this was the last one."""
    from_s, start_s = attempt.from_s(chunk), attempt.facts.start_s
    reach_s = min(attempt.preroll_s, from_s - start_s)
    if math.isinf(attempt.preroll_s):
        return None
    if not seen.packets_s or reach_s >= from_s - start_s:
        # a file whose index knows no key frame there cannot be seeked there either
        return math.inf if from_s - start_s <= LONGEST_LEAD_S else None
    # from the key frame that was found, not from the place that was asked for
    further_s = max(2 * reach_s, from_s - seen.packets_s[0] + SHORTEST_PREROLL_S)
    return further_s if further_s <= LONGEST_LEAD_S else None


def judge_lead(seen: Seen, cut: SourceCut, chunk: Chunk, until_s: float) -> Lead:
    """Judge a place to begin decoding by what is seen from there on. Pure.

    Args:
        seen: packets and frames.
        cut: the source.
        chunk: the part to encode.
        until_s: as for `find_lead`.
    """
    right_s = seen.frames_s if cut.video.codec in CHECKING_CODECS else seen.intra_s
    is_settled = any(time_s < cut.from_s(chunk) - JITTER_S for time_s in right_s)
    return Lead(cut.preroll_s, len(_wanted(seen.frames_s, cut, chunk, until_s)), is_settled)


def kept_times(times_s: Iterable[float], frame_rate: float, decimation: int) -> list[float]:
    """The times of the frames that decimation leaves, in order; frames of the same time count once. Pure.

    Args:
        times_s: of the source's frames, in any order.
        frame_rate: of the source.
        decimation: one frame of so many is kept.
    """
    ordered = sorted(set(times_s))
    if decimation == 1 or not ordered:
        return ordered
    rate = round(frame_rate / decimation, 6)
    places = [math.floor(time_s * rate + GRID_TOLERANCE) for time_s in ordered]
    later = [time_s for time_s, (before, now) in zip(ordered[1:], pairwise(places), strict=True) if now > before]
    return [ordered[0], *later]


def read_seen(output: str) -> Seen:
    """Read ffprobe's lines about packets and frames. Pure.

    Args:
        output: in its compact format, with names.
    """
    packets_s: list[float] = []
    frames_s: list[float] = []
    intra_s: list[float] = []
    for line in output.splitlines():
        section, *pairs = line.split("|")
        entry = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
        time_s = _seconds(entry.get("pts_time") or entry.get("best_effort_timestamp_time") or "")
        if time_s is None:
            continue
        if section == "frame":
            frames_s.append(time_s)
            if entry.get("pict_type") == "I":
                intra_s.append(time_s)
        # D: hidden by an edit list, or only there to be decoded
        elif section == "packet" and "D" not in entry.get("flags", ""):
            packets_s.append(time_s)
    return Seen(tuple(packets_s), tuple(frames_s), tuple(intra_s))


def _wanted(times_s: Sequence[float], cut: SourceCut, chunk: Chunk, until_s: float) -> list[float]:
    """Those of the times that belong to a chunk and lie before its first frame."""
    kept = kept_times(times_s, cut.video.frame_rate, cut.decimation)
    return [time_s for time_s in kept if cut.from_s(chunk) - JITTER_S / 2 <= time_s < until_s - JITTER_S]


def _look(cut: SourceCut, chunk: Chunk, until_s: float, work: Workspace, *, decode: bool) -> Seen:
    """Read, and decode if wanted, from where a chunk's decoding begins up to a time; nothing if that does not work."""
    seek_s = cut.seek_s(chunk)
    begin = "" if seek_s is None else f"{seek_s:.6f}"
    # frames are stored in the order of decoding: some that belong before the end come after it
    end_s = until_s + choose_preroll_s(cut.video)
    argv = [work.settings.ffprobe_cmd, "-v", "quiet", "-select_streams", str(cut.video.index)]
    argv += ["-read_intervals", f"{begin}%{end_s:.6f}", "-print_format", "compact"]
    entries = "packet=pts_time,flags" + (":frame=best_effort_timestamp_time,pict_type" if decode else "")
    argv += ["-show_entries", entries, *input_argv(cut.source, work.settings)]
    try:
        output = work.tools.run(argv, timeout_s=LOOK_TIMEOUT_S, access=Access((cut.source,)))
    except (PermanentError, CommandStoppedError):
        return Seen(())
    return read_seen(output.decode("ascii", "replace"))


def _seconds(field: str) -> float | None:
    return float(field) if field.replace(".", "", 1).lstrip("-").isdigit() else None
