"""When a recording is ready with 1 … 64 instances: its plans, scheduled with the cost of every step on one core."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.encoding_job import local_settings
from benchmarks.job_run import TimedStep
from benchmarks.measure import Cost, console, new_table
from benchmarks.scale import StageCost, measured_overhead_ms
from benchmarks.studio_job import StudioRun
from benchmarks.studio_recording import StudioRecording
from podjobs.contract.jobs import Layout
from podjobs.contract.plans import Stage

INSTANCES = (1, 2, 4, 8, 16, 32, 64)
LAYOUT: Layout = "pipb"
HOUR_S, HOUR_CHUNK_S = 3600, 60
"""An hour, and the length of its chunks."""
GROWING = ("audio", "package")
"""Actions whose single step takes longer for a longer recording."""


def compute(folder: Path, recording: StudioRecording, seconds: int) -> None:
    """Measure every step on one core, and print when the recording, and one of an hour, is ready.

    Args:
        folder: where to work.
        recording: the sources.
        seconds: their length.
    """
    media = folder / "studio-times"
    run = StudioRun(media, local_settings(media, ffmpeg_nb_threads=1), concurrency=1, layout=LAYOUT)
    with _on_one_core():
        composing = _perform(run, run.compose_stages(recording))
        encoding = _perform(run, run.encode_stages())
    shutil.rmtree(media)
    overhead_s = measured_overhead_ms(folder) / 1000
    jobs = (composing, encoding)
    _print(f"{seconds} s", jobs, overhead_s)
    hour = [[lengthen(stage, seconds) for stage in stages] for stages in jobs]
    _print("an hour (computed)", hour, overhead_s)


def lengthen(stage: StageCost, seconds: int) -> StageCost:
    """The stage of a recording of an hour, by what it takes for one of so many seconds."""
    chunks = [step for step in stage.steps if step.action == "chunk"]
    steps = [_lengthened(step, seconds) for step in stage.steps if step.action != "chunk"]
    if chunks:
        cpu_s, wall_s = (sum(values) / seconds * HOUR_CHUNK_S for values in zip(*map(_both, chunks), strict=True))
        count = HOUR_S // HOUR_CHUNK_S
        steps = [replace(chunks[0], cost=Cost(cpu_s, wall_s))] * count + steps
    return StageCost(stage.name, tuple(steps))


def _both(step: TimedStep) -> tuple[float, float]:
    return step.cost.cpu_s, step.cost.wall_s


def _lengthened(step: TimedStep, seconds: int) -> TimedStep:
    factor = HOUR_S / seconds if step.action in GROWING else 1.0
    return replace(step, cost=Cost(step.cost.cpu_s * factor, step.cost.wall_s * factor))


@contextmanager
def _on_one_core() -> Iterator[None]:
    """Likewise for all commands that are started inside."""
    processors = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(processors)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, processors)


def _perform(run: StudioRun, stages: Iterator[Stage]) -> list[StageCost]:
    done = []
    for stage in stages:
        done.append(StageCost(stage.name, tuple(run.perform(stage))))
        console.print(f"[dim]{stage.name}: {len(stage.steps)} steps, {done[-1].work_s:.1f} s on one core[/]")
    return done


def _print(length: str, jobs: Sequence[Sequence[StageCost]], overhead_s: float) -> None:
    """A table of times.

    Args:
        length: of the recording, as text.
        jobs: composing, then encoding.
        overhead_s: what the adapter adds to a step.
    """
    columns = ("instances", "composed after, s", "ready after, s")
    table = new_table(f"{LAYOUT}, {length}, {overhead_s * 1000:.1f} ms a step for the adapter", *columns)
    for instances in INSTANCES:
        composed_s, encoded_s = (sum(stage.duration_s(instances, overhead_s) for stage in stages) for stages in jobs)
        times_s = (composed_s, composed_s + encoded_s)
        table.add_row(str(instances), *(f"{time_s:.1f}" for time_s in times_s))
    console.print(table)
