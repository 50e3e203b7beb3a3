"""A recording of slides and a presenter, composed and encoded: our jobs against Pod's own commands, side by side.

The ways take turns, so that whatever else the machine does meets all of them; medians are compared.
"""

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import studio_quality, studio_times
from benchmarks.encoding_job import local_settings
from benchmarks.measure import Cost, Target, console, judge, median, new_table, run_measured
from benchmarks.pod_baseline import Baseline, studio_argv
from benchmarks.studio_job import StudioRun
from benchmarks.studio_recording import CAMERA_PX, SCREEN_PX, StudioRecording, make_recording
from podjobs.contract.jobs import Layout
from podjobs.rendition_settings import DEFAULT_RENDITIONS

LAYOUTS: tuple[Layout, ...] = ("mid", "pipb", "piph")
POD, OURS = "Pod's commands", "ours"
COMPOSING_FACTOR, WHOLE_FACTOR = 0.8, 0.5
HEIGHTS_PX = (SCREEN_PX[1], CAMERA_PX[1])


@dataclass(frozen=True)
class Costs:
    """What one way took."""

    composing: Cost
    encoding: Cost

    @property
    def whole(self) -> Cost:
        """Both together."""
        return self.composing + self.encoding


@dataclass(frozen=True)
class Way:
    """A way from the sources to the renditions."""

    name: str
    make: Callable[[], Costs]


def run(folder: Path, seconds: int, repeat: int, layouts: Sequence[Layout], vmaf_every: int) -> int:
    """Let all ways compose and encode the recording in turn and compare them.

    Args:
        folder: where to work.
        seconds: length of the recording.
        repeat: how often each one does it.
        layouts: some of LAYOUTS.
        vmaf_every: measure the VMAF of one frame in this many.
    """
    recording = make_recording(folder, seconds)
    work = folder / "studio"
    targets: list[Target] = []
    for layout in layouts:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        ways = _ways(recording, layout, work, seconds)
        costs = _take_turns(ways, repeat)
        _print_costs(costs, layout, seconds)
        targets += _targets(costs, layout)
        studio_quality.compare(recording, layout, work, vmaf_every)
    shutil.rmtree(work, ignore_errors=True)
    studio_times.compute(folder, recording, seconds)
    return judge(targets)


def _take_turns(ways: Sequence[Way], repeat: int) -> dict[str, Costs]:
    """Every way `repeat` times; the run with the median of all its CPU time."""
    runs: dict[str, list[Costs]] = {way.name: [] for way in ways}
    for turn in range(repeat):
        for way in (*ways[turn % len(ways) :], *ways[: turn % len(ways)]):
            costs = way.make()
            runs[way.name].append(costs)
            said = " + ".join(
                f"{part.cpu_s:.1f} CPU s, {part.wall_s:.1f} s" for part in (costs.composing, costs.encoding)
            )
            console.print(f"[dim]{way.name}: {said}[/]")
    return {name: median(costs, lambda cost: cost.whole.cpu_s) for name, costs in runs.items()}


def _ways(recording: StudioRecording, layout: Layout, work: Path, seconds: int) -> tuple[Way, ...]:
    ours = StudioRun(work / "ours", local_settings(work / "ours"), os.cpu_count() or 1, layout=layout)
    return (
        Way(POD, lambda: make_like_pod(recording, layout, work, seconds)),
        Way(OURS, lambda: _make(ours, recording)),
    )


def make_like_pod(recording: StudioRecording, layout: Layout, work: Path, seconds: int) -> Costs:
    """Compose and encode by Pod's commands; the renditions are in `pod/`, the recording in `pod.mp4`."""
    composed = work / "pod.mp4"
    composing = run_measured(studio_argv(layout, (recording.slides, recording.camera), HEIGHTS_PX, composed))
    height_px = min(HEIGHTS_PX) if layout == "mid" else SCREEN_PX[1]
    renditions = [rendition for rendition in DEFAULT_RENDITIONS if rendition.height_px <= height_px]
    return Costs(composing, Baseline(composed, work / "pod", seconds, renditions=renditions).encode())


def _make(run: StudioRun, recording: StudioRecording) -> Costs:
    composing = run.perform_all(run.compose_stages(recording))
    return Costs(composing, run.perform_all(run.encode_stages()))


def _print_costs(costs: dict[str, Costs], layout: Layout, seconds: int) -> None:
    columns = (
        "medians", "composing: CPU s", "× Pod's", "wall s", "and encoding: CPU s", "× Pod's", "wall s",
    )  # fmt: skip
    table = new_table(f"{layout}: {seconds} s of 1080p slides and a 720p camera", *columns)
    pod = costs[POD]
    for name, cost in costs.items():
        table.add_row(
            name,
            f"{cost.composing.cpu_s:.1f}",
            f"{cost.composing.cpu_s / pod.composing.cpu_s:.2f}",
            f"{cost.composing.wall_s:.1f}",
            f"{cost.whole.cpu_s:.1f}",
            f"{cost.whole.cpu_s / pod.whole.cpu_s:.2f}",
            f"{cost.whole.wall_s:.1f}",
        )
    console.print(table)


def _targets(costs: dict[str, Costs], layout: Layout) -> list[Target]:
    composing = costs[OURS].composing.cpu_s / costs[POD].composing.cpu_s
    whole = costs[OURS].whole.cpu_s / costs[POD].whole.cpu_s
    return [
        Target(
            f"{layout}: CPU of composing at most {COMPOSING_FACTOR} × Pod's",
            f"× {composing:.2f}",
            holds=composing <= COMPOSING_FACTOR,
        ),
        Target(
            f"{layout}: CPU of composing and encoding at most {WHOLE_FACTOR} × Pod's",
            f"× {whole:.2f}",
            holds=whole <= WHOLE_FACTOR,
        ),
    ]
