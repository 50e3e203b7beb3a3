"""Chooses where chunks begin: on the grid of the segments, and soon after a key frame of the source.

A chunk that begins in the middle of a GOP wastes the decoding of all frames before it. Sources with a key frame every
ten seconds are common, and so are chunks of eight.
"""

import math
from collections.abc import Iterable, Sequence

from podjobs.contract.commands import Access
from podjobs.contract.errors import CommandStoppedError, PermanentError
from podjobs.contract.media_paths import Key
from podjobs.encoding.workspace import Workspace
from podjobs.media.commands import PACKET_TIMES, input_argv
from podjobs.media.facts import VideoFacts

INDEX_TIMEOUT_S = 15
"""A source without an index is read from its beginning at every seek; chunks are then placed without key frames."""
REORDERED_FRAMES = 8
SHORTEST_PREROLL_S = 0.5
HELD_FACTOR = 25
"""A chunk of a held picture is so many times longer than others: it has one frame in a second."""
LONG_FRAME_S = 0.1
"""A cut may begin without a frame for this long: players show the first frame meanwhile."""


def choose_preroll_s(video: VideoFacts) -> float:
    """Choose how far before a chunk to seek: further than frames are reordered, since seeks use decoding times.

    Args:
        video: the source; its frame rate counts.
    """
    return max(SHORTEST_PREROLL_S, REORDERED_FRAMES / video.frame_rate if video.frame_rate else 0.0)


def choose_chunk_s(duration_s: float, shortest_s: int, longest_s: int, aim: int, grid_s: int) -> int:
    """Choose the length of the chunks: short videos get short ones, so that more of them run in parallel.

    Args:
        duration_s: length of the output.
        shortest_s: lower bound.
        longest_s: upper bound.
        aim: target number of chunks, within the bounds.
        grid_s: length of a segment; chunks are whole numbers of segments.

    Returns:
        Seconds, at least one segment.
    """
    wanted_s = min(max(duration_s / aim, shortest_s), longest_s)
    return max(grid_s, math.ceil(wanted_s / grid_s) * grid_s)


def place_boundaries(duration_s: float | None, chunk_s: int, preferred_s: Iterable[float]) -> tuple[float, ...]:
    """Choose where the chunks of a time line begin.

    Each begins at the last preferred time within a chunk's length after the previous one, else at the first within two,
    else after exactly one. A remainder shorter than half a chunk belongs to the last one.

    Args:
        duration_s: length of the time line; None: one chunk.
        chunk_s: wanted length.
        preferred_s: times on the grid at which a chunk can begin without much wasted decoding, in any order.

    Returns:
        The beginnings, 0 first.
    """
    starts = [0.0]
    if duration_s is None:
        return (0.0,)
    preferred = sorted(set(preferred_s))
    while True:
        start_s = starts[-1]
        near = [time_s for time_s in preferred if start_s + chunk_s / 2 <= time_s <= start_s + chunk_s]
        far = [time_s for time_s in preferred if start_s + chunk_s < time_s <= start_s + 2 * chunk_s]
        next_s = near[-1] if near else far[0] if far else start_s + chunk_s
        if duration_s - next_s < chunk_s / 2:
            return tuple(starts)
        starts.append(float(next_s))


def place_around_holds(
    duration_s: float, chunk_s: int, preferred_s: Iterable[float], moving_s: tuple[float, float], grid_s: int
) -> tuple[float, ...]:
    """Choose where chunks begin if the first or the last frame is held for long: holds cost little, so they get few.

    Args:
        duration_s: length of the time line.
        chunk_s: wanted length where the picture moves.
        preferred_s: as for `place_boundaries`.
        moving_s: where the picture's own frames begin and end on the time line.
        grid_s: length of a segment.

    Returns:
        The beginnings, 0 first.
    """
    held_s = chunk_s * HELD_FACTOR
    first_s = max(0.0, math.floor(moving_s[0] / grid_s) * grid_s)
    last_s = max(first_s, math.ceil(moving_s[1] / grid_s) * grid_s)
    first_s = 0.0 if first_s < chunk_s else first_s
    last_s = duration_s if duration_s - last_s < chunk_s else last_s
    parts = [
        (0.0, place_boundaries(first_s, held_s, ())),
        (first_s, place_boundaries(last_s - first_s, chunk_s, [time_s - first_s for time_s in preferred_s])),
        (last_s, place_boundaries(duration_s - last_s, held_s, ())),
    ]
    starts_s = {begin_s + start_s for begin_s, starts_s in parts for start_s in starts_s}
    return tuple(sorted(start_s for start_s in starts_s if start_s < duration_s)) or (0.0,)


def preferred_starts(key_frames_s: Sequence[float], preroll_s: float, grid_s: int) -> set[float]:
    """For each key frame, the first time on the grid whose preroll reaches back to it.

    Args:
        key_frames_s: on the output's time line.
        preroll_s: how far before a chunk to seek.
        grid_s: length of a segment.
    """
    return {float(math.ceil((time_s + preroll_s) / grid_s) * grid_s) for time_s in key_frames_s}


def find_key_frames(source: Key, stream: int, times_s: Sequence[float], work: Workspace) -> list[float]:
    """Look up the last key frame before each of these times in the source's index, without reading the whole file.

    Args:
        source: the file.
        stream: index of the video.
        times_s: in the file's own clock.
        work: runs ffprobe.

    Returns:
        Presentation times in the file's own clock; none if the source cannot be seeked quickly.
    """
    if not times_s:
        return []
    # %+#1: one packet from each time on; a seek goes back to the key frame before it
    return _read_pts(source, stream, ",".join(f"{time_s:.6f}%+#1" for time_s in times_s), work)


def find_first_frame_pts(source: Key, stream: int, cut_s: tuple[float, float | None], work: Workspace) -> float | None:
    """Look up the frame that is on screen when a cut begins, if no frame begins there or soon after.

    Slides and screen recordings may show a frame for minutes: what is visible at the cut began long before it.

    Args:
        source: the file.
        stream: index of the video.
        cut_s: where the cut begins and ends, in the file's own clock; None as the end: with the source.
        work: runs ffprobe.

    Returns:
        The frame's time in the file's own clock; None when the cut begins with a frame of its own.
    """
    origin_s, end_s = cut_s
    times_s = _read_pts(source, stream, f"{origin_s:.6f}%{origin_s + 1:.6f}", work)
    before_s = max((time_s for time_s in times_s if time_s < origin_s), default=None)
    next_s = min((time_s for time_s in times_s if time_s >= origin_s), default=math.inf)
    is_long = next_s - origin_s > LONG_FRAME_S or (end_s is not None and next_s >= end_s)
    return before_s if is_long else None


def _read_pts(source: Key, stream: int, intervals: str, work: Workspace) -> list[float]:
    """Times of the frames in ffprobe's intervals; none if the source cannot be seeked quickly."""
    argv = [work.settings.ffprobe_cmd, "-v", "error", "-select_streams", str(stream), "-read_intervals", intervals]
    argv += PACKET_TIMES
    try:
        file = work.storage.input_of(source)
        argv += input_argv(file, work.settings)
        output = work.tools.run(argv, timeout_s=INDEX_TIMEOUT_S, access=Access((file,)))
    except (PermanentError, CommandStoppedError):
        return []
    fields = [line.split("|")[0] for line in output.decode("ascii", "replace").splitlines()]
    return [float(field) for field in fields if field.replace(".", "", 1).lstrip("-").isdigit()]
