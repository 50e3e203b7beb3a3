"""The header `Range` of HTTP requests, as ffmpeg sends it. Pure. Source: RFC 9110, 14.2."""

import re

LONGEST_DIGITS = 19
"""Of an offset: a file has less than 2^63 bytes."""
_RANGE = re.compile(rf"bytes=(\d{{0,{LONGEST_DIGITS}}})-(\d{{0,{LONGEST_DIGITS}}})", re.ASCII)


class UnsatisfiableRangeError(ValueError):
    """The range begins after the end."""


def read_range(header: str | None, size_bytes: int) -> tuple[int, int] | None:
    """Read which bytes a request wants.

    Args:
        header: its `Range`; None: it has none.
        size_bytes: of the whole.

    Returns:
        Offsets of the first and the last byte; None: everything is wanted, or the header is to be ignored as it is not
        understood.

    Raises:
        UnsatisfiableRangeError: there are no such bytes.
    """
    found = _RANGE.fullmatch(header or "")
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:  # the last so many
        first, last = max(0, size_bytes - int(found[2])), size_bytes - 1
    else:
        first, last = int(found[1]), min(int(found[2] or size_bytes), size_bytes - 1)
        if found[2] and int(found[2]) < first:
            return None
    if first > last:
        raise UnsatisfiableRangeError
    return first, last
