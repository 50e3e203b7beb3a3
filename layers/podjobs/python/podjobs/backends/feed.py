"""Feeds files to a command's standard input, one after another, while it reads.

Each file is opened when the command has taken the one before it, and closed as soon as it is read: a stream from object
storage would be cut by its server if it were opened long before it is needed.

A command that has had enough closes its end of the pipe, which is no error here: its exit status explains why. But if a
file cannot be opened or read, the command has not got everything, and must not believe that it has: it is killed.
"""

import contextlib
import threading
from collections.abc import Callable, Iterable
from typing import IO, BinaryIO, Self

from podjobs.contract.errors import RetryableError, StepError
from podjobs.contract.redaction import redact

FEED_BLOCK_BYTES = 1 << 20


class Feeder:
    """The files for one command."""

    def __init__(self, files: Iterable[BinaryIO]) -> None:
        """Open the first file, before the command is started: most that are missing are noticed here.

        Args:
            files: opened one after another as they are taken from it.

        Raises:
            StepError: as taking it says; RetryableError if it cannot be opened.
        """
        self._files = iter(files)
        self._present = self._open_next()
        self.is_empty = self._present is None
        self._thread: threading.Thread | None = None
        self.error: Exception | None = None
        """Why not everything was fed; the command was killed for it. None: all was, or the command took no more."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread is None:
            self._close()

    def start(self, target: IO[bytes], stop: Callable[[], None]) -> None:
        """Begin to feed, in a thread.

        Args:
            target: the command's standard input; it is closed at the end.
            stop: kills the command.
        """
        self._thread = threading.Thread(target=self._feed, args=(target, stop), daemon=True)
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait for the end."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _feed(self, target: IO[bytes], stop: Callable[[], None]) -> None:
        try:
            while self._present is not None and self._pour(self._present, target):
                _close(self._present)
                self._present = self._open_next()
        except Exception as error:  # noqa: BLE001 - whatever it is, `run` raises it
            self.error = error
            # before its input ends: it would take that for the end of the last file
            stop()
        finally:
            self._close()
            with contextlib.suppress(OSError, ValueError):
                target.close()

    def _pour(self, file: BinaryIO, target: IO[bytes]) -> bool:
        """Feed one file. Returns whether the command took it all; raises RetryableError if it cannot be read."""
        while block := _read(file):
            try:
                target.write(block)
                target.flush()
            except (OSError, ValueError):  # it has ended; `run` may have closed the pipe
                return False
        return True

    def _open_next(self) -> BinaryIO | None:
        try:
            return next(self._files, None)
        except OSError as error:
            raise _unreadable(error) from error

    def _close(self) -> None:
        _close(self._present)
        # a generator may hold something open, too
        _close(self._files)


def _close(opened: object) -> None:
    """Close what was only read: an error of that says nothing about what was read."""
    close = getattr(opened, "close", None)
    if close is not None:
        with contextlib.suppress(OSError, StepError):
            close()


def _read(file: BinaryIO) -> bytes:
    try:
        return file.read(FEED_BLOCK_BYTES)
    except OSError as error:
        raise _unreadable(error, getattr(file, "name", None)) from error


def _unreadable(error: OSError, name: object = None) -> RetryableError:
    which = f"The file {redact(name)!r}" if isinstance(name, str) else "A file that a command reads"
    return RetryableError(f"{which} cannot be read: {redact(str(error))}.")
