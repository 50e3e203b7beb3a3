"""Files on web servers that are not ours: they may be slow, break off, lie, or lead somewhere else."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class RemoteContent:
    """What a server sends of a file."""

    total_bytes: int | None
    """Of the whole file; None: the server does not say it, but marks the end."""
    version: str
    """What tells the file's present content from any other, as its ETag; empty: the server does not say it."""
    start: int
    """The position from which on it is sent; 0 although a later one was asked for: the server sends whole files only.
    """
    blocks: Iterator[bytes]
    """The content from there on. Ends with the file; raises NotNowError if it breaks off, or the time is over."""


class Web(Protocol):
    """Fetches files from web servers."""

    def open(self, url: str, start: int, until_s: float) -> AbstractContextManager[RemoteContent]:
        """Ask for a file.

        Args:
            url: of the file; redirects are followed.
            start: the position from which on it is wanted, in bytes.
            until_s: when the whole exchange ends at the latest, on the monotonic clock.

        Raises:
            PermanentError: there is no such file, or its server must not be reached, or is of no use; no retry helps.
            NotNowError: the server cannot be reached, is overloaded, or too slow.
        """
