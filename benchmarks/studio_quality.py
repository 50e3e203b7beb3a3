"""What a second generation costs in quality: the 720p rendition against a composition that lost nothing.

An encode from the sources would have exactly the pictures of a composition that lost nothing, so that is encoded here.
"""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.encoding_job import local_settings
from benchmarks.measure import console, new_table, run_measured
from benchmarks.pod_baseline import studio_argv
from benchmarks.studio_job import StudioRun
from benchmarks.studio_recording import CAMERA_PX, SCREEN_PX, StudioRecording
from podjobs.contract.jobs import Layout
from support.vmaf import measure_vmaf

HEIGHT_PX = 720
FILE = f"{HEIGHT_PX}p.mp4"
LOSSLESS = ("-c:v", "libx264", "-preset", "ultrafast", "-qp", "0", "-an")
NEARLY_LOSSLESS = {"podjobs_studio_crf": 1, "podjobs_studio_preset": "ultrafast"}
"""Profile High, which our jobs write, has no lossless mode; at this CRF the error is below one step of brightness."""


@dataclass(frozen=True)
class Made:
    """What one way made."""

    name: str
    vmaf: float
    composed_bytes: int
    rendition_bytes: int


def compare(recording: StudioRecording, layout: Layout, work: Path, every: int) -> list[Made]:
    """Measure the 720p renditions of all ways and print them.

    Args:
        recording: the sources.
        layout: of the composition.
        work: where Pod's recording is `pod.mp4`, and its renditions are in `pod/`.
        every: measure one frame in this many.
    """
    reference = _compose(recording, layout, work / "reference", **NEARLY_LOSSLESS)
    twice = _compose(recording, layout, work / "second")
    made = [_look_at_pod(recording, layout, work, every)]
    for name, run in (("ours, as if encoded from the sources", reference), ("ours, from the composed file", twice)):
        run.perform_all(run.encode_stages())
        vmaf = measure_vmaf(run.encoded / FILE, reference.composed, HEIGHT_PX, every=every)
        made.append(Made(name, vmaf, twice.composed.stat().st_size, (run.encoded / FILE).stat().st_size))
    _print(made, layout)
    return made


def _compose(recording: StudioRecording, layout: Layout, media: Path, **settings: object) -> StudioRun:
    run = StudioRun(media, local_settings(media, **settings), 1, layout=layout)
    run.perform_all(run.compose_stages(recording))
    return run


def _look_at_pod(recording: StudioRecording, layout: Layout, work: Path, every: int) -> Made:
    """Against a composition that lost nothing by Pod's own graph: it has other frames than ours."""
    reference = work / "pod-reference.mp4"
    heights_px = SCREEN_PX[1], CAMERA_PX[1]
    run_measured(studio_argv(layout, (recording.slides, recording.camera), heights_px, reference, LOSSLESS))
    made = work / "pod" / FILE
    vmaf = measure_vmaf(made, reference, HEIGHT_PX, every=every)
    return Made("Pod's commands", vmaf, (work / "pod.mp4").stat().st_size, made.stat().st_size)


def _print(made: list[Made], layout: Layout) -> None:
    table = new_table(f"{layout}: {HEIGHT_PX}p", "way", "VMAF", "bytes", "bytes of the composed file")
    for one in made:
        table.add_row(one.name, f"{one.vmaf:.2f}", f"{one.rendition_bytes:,}", f"{one.composed_bytes:,}")
    console.print(table)
