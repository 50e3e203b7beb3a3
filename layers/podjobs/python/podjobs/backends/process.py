"""Runs ffmpeg and ffprobe: the only place that starts processes.

Every command is an argument list, without a shell, in a process group of its own, with a deadline and with limits on

    memory           one setting for all commands (--as)
    processor time   what its step can be expected to take, many times over (--cpu)
    its files        what its step can be expected to write, several times over (--fsize)

The last two are the caller's (`CommandLimits`); whoever exceeds them gets a permanent error that says so: a second
attempt would cost as much. A command dies with the function that started it, and reaches nothing but what it was
granted (sandbox.py). What errors and log lines say about it is
redacted: its arguments and its output may contain URLs that grant access to media.
"""

import contextlib
import os
import shlex
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import IO, Any, BinaryIO, Self

import structlog

from podjobs.backends.command_end import CommandEnd, reap
from podjobs.backends.command_watch import watching
from podjobs.backends.feed import Feeder
from podjobs.backends.priority import lower_session
from podjobs.backends.sandbox import Sandbox
from podjobs.backends.sandbox_choice import choose_sandbox
from podjobs.backends.wrappers import check_start, wrap
from podjobs.contract.commands import UNLIMITED, Access, CommandLimits
from podjobs.contract.errors import (
    CommandStoppedError,
    OutputTooLongError,
    PermanentError,
    StepError,
)
from podjobs.contract.redaction import redact
from podjobs.tracing import command_span

logger = structlog.get_logger(__name__)

STDERR_TAIL_LINES = 30
STDERR_LINE_CHARS = 1000
LONGEST_LINE_BYTES = 64 << 10
CPU_TOLERANCE_S = 0.5
"""What the kernel counts and what it reports differ a little."""
PUMP_GRACE_S = 2.0
"""How long the threads that feed a command and read from it may outlive it: a shared folder may not answer them."""
BUSY_SHARE = 0.8
"""A command that worked for this share of its time was not kept waiting: it would not finish next time either."""
REMEDY = "The file is damaged, or made to keep this server busy. Convert it and upload it again."


class CommandError(PermanentError):
    """A command ended with an error on this input."""

    title = "A media command failed."


class LimitExceededError(CommandError):
    """A command used more than its step can be expected to need."""

    title = "A media command used too much."


class ProcessTools:
    """Runs commands with limits. Implements the `Tools` port."""

    def __init__(self, memory_limit_bytes: int, sandbox: Sandbox | None = None) -> None:
        """Store what all commands share, and check that they can be started.

        Args:
            memory_limit_bytes: address space that a command may use; a source that needs more fails.
            sandbox: confines them; None: as far as this machine can.

        Raises:
            SettingsError: commands cannot be started with this limit.
        """
        self._memory_limit_bytes = memory_limit_bytes
        self._sandbox = sandbox or choose_sandbox()
        check_start(self._sandbox, memory_limit_bytes)

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
        """Run a command to its end; see the `Tools` port for arguments and errors."""
        began_s = time.monotonic()
        try:
            with command_span(_name(argv)):
                output = self._run(argv, timeout_s, access, feed, on_progress, limit_bytes, limits, watch)
        except StepError as error:
            _check_inputs(access, began_s, error)
            raise
        _check_inputs(access, began_s)
        return output

    def _run(  # noqa: PLR0913, PLR0917 - of `run`
        self,
        argv: Sequence[str],
        timeout_s: float,
        access: Access,
        feed: Iterable[BinaryIO],
        on_progress: Callable[[dict[str, str]], None] | None,
        limit_bytes: int | None,
        limits: CommandLimits,
        watch: Callable[[], None] | None,
    ) -> bytes:
        shown = _shown(argv, access)
        logger.debug("Starting a command.", command=shlex.join(shown))
        with Feeder(feed) as feeder:
            process = self._sandbox.start(
                [*wrap(self._memory_limit_bytes, limits), *argv],
                access,
                stdin=subprocess.DEVNULL if feeder.is_empty else subprocess.PIPE,
            )
            if limits.yields:
                lower_session(process.pid)
            tail: deque[str] = deque(maxlen=STDERR_TAIL_LINES)
            with _Deadline(process, timeout_s) as deadline, watching(watch, deadline.stop):
                if process.stdin:
                    feeder.start(process.stdin, deadline.stop)
                listener = threading.Thread(target=_keep_tail, args=(_pipe(process.stderr), tail, access), daemon=True)
                listener.start()
                output = None
                try:
                    output = _read_output(_pipe(process.stdout), on_progress, limit_bytes)
                finally:
                    if output is None:
                        deadline.stop()
                    end = reap(process)
                    for pump in (feeder, listener):
                        pump.join(PUMP_GRACE_S)
        stderr = "\n".join(tuple(tail))
        if output is None:
            detail = f"{_name(argv)} gave more than {limit_bytes} bytes and was stopped."
            raise OutputTooLongError(detail, argv=shown)
        if end.status != 0:
            if feeder.error is not None:
                raise feeder.error
            context = {"argv": shown, "exit_status": end.status, "stderr": stderr}
            raise _failure(_name(argv), end, limits, timeout_s if deadline.expired else None, context)
        if stderr:
            logger.debug("A command wrote to stderr.", command=argv[0], stderr=stderr)
        return output


