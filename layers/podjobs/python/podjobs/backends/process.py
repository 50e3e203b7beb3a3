"""Runs ffmpeg and ffprobe: the only place that starts processes.

Every command is an argument list, without a shell, in a process group of its own, with a deadline and a limit on
memory. It dies with the function that started it. What errors and log lines say about it is redacted: its arguments and
its output may contain URLs that grant access to media.
"""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import IO, BinaryIO, Self

import structlog

from podjobs.backends.disk_errors import DISK_FULL, DISK_RETRY_S
from podjobs.contract.errors import NotNowError, OutputTooLongError, PermanentError, RetryableError
from podjobs.contract.redaction import redact

logger = structlog.get_logger(__name__)

STDERR_TAIL_LINES = 30
STDERR_LINE_CHARS = 1000
FEED_BLOCK_BYTES = 1 << 20
DISK_FULL_MARKS = ("No space left on device", "Disk quota exceeded")
"""strerror(3) of ENOSPC and EDQUOT, as ffmpeg prints them."""


class CommandError(PermanentError):
    """A command ended with an error on this input."""

    title = "A media command failed."


class ProcessTools:
    """Runs commands with limits. Implements the `Tools` port."""

    def __init__(self, memory_limit_bytes: int) -> None:
        """Store the limits.

        Args:
            memory_limit_bytes: address space that a command may use; a source that needs more fails.
        """
        self._prefix = _guard_argv(memory_limit_bytes)

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        feed: Iterable[BinaryIO] = (),
        on_progress: Callable[[dict[str, str]], None] | None = None,
        limit_bytes: int | None = None,
    ) -> bytes:
        """Run a command to its end; see the `Tools` port for arguments and errors."""
        files = list(feed)
        logger.debug("Starting a command.", command=shlex.join(_shown(argv)))
        process = subprocess.Popen(
            [*self._prefix, *argv],
            stdin=subprocess.PIPE if files else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        with _Deadline(process, timeout_s) as deadline, contextlib.ExitStack() as opened:
            for file in files:
                opened.enter_context(contextlib.closing(file))
            tail: deque[str] = deque(maxlen=STDERR_TAIL_LINES)
            pumps = [threading.Thread(target=_keep_tail, args=(_pipe(process.stderr), tail))]
            if files:
                pumps.append(threading.Thread(target=_feed, args=(files, _pipe(process.stdin))))
            for pump in pumps:
                pump.start()
            output = _read_output(_pipe(process.stdout), on_progress, limit_bytes)
            if output is None:
                deadline.stop()
            status = process.wait()
            for pump in pumps:
                pump.join()
        stderr = "\n".join(tail)
        if output is None:
            detail = f"{_name(argv)} gave more than {limit_bytes} bytes and was stopped."
            raise OutputTooLongError(detail, argv=_shown(argv))
        if status != 0:
            raise _failure(_shown(argv), status, stderr, expired=deadline.expired, timeout_s=timeout_s)
        if stderr:
            logger.debug("A command wrote to stderr.", command=argv[0], stderr=stderr)
        return output


def _shown(argv: Sequence[str]) -> list[str]:
    """A command as it may appear in errors and logs."""
    return [redact(argument) for argument in argv]


def _guard_argv(memory_limit_bytes: int) -> list[str]:
    """Wrappers of util-linux that replace themselves with the command.

    They tie its life to ours, limit its memory, and forbid core files, which would contain what people uploaded.
    `preexec_fn` would do the same, but is not safe with threads.
    """
    prefix: list[str] = []
    if setpriv := shutil.which("setpriv"):
        prefix += [setpriv, "--pdeathsig", "KILL", "--"]
    if prlimit := shutil.which("prlimit"):
        prefix += [prlimit, f"--as={memory_limit_bytes}", "--core=0", "--"]
    return prefix


class _Deadline:
    """Kills the process group when the time is up, and in any case on exit."""

    def __init__(self, process: subprocess.Popen[bytes], timeout_s: float) -> None:
        self._process = process
        self._timer = threading.Timer(timeout_s, self._expire)
        self.expired = False

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        if self._process.poll() is None:
            self._kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream:
                with contextlib.suppress(OSError):
                    stream.close()

    def stop(self) -> None:
        """Kill the command before its time is up."""
        self._kill()

    def _expire(self) -> None:
        self.expired = True
        self._kill()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:  # pragma: no cover - the pipes are requested above
        raise RuntimeError("The command has no such pipe.")
    return stream


def _keep_tail(stream: IO[bytes], tail: deque[str]) -> None:
    for line in stream:
        tail.append(redact(line.decode("utf-8", "replace").rstrip())[:STDERR_LINE_CHARS])


def _feed(files: Iterable[BinaryIO], target: IO[bytes]) -> None:
    # A command that ends early closes its end of the pipe: its exit status explains why, our broken pipe does not.
    with contextlib.suppress(BrokenPipeError, OSError, ValueError):
        for file in files:
            shutil.copyfileobj(file, target, FEED_BLOCK_BYTES)
    with contextlib.suppress(BrokenPipeError, OSError):
        target.close()


def _read_output(
    stream: IO[bytes], on_progress: Callable[[dict[str, str]], None] | None, limit_bytes: int | None
) -> bytes | None:
    """Read what a command writes; None if that is more than it may write."""
    if on_progress is None:
        content = stream.read(-1 if limit_bytes is None else limit_bytes + 1)
        return content if limit_bytes is None or len(content) <= limit_bytes else None
    block: dict[str, str] = {}
    for raw in stream:
        name, _, value = raw.decode("utf-8", "replace").strip().partition("=")
        block[name] = value.strip()
        if name == "progress":
            on_progress(block)
            block = {}
    return b""


def _name(argv: Sequence[str]) -> str:
    """The name by which people know a command."""
    return os.path.basename(argv[0])  # noqa: PTH119 - a name, not a path to be opened


def _failure(argv: list[str], status: int, stderr: str, *, expired: bool, timeout_s: float) -> Exception:
    command = _name(argv)
    context = {"argv": argv, "exit_status": status, "stderr": stderr}
    if expired:
        return RetryableError(f"{command} did not finish within {timeout_s:.0f} s and was stopped.", **context)
    if any(mark in stderr for mark in DISK_FULL_MARKS):
        return NotNowError(DISK_FULL, retry_after_s=DISK_RETRY_S, **context)
    if status < 0:
        name = signal.Signals(-status).name
        return RetryableError(
            f"{command} was killed by {name}; the machine may be short of memory.",
            **context,
        )
    last = stderr.splitlines()[-1].strip().rstrip(".") if stderr else "it said nothing"
    return CommandError(f"{command} failed with exit status {status}: {last}.", **context)
