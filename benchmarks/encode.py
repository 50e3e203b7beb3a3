"""The whole job against Pod's own sequence of ffmpeg commands: CPU, time, quality and size, side by side.

The contenders take turns, so that whatever else the machine does meets all of them; medians are compared.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.encoding_job import EncodingRun, local_settings
from benchmarks.measure import Cost, Target, console, judge, new_table, run_measured
from benchmarks.pod_baseline import Baseline
from podjobs.backends.process import ProcessTools
from podjobs.backends.storage import open_storage
from podjobs.contract.jobs import EncodingJob
from podjobs.contract.reply_to import Nobody
from podjobs.encoding.chunk import chunk_argv
from podjobs.encoding.plan import write_recipe
from podjobs.encoding.recipe import Chunk
from podjobs.media.probe import probe_source
from support.source import make_source
from support.vmaf import measure_vmaf

POD, OURS, OURS_SLOW, BARE = "Pod's commands", "ours, tuned", "ours, preset slow", "one bare ffmpeg, as ours"
CPU_FACTOR = 1.5
WALL_FACTOR = 1.10
SIZE_FACTOR = 1.05
VMAF_TOLERANCE = 0.005
"""Half of the last digit that is printed."""


@dataclass(frozen=True)
class Contender:
    """One way to encode the source."""

    name: str
    encode: Callable[[], Cost]
    output: Path | None
    """Where its files are; None: it makes none."""


@dataclass(frozen=True)
class Quality:
    """A file that was made."""

    size_bytes: int
    vmaf: float


def run(folder: Path, seconds: int, repeat: int, vmaf_every: int) -> int:
    """Let all contenders encode the source in turn and compare them.

    Args:
        folder: where to work.
        seconds: length of the source.
        repeat: how often each one encodes.
        vmaf_every: measure the VMAF of one frame in this many.
    """
    source = make_source(folder, seconds)
    work = folder / "encode"
    shutil.rmtree(work, ignore_errors=True)
    contenders = _contenders(source, work, seconds)
    costs: dict[str, list[Cost]] = {contender.name: [] for contender in contenders}
    for turn in range(repeat):
        for contender in (*contenders[turn % len(contenders) :], *contenders[: turn % len(contenders)]):
            cost = contender.encode()
            costs[contender.name].append(cost)
            console.print(f"[dim]{contender.name}: {cost.cpu_s:.1f} CPU s, {cost.wall_s:.1f} s[/]")
    quality = {
        contender.name: _qualities(contender.output, source, vmaf_every)
        for contender in contenders
        if contender.output is not None
    }
    shutil.rmtree(work)
    middle = {name: _median(values) for name, values in costs.items()}
    _print_costs(middle, seconds)
    _print_quality(quality)
    return judge([*_cost_targets(middle), *_quality_targets(quality)])


def _contenders(source: Path, work: Path, seconds: int) -> tuple[Contender, ...]:
    pod = Baseline(source, work / "pod", seconds)
    ours, slow = (
        EncodingRun(work / name, local_settings(work / name, **settings), os.cpu_count() or 1)
        for name, settings in (("ours", {}), ("ours-slow", {"ffmpeg_preset": "slow"}))
    )
    bare = _bare_argv(source, seconds)
    return (
        Contender(POD, pod.encode, pod.folder),
        Contender(OURS, lambda: ours.encode(source), ours.output),
        Contender(OURS_SLOW, lambda: slow.encode(source), slow.output),
        Contender(BARE, lambda: run_measured(bare), None),
    )


def _bare_argv(source: Path, seconds: int) -> list[str]:
    """The command for the whole source as one chunk, written nowhere: only the encoders are measured."""
    settings = local_settings(source.parent, podjobs_encoding_slots=1)  # alone: with as many threads as x264 likes
    tools = ProcessTools(settings.podjobs_ffmpeg_memory_mb << 20)
    storage = open_storage(settings)
    facts = probe_source(tools, storage, settings, source.name)
    job = EncodingJob(id="bare", target="1", source=source.name, output_folder="0001", reply_to=Nobody())
    recipe = write_recipe(job, facts, source.name, settings)
    whole = Chunk(number=0, start_s=0, end_s=None, expected_end_s=seconds)
    argv = chunk_argv(recipe, whole, [storage.input_of(source.name)], "", settings)
    index = [position for position, word in enumerate(argv) if word == "-write_index"]
    for position in reversed(index):  # an option of the NUT muxer
        del argv[position : position + 2]
    return ["null" if word == "nut" else word for word in argv]


def _median(costs: list[Cost]) -> Cost:
    return Cost(median(cost.cpu_s for cost in costs), median(cost.wall_s for cost in costs))


def _qualities(output: Path, source: Path, vmaf_every: int) -> dict[str, Quality]:
    """Size and VMAF of every rendition; an MP4 of Pod's is an encode of its own, so it is measured, too."""
    found = sorted([*output.glob("*p.ts"), *output.glob("*p.mp4")], key=lambda file: (len(file.stem), file.stem))
    return {
        file.name: Quality(
            file.stat().st_size, measure_vmaf(file, source, int(file.stem.removesuffix("p")), every=vmaf_every)
        )
        for file in found
    }


def _print_costs(costs: dict[str, Cost], seconds: int) -> None:
    columns = ("medians", "CPU s", "wall s", "× real time", "CPU of Pod's / its", "wall / bare ffmpeg")
    table = new_table(f"Cost of {seconds} s of 1080p with sound", *columns)
    for name, cost in costs.items():
        table.add_row(
            name,
            f"{cost.cpu_s:.1f}",
            f"{cost.wall_s:.1f}",
            f"{seconds / cost.wall_s:.2f}",
            f"{costs[POD].cpu_s / cost.cpu_s:.2f}",
            f"{cost.wall_s / costs[BARE].wall_s:.2f}",
        )
    console.print(table)


def _print_quality(quality: dict[str, dict[str, Quality]]) -> None:
    columns = ("file", *(f"{name}: {what}" for name in quality for what in ("bytes", "VMAF")))
    table = new_table("What was made", *columns)
    for file in quality[POD]:
        cells = []
        for files in quality.values():
            cells += [f"{files[file].size_bytes:,}", f"{files[file].vmaf:.2f}"]
        table.add_row(file, *cells)
    console.print(table)


def _cost_targets(costs: dict[str, Cost]) -> list[Target]:
    cpu = costs[POD].cpu_s / costs[OURS_SLOW].cpu_s
    wall = costs[OURS].wall_s / costs[BARE].wall_s
    return [
        Target(f"CPU with Pod's preset at most 1/{CPU_FACTOR} of Pod's", f"1/{cpu:.2f}", holds=cpu >= CPU_FACTOR),
        Target(f"wall time at most {WALL_FACTOR:.2f} × one bare ffmpeg", f"× {wall:.3f}", holds=wall <= WALL_FACTOR),
    ]


def _quality_targets(quality: dict[str, dict[str, Quality]]) -> list[Target]:
    targets = []
    for file, pod in quality[POD].items():
        made = quality[OURS].get(file)
        if made is None:
            targets.append(Target(f"{file} is made", "it is not", holds=False))
            continue
        better, factor = made.vmaf - pod.vmaf, made.size_bytes / pod.size_bytes
        targets += [
            Target(f"{file}: VMAF not below Pod's", f"{better:+.2f}", holds=better >= -VMAF_TOLERANCE),
            Target(f"{file}: at most {SIZE_FACTOR:.2f} × Pod's bytes", f"× {factor:.3f}", holds=factor <= SIZE_FACTOR),
        ]
    return targets
