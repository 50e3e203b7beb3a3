"""What all benchmarks share: the CPU and wall time of commands, tables, and whether the targets hold."""

import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.table import Table

console = Console(width=None if os.isatty(1) else 140)


@dataclass
class Cost:
    """What something took."""

    cpu_s: float = 0.0
    """User and system time of all processes that were waited for, this one included."""
    wall_s: float = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.cpu_s + other.cpu_s, self.wall_s + other.wall_s)


@dataclass(frozen=True)
class Target:
    """Something that is promised, and what was measured."""

    promise: str
    measured: str
    holds: bool


@contextmanager
def measuring() -> Iterator[Cost]:
    """Measure what happens inside the block; the cost is filled in at its end."""
    cost = Cost()
    cpu_s, wall_s = _cpu_s(), time.perf_counter()
    yield cost
    cost.cpu_s, cost.wall_s = _cpu_s() - cpu_s, time.perf_counter() - wall_s


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


Run = TypeVar("Run")


def median(runs: Sequence[Run], key: Callable[[Run], float]) -> Run:
    """The run in the middle; of an even number, the worse of the two.

    Args:
        runs: at least one.
        key: what they are compared by.
    """
    return sorted(runs, key=key)[len(runs) // 2]


def run_measured(argv: Sequence[str], cwd: Path | None = None) -> Cost:
    """Run a command to its end.

    Raises:
        RuntimeError: it failed; the message contains the end of its stderr.
    """
    start_s = time.perf_counter()
    # A file, not a pipe: wait4 must be the only one to wait for the process, so that its usage is known exactly.
    with tempfile.TemporaryFile() as stderr:
        process = subprocess.Popen(argv, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            stderr.seek(0)
            tail = stderr.read()[-2000:].decode("utf-8", "replace")
            raise RuntimeError(f"{argv[0]} ended with {process.returncode}: {tail}")
    return Cost(usage.ru_utime + usage.ru_stime, time.perf_counter() - start_s)


def new_table(title: str, *columns: str) -> Table:
    """A table with a text column first and numbers in the others."""
    table = Table(title=title, title_justify="left")
    for position, column in enumerate(columns):
        table.add_column(column, justify="left" if position == 0 else "right")
    return table


def judge(targets: Sequence[Target]) -> int:
    """Print the targets and whether they hold.

    Returns:
        The exit status: 0 when all hold.
    """
    table = new_table("Targets", "target", "measured", "holds")
    for target in targets:
        table.add_row(target.promise, target.measured, "[green]yes[/]" if target.holds else "[red]no[/]")
    console.print(table)
    return 0 if all(target.holds for target in targets) else 1
