"""Feeds a command: writes files into its standard input."""

import contextlib
import errno
import os
import subprocess
import threading
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from podjobs.contract.errors import RetryableError, StepError

FEED_BLOCK_BYTES = 1 << 20


class Feeder(threading.Thread):
    """Writes files into a command's standard input, and closes them."""

    def __init__(
        self, files: Sequence[BinaryIO], closing: contextlib.ExitStack, process: subprocess.Popen[bytes]
    ) -> None:
        """Prepare; `start` does it.

        Args:
            files: what it is fed, one after the other.
            closing: closes them.
            process: the command.
        """
        super().__init__(daemon=True)
        self._files, self._closing, self._target = files, closing, process.stdin
        self.failure: StepError | None = None
        """Why a file could not be read to its end: the command cannot tell that from the end."""

    def run(self) -> None:
        """Do it; called by `start`."""
        # A command that ends early closes its end of the pipe: its exit status explains why, our broken pipe does not.
        with self._closing, contextlib.suppress(OSError, ValueError):
            if self._target is None:
                return
            try:
                for block in self._read():
                    self._target.write(block)
            except StepError as error:
                self.failure = error
        if self._target is not None:
            with contextlib.suppress(OSError):
                self._target.close()

    def _read(self) -> Iterator[bytes]:
        """The files, block by block. Raises StepError."""
        for file in self._files:
            while True:
                try:
                    block = file.read(FEED_BLOCK_BYTES)
                except OSError as error:
                    reason = os.strerror(error.errno or errno.EIO)
                    raise RetryableError(f"A work file cannot be read to its end: {reason}.") from error
                if not block:
                    break
                yield block
