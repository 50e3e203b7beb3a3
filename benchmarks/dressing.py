"""A dressed video (watermark, both credits, a cut) against Pod's way: an encode that dresses it, then the ladder.

Pod cuts the dressed file, we cut the main video: for the cost, both make a video of the same length; for the quality
nothing is cut, so that both show the same.
"""

import os
import shutil
from pathlib import Path

from benchmarks.encoding_job import EncodingRun, local_settings
from benchmarks.measure import Cost, Target, console, judge, new_table, run_measured
from benchmarks.pod_baseline import Baseline, dressing_argv
from podjobs.contract.jobs import Cut, DressingRequest
from support.source import make_source
from support.vmaf import measure_vmaf

CREDIT_S = 10
CUT_S = 10
"""How much the cut takes away."""
CPU_FACTOR = 2.5
HEIGHTS_PX = (360, 720, 1080)


def run(folder: Path, seconds: int, vmaf_every: int) -> int:
    """Dress and encode the source both ways.

    Args:
        folder: where to work.
        seconds: length of the main video.
        vmaf_every: measure the VMAF of one frame in this many.
    """
    source, credit = make_source(folder, seconds), make_source(folder, CREDIT_S)
    work = folder / "dressing"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    mark = _make_mark(work / "mark.png")
    inputs = (source, mark, credit, credit)
    whole_s = seconds + 2 * CREDIT_S
    dressing = DressingRequest(
        watermark=f"files/{mark.name}",
        opacity=0.5,
        opening=f"files/{credit.name}",
        ending=f"files/{credit.name}",
    )
    request: dict[str, object] = {"dressing": dressing}
    ours = EncodingRun(
        work / "ours", local_settings(work / "ours"), os.cpu_count() or 1, request=request, companions=(mark, credit)
    )
    quality = _measure_quality(work, inputs, ours, whole_s, vmaf_every)
    ours.request = request | {"cut": Cut(start_s=CUT_S / 2, end_s=seconds - CUT_S / 2)}
    our_cost = ours.encode(source)
    pod_cost = _encode_like_pod(work, inputs, whole_s - CUT_S, ("-ss", "0", "-to", str(whole_s - CUT_S)))
    shutil.rmtree(work)
    _print(pod_cost, our_cost, quality, whole_s - CUT_S)
    factor = pod_cost.cpu_s / our_cost.cpu_s
    targets = [Target(f"CPU at most 1/{CPU_FACTOR} of Pod's", f"1/{factor:.2f}", holds=factor >= CPU_FACTOR)]
    for height_px, (pod, made) in quality.items():
        targets.append(Target(f"{height_px}p: VMAF above Pod's", f"{made - pod:+.2f}", holds=made > pod))
    return judge(targets)


def _make_mark(path: Path) -> Path:
    picture = "color=white:s=400x200,drawbox=x=20:y=20:w=360:h=160:color=navy:t=fill"
    run_measured(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", picture, "-frames:v", "1", "-y", str(path)])
    return path


def _encode_like_pod(work: Path, inputs: tuple[Path, ...], length_s: float, cut: tuple[str, ...]) -> Cost:
    dressed = work / "dressed.mp4"
    cost = run_measured(dressing_argv(inputs, dressed))
    cost += Baseline(dressed, work / "pod", length_s, cut).encode()
    return cost


def _measure_quality(
    work: Path, inputs: tuple[Path, ...], ours: EncodingRun, whole_s: float, every: int
) -> dict[int, tuple[float, float]]:
    """VMAF of Pod's and of our renditions against a dressing without loss; by height."""
    reference = work / "reference.mp4"
    run_measured(dressing_argv(inputs, reference, ("-c:v", "libx264", "-preset", "ultrafast", "-qp", "0")))
    _encode_like_pod(work, inputs, whole_s, ())
    ours.encode(inputs[0])
    return {
        height_px: (
            measure_vmaf(work / "pod" / f"{height_px}p.ts", reference, height_px, every=every),
            measure_vmaf(ours.output / f"{height_px}p.ts", reference, height_px, every=every),
        )
        for height_px in HEIGHTS_PX
    }


def _print(pod: Cost, ours: Cost, quality: dict[int, tuple[float, float]], length_s: float) -> None:
    heights = [f"VMAF {height_px}p" for height_px in quality]
    table = new_table(f"{length_s:g} s of dressed 1080p", "way", "CPU s", "wall s", *heights)
    for index, (name, cost) in enumerate((("Pod's commands", pod), ("ours", ours))):
        table.add_row(
            name, f"{cost.cpu_s:.1f}", f"{cost.wall_s:.1f}", *(f"{both[index]:.2f}" for both in quality.values())
        )
    console.print(table)
