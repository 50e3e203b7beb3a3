"""Writes files so that a reader sees the old one or the new one, never half of one; says when any was written last."""

import glob
import os
import re
import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from podjobs.backends.permissions import let_all_read

UNFINISHED = re.compile(r"\..+\.[0-9a-f]{32}")
"""The name of a file until it is complete."""
COPY_BLOCK_BYTES = 8 << 20


class Content(Protocol):
    """What a file will contain."""

    def read(self, size: int, /) -> bytes:
        """Read on, at most so many bytes; none: this is the end."""


class Pieces:
    """The contents of several files, one after another."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Name the files; each is opened when the one before it has been read."""
        self._left = list(paths)
        self._open = ExitStack()
        self._file: BinaryIO | None = None

    def read(self, size: int, /) -> bytes:
        """Read on; see `Content`. Raises OSError."""
        while self._file or self._left:
            if self._file is None:
                self._file = self._open.enter_context(self._left.pop(0).open("rb"))
            if block := self._file.read(size):
                return block
            self._open.close()
            self._file = None
        return b""


def write_beside(path: Path, content: Content, check: Callable[[], None] = lambda: None) -> None:
    """Write a file under another name, then give it its own: it appears complete, or not at all.

    Args:
        path: the file.
        content: what it will contain.
        check: called right before it appears; raises an error if it must not.

    Raises OSError.
    """
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with beside.open("wb") as file:
            let_all_read(beside)
            while block := content.read(COPY_BLOCK_BYTES):
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        check()
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    # what killed writers left behind
    for leftover in path.parent.glob(glob.escape(f".{path.name}.") + "[0-9a-f]" * 32):
        leftover.unlink(missing_ok=True)


def changed_at(folder: Path) -> float | None:
    """When a file in a folder was last written, seconds since the epoch; None: the folder is gone. Raises OSError."""
    times: list[float] = []
    for place, _, names in os.walk(folder):
        for path in [Path(place, name) for name in names] or [Path(place)]:
            with suppress(FileNotFoundError):
                times.append(path.lstat().st_mtime)
    return max(times, default=None)
