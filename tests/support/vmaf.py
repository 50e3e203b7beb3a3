"""VMAF: how near the pictures of an encode are to those of its source.

Source: Netflix VMAF, model vmaf_v0.6.1, in the ffmpeg of the package imageio-ffmpeg.
"""

import json
import os
import statistics
import subprocess
import tempfile
from pathlib import Path

import imageio_ffmpeg


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
        subprocess.run([*argv, "-fps_mode", "passthrough", "-f", "null", "-"], check=True, cwd=folder)
        report = json.loads((Path(folder) / "vmaf.json").read_text(encoding="utf-8"))
    return [float(frame["metrics"]["vmaf"]) for frame in report["frames"]]
