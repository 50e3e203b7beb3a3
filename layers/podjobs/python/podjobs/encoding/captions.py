"""WebVTT: times written and moved. Pure."""

from datetime import timedelta

import webvtt


def timestamp(time_s: float) -> str:
    """Write a time as WebVTT does: `01:02:03.456`."""
    milliseconds = round(timedelta(seconds=time_s) / timedelta(milliseconds=1))
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}.{milliseconds:03d}"


def shift_captions(content: str, origin_s: float, length_s: float | None) -> tuple[str, int]:
    """Move captions to another time line; what lies outside is left out.

    Args:
        content: WebVTT.
        origin_s: where the new time line begins on the old one.
        length_s: of the new time line; None: to the end.

    Returns:
        WebVTT, and the number of its captions.
    """
    shifted = webvtt.WebVTT()
    for caption in webvtt.from_string(content).captions:
        begin_s, end_s = (_seconds(time) - origin_s for time in (caption.start_time, caption.end_time))
        begin_s, end_s = max(0.0, begin_s), end_s if length_s is None else min(end_s, length_s)
        if end_s > begin_s:
            shifted.captions.append(webvtt.Caption(timestamp(begin_s), timestamp(end_s), caption.lines))
    return str(shifted.content), len(shifted.captions)


def _seconds(time: webvtt.models.Timestamp) -> float:
    return float(timedelta(**vars(time)) / timedelta(seconds=1))
