"""What every benchmark measures: CPU and wall seconds of commands, VMAF of pictures, and whether the targets hold."""

import json
import os
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import imageio_ffmpeg  # type: ignore[import-untyped]  # it has no annotations
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
    """Measure what happens inside the block; the cost is filled in when it ends."""
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
        RuntimeError: it failed; the text holds the end of what it said.
    """
    start_s = time.perf_counter()
    # A file, not a pipe: wait4 must be the only one to wait for the process, so that its usage is known exactly.
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(argv, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            tail = said.read()[-2000:].decode("utf-8", "replace")
            raise RuntimeError(f"{argv[0]} ended with {process.returncode}: {tail}")
    return Cost(usage.ru_utime + usage.ru_stime, time.perf_counter() - start_s)


def measure_vmaf(made: Path, reference: Path, height_px: int, *, every: int = 1) -> float:
    """The mean VMAF of an encode against its source, scaled as the encoder scaled it.

    Args:
        made: the encode.
        reference: the source, or the source already scaled.
        height_px: height of the encode.
        every: look at one frame in so many.
    """
    return statistics.fmean(vmaf_of_frames(made, reference, f"scale=-2:{height_px}:flags=bicubic", every=every))


def vmaf_of_frames(made: Path, reference: Path, prepare: str, *, every: int = 1) -> list[float]:
    """VMAF of each frame of an encode.

    Args:
        made: the encode.
        reference: the source.
        prepare: filters that make of the source what the encoder was given.
        every: look at one frame in so many.

    Source: Netflix VMAF, model vmaf_v0.6.1.
    """
    with tempfile.TemporaryDirectory() as folder:
        # setpts by number: the two files' clocks begin at different times, their frames are the same. setparams: where
        # the tags of the two differ, ffmpeg would convert one to the other, though the values mean the same.
        tags = ":".join(f"{name}=bt709" for name in ("color_primaries", "color_trc", "colorspace"))
        count = f"settb=AVTB,setpts=N/25/TB,setparams=range=tv:{tags}"
        graph = (
            f"[0:v]{count}[made];[1:v]{prepare},format=yuv420p,{count}[reference];"
            f"[made][reference]libvmaf=n_threads={os.cpu_count() or 1}:n_subsample={every}"
            ":log_fmt=json:log_path=vmaf.json"
        )
        argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", "-loglevel", "error", "-i"]
        argv += [str(made.resolve()), "-i", str(reference.resolve()), "-lavfi", graph]
        run_measured([*argv, "-fps_mode", "passthrough", "-f", "null", "-"], cwd=Path(folder))
        report = json.loads((Path(folder) / "vmaf.json").read_text(encoding="utf-8"))
    return [float(frame["metrics"]["vmaf"]) for frame in report["frames"]]


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
