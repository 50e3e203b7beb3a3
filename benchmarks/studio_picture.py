"""The pictures of the documentation: a frame of a composed recording in each layout."""

import shutil
import tempfile
from pathlib import Path

from benchmarks.encoding_job import local_settings
from benchmarks.measure import console, run_measured
from benchmarks.studio_job import StudioRun
from benchmarks.studio_recording import make_recording
from podjobs.contract.jobs import Layout

SECONDS = 4
AT_S = 2.4
"""The third slide: after its pointer has come to rest, while the presenter leans to one side."""
WIDTH_PX = 960


def draw(folder: Path, target: Path, layouts: tuple[Layout, ...]) -> None:
    """Write `studio-<layout>.png` for each layout.

    Args:
        folder: where recordings are kept.
        target: where the pictures go.
        layouts: which ones.
    """
    recording = make_recording(folder, SECONDS)
    target.mkdir(parents=True, exist_ok=True)
    for layout in layouts:
        media = Path(tempfile.mkdtemp(dir=folder))
        run = StudioRun(media, local_settings(media), 1, layout=layout)
        run.perform_all(run.compose_stages(recording))
        picture = target / f"studio-{layout}.png"
        # 256 colours of their own: with the noise of a camera the file would be several times as large
        graph = f"scale={WIDTH_PX}:-2:flags=lanczos,split[a][b];[a]palettegen[p];[b][p]paletteuse=dither=none"
        argv = ["ffmpeg", "-v", "error", "-y", "-ss", str(AT_S), "-i", str(run.composed), "-frames:v", "1"]
        run_measured([*argv, "-filter_complex", graph, str(picture)])
        console.print(f"{picture}: {picture.stat().st_size:,} bytes")
        shutil.rmtree(media)
