"""Moves the captions that ffmpeg writes as WebVTT to another time line. Pure.

One pass over the lines, as files made to keep us busy have hundreds of thousands of captions.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from podjobs.media.timestamps import timestamp

CAPTIONS = 100_000
"""The most captions of a file: three a second for nine hours."""
LINES = 5 * CAPTIONS
"""The most lines of a file."""
CAPTION_CHARS = 4000
"""The most characters of a caption: two screens full of text."""
_TIMES = re.compile(r"(?:(\d{1,9}):)?(\d\d):(\d\d)\.(\d{3})[ \t]+-->[ \t]+(?:(\d{1,9}):)?(\d\d):(\d\d)\.(\d{3})(?!\d)")
_UNREADABLE_TIMES = re.compile(r"[\d:.-]+[ \t]+-->")
"""As ffmpeg writes times before the beginning of the file's clock."""
_ARROW, _ESCAPED_ARROW = "-->", "--&gt;"
"""WebVTT does not allow an arrow within text."""


class Caption(NamedTuple):
    """A caption."""

    start_s: float
    end_s: float
    lines: list[str]


class ShiftedCaptions(NamedTuple):
    """WebVTT on the new time line, and what was left out because it is too much."""

    content: str
    kept: int
    cut: int = 0
    """Captions of which only the beginning is left."""
    full_at_s: float | None = None
    """Where, on the new time line, there were too many of them; None: there were not."""


def shift_captions(content: str, origin_s: float, begin_s: float, end_s: float | None) -> ShiftedCaptions:
    """Move captions to another time line; those outside it are left out.

    Args:
        content: WebVTT, as ffmpeg writes it.
        origin_s: where the new time line begins on the old one.
        begin_s: where the first caption may begin, on the new time line.
        end_s: where the last one must have ended; None: no limit.
    """
    written, count, cut = ["WEBVTT\n"], 0, 0
    for caption in _read_captions(content.split("\n")):
        from_s, to_s = max(begin_s, caption.start_s - origin_s), caption.end_s - origin_s
        to_s = to_s if end_s is None else min(to_s, end_s)
        if to_s <= from_s or not caption.lines:
            continue
        if count == CAPTIONS:
            return ShiftedCaptions("\n".join(written), count, cut, full_at_s=from_s)
        text = "\n".join(caption.lines).replace(_ARROW, _ESCAPED_ARROW)
        cut += len(text) > CAPTION_CHARS
        written.append(f"{timestamp(from_s)} --> {timestamp(to_s)}\n{text[:CAPTION_CHARS]}\n")
        count += 1
    return ShiftedCaptions("\n".join(written), count, cut)


def _read_captions(lines: Iterable[str]) -> Iterator[Caption]:
    """Read the captions.

    ffmpeg writes an empty line, the times, and the text as it is: further empty lines belong to the text, which WebVTT
    does not allow, so they are left out.
    """
    caption: Caption | None = None
    after_empty_line = False
    for line in lines:
        if after_empty_line and (times := _TIMES.match(line)):
            if caption:
                yield caption
            caption = Caption(_seconds(*times.groups()[:4]), _seconds(*times.groups()[4:]), [])
        elif after_empty_line and _UNREADABLE_TIMES.match(line):
            if caption:
                yield caption
            caption = None
        elif caption and line.strip():
            caption.lines.append(line)
        after_empty_line = not line
    if caption:
        yield caption


def _seconds(hours: str | None, minutes: str, seconds: str, milliseconds: str) -> float:
    return 3600 * int(hours or 0) + 60 * int(minutes) + int(seconds) + int(milliseconds) / 1000
