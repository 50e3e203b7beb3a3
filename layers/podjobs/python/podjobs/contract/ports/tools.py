"""ffmpeg and ffprobe."""

from collections.abc import Callable, Iterable, Sequence
from typing import BinaryIO, Protocol

from podjobs.contract.commands import UNLIMITED, Access, CommandLimits


class Tools(Protocol):
    """ffmpeg and ffprobe."""

    def run(  # noqa: PLR0913 - all but two are optional
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        access: Access,
        feed: Iterable[BinaryIO] = (),
        on_progress: Callable[[dict[str, str]], None] | None = None,
        limit_bytes: int | None = None,
        limits: CommandLimits = UNLIMITED,
        watch: Callable[[], None] | None = None,
    ) -> bytes:
        """Run a command to its end and return what it wrote to stdout, unchanged.

        Args:
            argv: the command and its arguments; no shell is involved.
            timeout_s: seconds after which the command and its children are killed.
            access: the files that it reads and the folder that it writes to.
            feed: files whose contents, one after another, become the command's standard input. Each is taken from the
                iterable, and so opened, when the command has read the one before it; they are only read forward, and
                closed in any case, as is the iterable if it is a generator.
            on_progress: called with each block of ffmpeg's `-progress pipe:1` output, of which nothing is returned. If
                it raises an error, the command is killed and the error passed on.
            limit_bytes: the most it may write to stdout; None: no limit.
            limits: of its processor time and its files.
            watch: called every few seconds while it runs. If it raises a StepError, the command is killed and the error
                passed on.

        Raises:
            CommandError: it ended with an error (permanent); its subclass LimitExceededError: it went beyond its
                limits. If the disk was full, only the storage that the command wrote to can tell.
            OutputTooLongError: it wrote more to stdout (permanent).
            RetryableError: it was killed from outside, or ran out of time; or a file to feed could not be read, for
                which it was killed.
            StepError: of taking a file from `feed`.
        """
