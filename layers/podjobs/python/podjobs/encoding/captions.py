"""Moves WebVTT captions to another time line. Pure."""

from datetime import timedelta

import webvtt

from podjobs.media.timestamps import timestamp


def shift_captions(content: str, origin_s: float, begin_s: float, end_s: float | None) -> tuple[str, int]:
    """Move captions to another time line; those outside it are left out.

    Args:
        content: WebVTT.
        origin_s: where the new time line begins on the old one.
        begin_s: where the first caption may begin, on the new time line.
        end_s: where the last one must have ended; None: no limit.

    Returns:
        WebVTT, and how many captions it has.
    """
    shifted = webvtt.WebVTT()
    for caption in webvtt.from_string(content).captions:
        from_s, to_s = (_seconds(time) - origin_s for time in (caption.start_time, caption.end_time))
        from_s, to_s = max(begin_s, from_s), to_s if end_s is None else min(to_s, end_s)
        if to_s > from_s:
            shifted.captions.append(webvtt.Caption(timestamp(from_s), timestamp(to_s), caption.lines))
    return str(shifted.content), len(shifted.captions)


def _seconds(time: webvtt.models.Timestamp) -> float:
    return float(timedelta(**vars(time)) / timedelta(seconds=1))
