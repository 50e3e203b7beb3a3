"""Thumbnails show the video at their own times: each the middle of its part."""

import subprocess

import numpy as np
import pytest

from support.corpus.watch import read_code
from support.fidelity.marks import BITS, STRIP, bar_code
from support.media import make_video


def shown_in(picture):
    """The number of the frame that a thumbnail is."""
    graph = f"crop=iw:ih*{STRIP}:0:0,scale={BITS}:1:flags=area,format=gray"
    argv = ["ffmpeg", "-v", "error", "-i", str(picture), "-vf", graph, "-f", "rawvideo", "-"]
    return read_code(np.frombuffer(subprocess.run(argv, check=True, capture_output=True).stdout, np.uint8))


@pytest.mark.parametrize(
    ("duration_s", "frames"),
    [
        pytest.param(6, [25, 75, 125], marks=pytest.mark.slow),  # the middles of 0-2, 2-4, 4-6 s
        (0.12, [1, 2, 2]),  # three frames: those after 20, 60, 100 ms
        (16, [0, 2, 3]),  # a frame every 4 s: after 2.7, 8, 13.3 s
    ],
)
def test_encode_thumbnails_show_the_middle_of_each_part(workbench, duration_s, frames):
    """Each once: none is the picture of another one's time."""
    rate = "25" if duration_s < 10 else "1/4"
    made = workbench.folder / "talk.mp4"
    make_video(made, duration_s=duration_s, size="320x180", video_filter=bar_code(), rate=rate)
    workbench.encode("talk.mp4")
    made = [shown_in(workbench.output / f"thumbnail_000{number}.png") for number in (1, 2, 3)]
    assert made == pytest.approx(frames, abs=1 if rate == "25" else 0)
    assert made == sorted(made)
