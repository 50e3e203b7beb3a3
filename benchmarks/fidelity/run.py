"""`fidelity`: encodes the cases in chunks and whole, and compares every file with its source."""

import shutil
import statistics
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.encoding_job import EncodingRun
from benchmarks.fidelity.browser import missing_programs, open_browser, play, serve
from benchmarks.fidelity.cases import Case, cases
from benchmarks.fidelity.checks import check_file, check_mp4_order, check_segments, first_decoding_s
from benchmarks.fidelity.marks import Frame, read_frames
from benchmarks.measure import Target, console, judge, new_table, vmaf_of_frames
from local.page import write_page
from podjobs.encoding.ladder import Rendition

JOIN_S = 0.25
"""How much on either side of a join is looked at."""
MAX_JOIN_LOSS = 1.0
MAX_CHUNK_LOSS = 0.3


@dataclass
class Outcome:
    """What was found of a case."""

    frames: int
    joins: int
    chirps: int
    offset_s: float
    faults: list[str]
    vmaf: float | None = None
    below_median: float | None = None
    """How much less VMAF at the joins than the clip's median: what the scene there costs is in it, too."""
    join_loss: float | None = None
    """How much less VMAF at the joins than the same frames have when encoded in one piece."""
    chunk_loss: float | None = None
    """How much less VMAF than encoded in one piece."""
    notes: list[str] = field(default_factory=list)


def run(folder: Path, wanted: tuple[str, ...]) -> int:
    """Encode and compare.

    Args:
        folder: where the clips are kept and the work is done.
        wanted: only cases whose name contains one of these; all when empty.
    """
    clips, work = folder / "fidelity-clips", folder / "fidelity"
    missing = missing_programs()
    outcomes = {}
    for case in cases():
        if wanted and not any(part in case.name for part in wanted):
            continue
        console.print(f"{case.name}: {case.clip.about}")
        shutil.rmtree(work, ignore_errors=True)
        outcomes[case.name] = _measure(case, clips, work, in_browser=not missing)
    shutil.rmtree(work, ignore_errors=True)
    _print(outcomes)
    if missing:
        console.print(f"Nothing was played: install {' and '.join(missing)} to play the results in a browser.")
    return judge(_targets(outcomes, played=not missing))


def _measure(case: Case, clips: Path, work: Path, *, in_browser: bool) -> Outcome:
    chunked = case.encode(work, clips)
    expected = case.expect(clips, chunked)
    recipe, output = chunked.recipe, chunked.output
    outcome = Outcome(len(expected.numbers), len(recipe.chunks) - 1, 0, 0.0, [])
    frames: list[Frame] = []
    for file in sorted([*output.glob("*.mp4"), *output.glob("*.ts")]):
        found = check_file(file, expected)
        outcome.faults += found.faults
        outcome.offset_s = max(outcome.offset_s, found.worst_offset_s)
        outcome.chirps = found.chirps
        frames = found.frames
    for playlist in sorted(output.glob("*p.m3u8")):
        outcome.faults += check_segments(playlist)
    for file in output.glob("*.mp4"):
        outcome.faults += check_mp4_order(file)
    if in_browser:
        outcome.faults += _play(chunked, frames, recipe.renditions)
    if case.reference is not None:
        whole = case.encode(work, clips, whole=True)
        _measure_loss(case, chunked, whole, clips / case.clip.name, outcome)
    return outcome


def _play(run: EncodingRun, frames: list[Frame], renditions: tuple[Rendition, ...]) -> list[str]:
    page = write_page("fidelity", run.info, "")
    with serve(page, run.output) as address, open_browser() as browser:
        begin_s = first_decoding_s(run.output / f"{renditions[-1].name}p.ts")
        faults = play(browser, address, frames, begin_s, [rendition.height_px for rendition in renditions])
    return [f"in the browser: {fault}" for fault in faults]


def _measure_loss(case: Case, chunked: EncodingRun, whole: EncodingRun, source: Path, outcome: Outcome) -> None:
    """VMAF of the largest rendition: at the joins, and beside an encode in one piece."""
    largest = chunked.recipe.renditions[-1]
    prepare = f"{case.reference},scale={largest.width_px}:{largest.height_px}:flags=bicubic"
    frames = read_frames(chunked.output / f"{largest.name}p.ts")
    scores = vmaf_of_frames(chunked.output / f"{largest.name}p.ts", source, prepare)
    if len(scores) != len(frames):
        outcome.faults.append(f"VMAF was taken of {len(scores)} frames, not {len(frames)}.")
    outcome.vmaf = statistics.fmean(scores)
    joins_s = [frames[0].time_s + chunk.start_s for chunk in chunked.recipe.chunks[1:]]
    near = [
        place for place, frame in enumerate(frames) if any(abs(frame.time_s - join_s) < JOIN_S for join_s in joins_s)
    ]
    unbroken = vmaf_of_frames(whole.output / f"{largest.name}p.ts", source, prepare)
    if len(whole.recipe.chunks) != 1:
        outcome.faults.append("the encode to compare with is in chunks, too.")
    if len(unbroken) != len(scores):
        outcome.faults.append(f"encoded in one piece it has {len(unbroken)} frames, in chunks {len(scores)}.")
    outcome.chunk_loss = statistics.fmean(unbroken) - outcome.vmaf
    if near and not outcome.faults:
        at_joins = statistics.fmean(scores[place] for place in near)
        outcome.below_median = statistics.median(scores) - at_joins
        outcome.join_loss = statistics.fmean(unbroken[place] for place in near) - at_joins


def _print(outcomes: dict[str, Outcome]) -> None:
    table = new_table(
        "What comes out beside what went in",
        *(
            "source",
            "frames",
            "joins",
            "chirps",
            "sound off by, ms",
            "VMAF",
            "joins below median",
            "lost at joins",
            "lost by chunks",
            "faults",
        ),
    )
    for name, outcome in outcomes.items():
        losses = (outcome.vmaf, outcome.below_median, outcome.join_loss, outcome.chunk_loss)
        shown = ("–" if loss is None else f"{loss:.2f}" for loss in losses)
        table.add_row(
            name, str(outcome.frames), str(outcome.joins), str(outcome.chirps), f"{1000 * outcome.offset_s:.1f}",
            *shown, str(len(outcome.faults)),
        )  # fmt: skip
    console.print(table)
    for name, outcome in outcomes.items():
        for fault in outcome.faults:
            console.print(f"{name}: {fault}", markup=False)


def _targets(outcomes: dict[str, Outcome], *, played: bool) -> list[Target]:
    faults = sum(len(outcome.faults) for outcome in outcomes.values())
    joins = [outcome.join_loss for outcome in outcomes.values() if outcome.join_loss is not None]
    chunks = [outcome.chunk_loss for outcome in outcomes.values() if outcome.chunk_loss is not None]
    worst_s = max(outcome.offset_s for outcome in outcomes.values())
    what = "frames, times, key frames, segments, MP4 order" + (", in the browser" if played else "")
    return [
        Target(f"no fault: {what}", str(faults), holds=not faults),
        Target("sound within 10 ms", f"{1000 * worst_s:.1f} ms", holds=worst_s <= 0.010),  # noqa: PLR2004
        Target(
            "VMAF lost at joins at most 1",
            f"{max(joins, default=0):+.2f}",
            holds=max(joins, default=0) <= MAX_JOIN_LOSS,
        ),
        Target(
            "VMAF in chunks at most 0.3 below that of one piece",
            f"{max(chunks, default=0):+.2f}",
            holds=max(chunks, default=0) <= MAX_CHUNK_LOSS,
        ),
    ]
