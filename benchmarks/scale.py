"""Time to ready with 1 … 128 instances: the real plan, scheduled with the cost of every step on one core.

Every step of a job is performed on one core with one encoder thread, as a small container would, and timed. Then the
plan is list-scheduled: the steps of a stage in their order, each on the instance that is free first, plus the adapter's
overhead; a stage begins when the previous one is done.
"""

import heapq
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.encoding_job import EncodingRun, TimedStep, local_settings
from benchmarks.measure import Cost, Target, console, judge, new_table, run_measured
from podjobs.contract.plans import Stage, StepSpec
from support.source import make_source, repeat_source

CLIP_S = 60
"""Length of the clip that is played again and again."""
INSTANCES = (1, 2, 4, 8, 16, 32, 48, 64, 96, 128)
JUDGED_INSTANCES = 64
DEFAULT_OVERHEAD_MS = 15.0
"""The target of `adapter`, where that was not measured here."""
OVERHEAD_FILE = "adapter.json"


@dataclass(frozen=True)
class StageCost:
    """A stage and what its steps cost on one core, in the plan's order."""

    name: str
    steps: tuple[TimedStep, ...]

    @property
    def work_s(self) -> float:
        """All its steps, one after another."""
        return sum(step.cost.wall_s for step in self.steps)

    def duration_s(self, instances: int, overhead_s: float) -> float:
        """How long the stage takes when each step goes to the instance that is free first."""
        free_at_s = [0.0] * instances
        for step in self.steps:
            heapq.heappush(free_at_s, heapq.heappop(free_at_s) + step.cost.wall_s + overhead_s)
        return max(free_at_s)


def run(folder: Path, minutes: int, sample: int, overhead_ms: float | None) -> int:
    """Measure a job's steps and compute when its video is ready.

    Args:
        folder: where to work.
        minutes: length of the source.
        sample: how many chunks to encode; the others get the mean of these. 0: all.
        overhead_ms: what the adapter adds to a step; None: as `adapter` measured it.
    """
    source = repeat_source(make_source(folder, CLIP_S), minutes)
    overhead_s = (measured_overhead_ms(folder) if overhead_ms is None else overhead_ms) / 1000
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    media = folder / "scale"
    job = EncodingRun(media, local_settings(media, ffmpeg_nb_threads=1), concurrency=1)
    stages = []
    for stage in job.stages(source):
        steps = _sampled(job, stage, sample) if sample and stage.name == "encode" else job.perform(stage)
        stages.append(StageCost(stage.name, tuple(steps)))
        console.print(f"[dim]{stage.name}: {len(steps)} steps, {stages[-1].work_s:.1f} s on one core[/]")
    shutil.rmtree(media)
    if sample:
        console.print(f"Extrapolated: {sample} chunks were encoded, the others get their mean cost.")
    _print_steps(stages)
    _print_times(stages, minutes, overhead_s)
    return judge(_targets(stages, overhead_s))


def measured_overhead_ms(folder: Path) -> float:
    """What the adapter adds to a step, as `adapter` measured it; its target where it was not."""
    file = folder / OVERHEAD_FILE
    if not file.exists():
        return DEFAULT_OVERHEAD_MS
    return float(json.loads(file.read_text(encoding="utf-8"))["overhead_ms"])


def _sampled(job: EncodingRun, stage: Stage, sample: int) -> list[TimedStep]:
    """Perform some chunks, evenly spread, and put copies of them in the places of the others."""
    chunks = [spec for spec in stage.steps if spec.action == "chunk"]
    if len(chunks) <= sample + 1:
        return job.perform(stage)
    # The last one is of another length: it is always performed, and no other is like it.
    spread = {chunks[index * (len(chunks) - 1) // sample].id for index in range(sample)} | {chunks[-1].id}
    performed = {
        spec.id: job.perform_step(stage, spec) for spec in stage.steps if spec.action != "chunk" or spec.id in spread
    }
    alike = [spec for spec in chunks[:-1] if spec.id in performed]
    mean_s = sum(performed[spec.id].cost.wall_s for spec in alike) / len(alike)
    mean_cpu_s = sum(performed[spec.id].cost.cpu_s for spec in alike) / len(alike)
    for number, spec in enumerate(chunks):
        if spec.id not in performed:
            _copy_chunk(job, alike[number % len(alike)], spec)
            performed[spec.id] = TimedStep(stage.name, spec.id, spec.action, Cost(mean_cpu_s, mean_s))
    return [performed[spec.id] for spec in stage.steps]


def _copy_chunk(job: EncodingRun, made: StepSpec, wanted: StepSpec) -> None:
    """Play an encoded chunk at another time, so that what is packaged has its real length."""
    work = job.media / "work" / "benchmark"
    (work / wanted.id).mkdir()
    offset_s = wanted.params["start_s"] - made.params["start_s"]
    for file in sorted((work / made.id).iterdir()):
        argv = [job.settings.ffmpeg_cmd, "-hide_banner", "-nostdin", "-loglevel", "error", "-copyts", "-i", str(file)]
        argv += ["-c", "copy", "-copytb", "1", "-output_ts_offset", f"{offset_s:g}"]
        argv += ["-avoid_negative_ts", "disabled", "-f", "nut", "-write_index", "0", str(work / wanted.id / file.name)]
        run_measured(argv)
    job.copy_result(made, wanted)


def _print_steps(stages: Sequence[StageCost]) -> None:
    table = new_table("Steps on one core", "stage: action", "steps", "CPU s, sum", "wall s, sum", "wall s, longest")
    for stage in stages:
        for action in dict.fromkeys(step.action for step in stage.steps):
            costs = [step.cost for step in stage.steps if step.action == action]
            table.add_row(
                f"{stage.name}: {action}",
                str(len(costs)),
                f"{sum(cost.cpu_s for cost in costs):.1f}",
                f"{sum(cost.wall_s for cost in costs):.1f}",
                f"{max(cost.wall_s for cost in costs):.2f}",
            )
    console.print(table)
    longest = _longest(stages)
    console.print(f"The longest step is {longest.step_id} with {longest.cost.wall_s:.1f} s.")


def _longest(stages: Sequence[StageCost]) -> TimedStep:
    return max((step for stage in stages for step in stage.steps), key=lambda step: step.cost.wall_s)


def _print_times(stages: Sequence[StageCost], minutes: int, overhead_s: float) -> None:
    columns = ("instances", "ready after, s", "× real time", "speed-up", *(f"{stage.name}, s" for stage in stages))
    title = f"Time to ready of {minutes} min of 1080p, {overhead_s * 1000:.1f} ms a step for the adapter"
    table = new_table(title, *columns, "packaging's share")
    alone_s = sum(stage.duration_s(1, overhead_s) for stage in stages)
    for instances in INSTANCES:
        times = {stage.name: stage.duration_s(instances, overhead_s) for stage in stages}
        total_s = sum(times.values())
        table.add_row(
            str(instances),
            f"{total_s:.1f}",
            f"{minutes * 60 / total_s:.1f}",
            f"{alone_s / total_s:.1f}",
            *(f"{time_s:.2f}" for time_s in times.values()),
            f"{times['package'] / total_s:.0%}",
        )
    console.print(table)


def _targets(stages: Sequence[StageCost], overhead_s: float) -> list[Target]:
    times = {stage.name: stage.duration_s(JUDGED_INSTANCES, overhead_s) for stage in stages}
    return [
        Target(
            f"packaging is shorter than encoding at {JUDGED_INSTANCES} instances",
            f"{times['package']:.1f} s and {times['encode']:.1f} s",
            holds=times["package"] < times["encode"],
        )
    ]
