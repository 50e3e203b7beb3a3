"""Which part of a file a request wants. Pure.

Source: RFC 9110, sections 13.1.5 (If-Range), 13.1.2 (If-None-Match) and 14.2 (Range). Several parts at once are not
given: then the whole file is, as the RFC allows.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

_RANGE = re.compile(r"bytes=\s*(?P<first>\d*)\s*-\s*(?P<last>\d*)\s*", re.IGNORECASE)


class Part(NamedTuple):
    """The bytes from a position to another one, both of them included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """How many bytes."""
        return self.last - self.first + 1


class UnsatisfiableError(Exception):
    """The file has no such part."""


def choose_part(headers: Mapping[str, str], etag: str, size_bytes: int) -> Part | None:
    """Choose the part of a file that a request gets; None: all of it.

    Args:
        headers: of the request.
        etag: of the file, in quotes.
        size_bytes: of the file.

    Raises:
        UnsatisfiableError: it wants what is behind the end.
    """
    found = _RANGE.fullmatch(headers.get("Range", ""))
    if found is None or headers.get("If-Range", etag) != etag:
        return None
    first, last = found["first"], found["last"]
    if not first and not last:
        return None
    if not first:
        length = min(int(last), size_bytes)
        part = Part(size_bytes - length, size_bytes - 1)
    else:
        part = Part(int(first), min(int(last), size_bytes - 1) if last else size_bytes - 1)
        if last and int(last) < int(first):
            return None  # not valid, and so not there
    if part.length < 1:
        raise UnsatisfiableError
    return part


def is_unchanged(headers: Mapping[str, str], etag: str) -> bool:
    """Whether the client has the file already."""
    known = [one.strip().removeprefix("W/") for one in headers.get("If-None-Match", "").split(",")]
    return etag in known or known == ["*"]