def _check_inputs(access: Access, began_s: float, error: StepError | None = None) -> None:
    """Raise what kept a command from reading its inputs: that is the reason of its error, if it noticed at all.

    ffmpeg takes an input that breaks off for one that ends, and may say that all is well.
    """
    if trouble := access.find_trouble(began_s):
        raise trouble from error


def _shown(texts: Iterable[str], access: Access) -> list[str]:
    """A command, or what it says, as it may appear in errors and logs."""
    for source in access.remote:
        if source.proxy:  # its URL tells people nothing
            texts = [text.replace(source.url, source.name) for text in texts]
    return [redact(text) for text in texts]


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
        if self._process.returncode is None:
            self.stop()
            reap(self._process)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream:
                with contextlib.suppress(OSError):
                    stream.close()

    def stop(self) -> None:
        """Kill the command before its time is up."""
        if self._process.returncode is not None:
            return  # by now another process may have its number
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _expire(self) -> None:
        self.expired = True
        self.stop()


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:  # pragma: no cover - the pipes are requested above
        raise RuntimeError("The command has no such pipe.")
    return stream


def _keep_tail(stream: IO[bytes], tail: deque[str], access: Access) -> None:
    with contextlib.suppress(ValueError):  # it was closed: the command has ended, but something that it started has not
        # a line may be as long as a text in an upload
        while line := stream.readline(LONGEST_LINE_BYTES):
            (said,) = _shown([line.decode("utf-8", "replace").rstrip()], access)
            tail.append(said[:STDERR_LINE_CHARS])


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


def _failure(
    command: str, end: CommandEnd, limits: CommandLimits, expired_s: float | None, context: dict[str, Any]
) -> Exception:
    """Say why a command failed.

    Args:
        command: its name.
        end: how it ended.
        limits: what it was permitted.
        expired_s: the time that was up; None: it ended by itself.
        context: of the error.
    """
    if expired_s is not None and end.cpu_s < BUSY_SHARE * expired_s:
        return CommandStoppedError(f"{command} did not finish within {expired_s:.0f} s and was stopped.", **context)
    # ffmpeg ends in order upon SIGXCPU: its exit status does not tell, but its processor time does
    if expired_s is not None or (limits.cpu_s is not None and end.cpu_s >= limits.cpu_s - CPU_TOLERANCE_S):
        return LimitExceededError(
            f"{command} was stopped after {end.cpu_s:.0f} s of processor time, far more than its step should "
            f"take. {REMEDY}",
            **context,
            exceeded="cpu_s",
        )
    if end.status == -signal.SIGXFSZ and limits.file_bytes is not None:
        remedy = f" If that is right, raise {limits.file_setting}." if limits.file_setting else ""
        return LimitExceededError(
            f"{command} was stopped as it wrote a file of more than {limits.file_bytes / 1e6:.0f} MB, far more than "
            f"its step should write. {REMEDY}{remedy}",
            **context,
            exceeded="file_bytes",
        )
    if end.status < 0:
        name = signal.Signals(-end.status).name
        return CommandStoppedError(f"{command} was killed by {name}; the machine may be short of memory.", **context)
    stderr = str(context["stderr"])
    last = stderr.splitlines()[-1].strip().rstrip(".") if stderr else "it said nothing"
    return CommandError(f"{command} failed with exit status {end.status}: {last}.", **context)
