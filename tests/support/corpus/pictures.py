"""Whether thumbnails and overview show what is shown at their times."""

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from support.corpus.watch import Shown, read_code
from support.fidelity.marks import BITS, STRIP

SEGMENT_S = 2.2
"""Pictures that are far apart are taken from key frames, of which each segment has one."""
FROM_KEY_FRAMES_S = 4.0
PICTURE_S = 0.3
OVERVIEW_FROM_S = 10.0
OVERVIEW_TILES = 10
ROUNDING_S = 0.3


@dataclass(frozen=True)
class TimeLine:
    """What the source shows, and where our time line lies on its clock."""

    frames: Sequence[Shown]
    begin_s: float
    length_s: float


def check_pictures(output: Path, line: TimeLine) -> list[str]:
    """Compare each thumbnail and each picture of the overview with the frame that is shown at its time.

    Args:
        output: the published folder.
        line: of the source.

    Returns:
        What is wrong, a clause each.
    """
    faults = []
    thumbnails = sorted(output.glob("thumbnail_0*.png"))
    strip, captions = output / "overview.png", output / "overview.vtt"
    tiles = OVERVIEW_TILES if line.length_s >= OVERVIEW_FROM_S else 0
    far_apart = line.length_s / max(len(thumbnails), tiles, 1) >= FROM_KEY_FRAMES_S
    slack_s = SEGMENT_S if far_apart else PICTURE_S
    if not thumbnails:
        faults.append("there are no thumbnails")
    for place, file in enumerate(thumbnails):
        at_s = line.length_s * (place + 0.5) / len(thumbnails)
        faults += _check(file.name, _codes(file, 1)[0], line, (at_s - slack_s, at_s + slack_s))
    if line.length_s >= OVERVIEW_FROM_S + ROUNDING_S and not strip.exists():
        faults.append("there is no overview")
    if strip.exists() and captions.exists():
        cues = cues_of(captions)
        for place, (code, (from_s, to_s)) in enumerate(zip(_codes(strip, len(cues)), cues, strict=True)):
            faults += _check(f"overview, {place}", code, line, (from_s - slack_s, to_s + slack_s))
    return faults


def _check(name: str, number: int | None, line: TimeLine, span_s: tuple[float, float]) -> list[str]:
    """Whether the frame with this number is shown at some time of the span."""
    shown_s = [frame.time_s - line.begin_s for frame in line.frames]
    # the first one is shown from the beginning on, the last one until the end
    begins_s, ends_s = [float("-inf"), *shown_s[1:]], [*shown_s[1:], float("inf")]
    places = [place for place, frame in enumerate(line.frames) if frame.number == number]
    if any(begins_s[place] <= span_s[1] and ends_s[place] >= span_s[0] for place in places):
        return []
    if number is None:
        return [f"{name} cannot be read"]
    when = f"at {shown_s[places[0]]:.2f} s" if places else "nowhere"
    return [f"{name} shows frame {number}, which is {when}, for {sum(span_s) / 2:.2f} s"]


def _codes(file: Path, tiles: int) -> list[int | None]:
    graph = f"crop=iw:ih*{STRIP}:0:0,scale={BITS * tiles}:1:flags=area,format=gray"
    argv = ["ffmpeg", "-v", "error", "-i", str(file), "-vf", graph, "-f", "rawvideo", "-frames:v", "1", "-"]
    pixels = np.frombuffer(subprocess.run(argv, capture_output=True, check=True).stdout, np.uint8)
    return [read_code(pixels[tile * BITS : (tile + 1) * BITS]) for tile in range(tiles)]


def cues_of(file: Path) -> list[tuple[float, float]]:
    """Where the captions of the overview begin and end."""
    times = re.findall(r"(\d+):(\d\d):(\d\d\.\d+) --> (\d+):(\d\d):(\d\d\.\d+)", file.read_text())
    parsed = [[float(part) for part in one] for one in times]
    return [(3600 * a + 60 * b + c, 3600 * d + 60 * e + f) for a, b, c, d, e, f in parsed]
