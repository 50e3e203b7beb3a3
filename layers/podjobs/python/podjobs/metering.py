"""Measures what each step uses of this process and of its commands.

    its own thread    the step's alone
    its commands      the step's alone; told when they have ended (backends/command_end.py)
    the rest          threads of a speech model, of the gateway to a bucket, of the server: divided equally among the
                      steps in work at that time

So the sum over all steps is right, and a step alone in its process is measured exactly: at RQ and on Lambda it always
is. Between steps of one process, what a speech model does is divided by time, not by who asked for it.

Memory is divided likewise: this process has its model once, however many steps use it.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import NamedTuple

from podjobs.contract.usage import Usage

STATUS = Path("/proc/self/status")


class CommandUsage(NamedTuple):
    """What a command has used. 0: not known."""

    cpu_s: float
    memory_bytes: int
    read_bytes: int = 0
    written_bytes: int = 0


class Memory(NamedTuple):
    """What this process holds, in bytes; 0: not known."""

    now_bytes: int
    most_bytes: int
    """So far."""


class Meter:
    """Measures one step. Made by `measuring`."""

    def __init__(self) -> None:
        """Begin, in the thread that performs the step."""
        self.cpu_s = 0.0
        """Of this process, without commands."""
        self.worked_s = 0.0
        """How long the step was in work."""
        self.presence_s = 0.0
        """The same, divided by how many steps were at that time."""
        self._clock = _thread_clock()
        self._thread_s = self.thread_s()
        self._commands: list[CommandUsage] = []
        self._memory = read_memory()
        self.usage = Usage()
        """What it was in the end."""

    def thread_s(self) -> float:
        """Processor time of the step's thread so far."""
        return time.clock_gettime(self._clock) if self._clock is not None else 0.0

    def advance(self) -> float:
        """Processor time of the step's thread since the call before."""
        before_s, self._thread_s = self._thread_s, self.thread_s()
        return self._thread_s - before_s

    def add_command(self, used: CommandUsage) -> None:
        """Note a command that the step has run."""
        self._commands.append(used)

    def finish(self) -> None:
        """Add up."""
        share = self.presence_s / self.worked_s if self.worked_s else 1.0
        commands = self._commands
        self.usage = Usage(
            cpu_s=self.cpu_s + sum(one.cpu_s for one in commands),
            # a step runs its commands one after another
            memory_bytes=round(share * self._most_bytes()) + max((one.memory_bytes for one in commands), default=0),
            read_bytes=sum(one.read_bytes for one in commands),
            written_bytes=sum(one.written_bytes for one in commands),
        )

    def _most_bytes(self) -> int:
        """The most that this process held during the step, as far as it can be known."""
        begin, end = self._memory, read_memory()
        if end.most_bytes > begin.most_bytes:
            return end.most_bytes
        return max(begin.now_bytes, end.now_bytes)


class _Division:
    """Divides what this process uses among the steps in work."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._meters: set[Meter] = set()
        self._process_s = 0.0
        self._at_s = 0.0

    def enter(self, meter: Meter) -> None:
        with self._lock:
            self._divide()
            self._meters.add(meter)

    def leave(self, meter: Meter) -> None:
        with self._lock:
            self._divide()
            self._meters.discard(meter)

    def _divide(self) -> None:
        """Divide what was used since the call before, in which the same steps were in work all the time."""
        process_s, at_s = time.process_time(), time.monotonic()
        if self._meters:
            owned = {meter: meter.advance() for meter in self._meters}
            rest_s = max(0.0, process_s - self._process_s - sum(owned.values()))
            for meter, own_s in owned.items():
                meter.cpu_s += own_s + rest_s / len(owned)
                meter.worked_s += at_s - self._at_s
                meter.presence_s += (at_s - self._at_s) / len(owned)
        self._process_s, self._at_s = process_s, at_s


_division = _Division()
_meter: ContextVar[Meter | None] = ContextVar("meter", default=None)


@contextmanager
def measuring() -> Iterator[Meter]:
    """Measure what is done inside, in this thread and for it; `Meter.usage` says it afterwards, whatever happened."""
    meter = Meter()
    token = _meter.set(meter)
    _division.enter(meter)
    try:
        yield meter
    finally:
        _division.leave(meter)
        _meter.reset(token)
        meter.finish()


def add_command(used: CommandUsage) -> None:
    """Note a command that has ended, for the step of this thread, if it is measured."""
    meter = _meter.get()
    if meter is not None:
        meter.add_command(used)


def read_memory() -> Memory:
    """What this process holds. Source: proc(5), VmRSS and VmHWM; getrusage's number is inherited at its start."""
    try:
        lines = STATUS.read_text(errors="replace").splitlines()
    except OSError:  # not Linux
        return Memory(0, 0)
    found = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
    return Memory(_kib(found.get("VmRSS")), _kib(found.get("VmHWM")))


def _kib(words: list[str] | None) -> int:
    return int(words[0]) << 10 if words else 0


def _thread_clock() -> int | None:
    """The clock of this thread's processor time; None: this system has none that other threads can read."""
    if not hasattr(time, "pthread_getcpuclockid"):  # macOS
        return None
    return time.pthread_getcpuclockid(threading.get_ident())
