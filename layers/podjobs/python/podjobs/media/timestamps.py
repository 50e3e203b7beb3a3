"""Times in WebVTT's notation. Pure."""

from datetime import timedelta


def timestamp(time_s: float) -> str:
    """Write a time in WebVTT's notation: `01:02:03.456`."""
    milliseconds = round(timedelta(seconds=time_s) / timedelta(milliseconds=1))
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}.{milliseconds:03d}"
