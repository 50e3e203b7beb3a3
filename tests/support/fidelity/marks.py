"""Clips that show where they are: every frame carries its number, and a chirp sounds with every MARK_EVERY-th one.

The number is a bar code in the top tenth of the picture: black and white fields, the lowest bit on the left. A chirp,
unlike a beep of one pitch, fits itself at one place only, so that its time is found to the sample.
"""

import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

BITS = 12
STRIP = 0.1
"""Share of the picture's height that the bar code takes."""
MARK_EVERY = 24
CHIRP_S = 0.035
CHIRP_HZ = (500.0, 2500.0)
SAMPLE_RATE_HZ = 48_000
SEARCH_S = 0.1
"""How far around a frame its chirp is looked for."""
ALIKE = 0.6
"""Correlation from which a chirp counts as found; noise and codecs leave 0.8 and more."""

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Frame:
    """A frame as it is shown."""

    number: int
    time_s: float
    """On the file's own clock."""


def bar_code() -> str:
    """The filters that write a frame's number into it."""
    boxes = [f"drawbox=0:0:iw:ih*{STRIP}:black:t=fill"]
    boxes += [
        f"drawbox=x=iw*{bit}/{BITS}:y=0:w=iw/{BITS}:h=ih*{STRIP}:color=white:t=fill:enable='mod(floor(n/{1 << bit}),2)'"
        for bit in range(BITS)
    ]
    return ",".join(boxes)


def chirps(rate: Fraction, length_s: float) -> str:
    """A lavfi source: a chirp begins with every marked frame, over faint noise."""
    low_hz, high_hz = CHIRP_HZ
    since = f"mod(t,{float(MARK_EVERY / rate):.9f})"
    phase = f"2*PI*({low_hz}*{since}+{(high_hz - low_hz) / (2 * CHIRP_S)}*{since}*{since})"
    return (
        f"aevalsrc='0.7*sin({phase})*lt({since},{CHIRP_S})+0.004*(random(0)-0.5)':s={SAMPLE_RATE_HZ}:d={length_s:.6f}"
    )


def read_frames(file: Path) -> list[Frame]:
    """Decode a file and read its frames' numbers, in the order in which they are shown."""
    graph = f"settb=1/90000,crop=iw:ih*{STRIP}:0:0,scale={BITS}:1:flags=area,format=gray"
    with tempfile.TemporaryDirectory() as folder:
        times = Path(folder) / "times"
        argv = ["ffmpeg", "-v", "error", "-copyts", "-i", str(file), "-filter_complex", f"[0:v:0]{graph},split[a][b]"]
        for name, target in (("[a]", ["rawvideo", "pipe:1"]), ("[b]", ["framecrc", str(times)])):
            argv += ["-map", name, "-fps_mode", "passthrough", "-enc_time_base", "1:90000", "-f", *target]
        pixels = np.frombuffer(subprocess.run(argv, check=True, capture_output=True).stdout, np.uint8)
        rows = [re.split(r",\s*", line) for line in times.read_text().splitlines() if not line.startswith("#")]
    numbers = (pixels.reshape(-1, BITS) > 127) @ (1 << np.arange(BITS))
    return [Frame(int(number), int(row[2]) / 90_000) for number, row in zip(numbers, rows, strict=True)]


def read_sound(file: Path) -> Samples:
    """Decode a file's sound: mono, 48 kHz; sample 0 is time 0 of the file's own clock."""
    argv = ["ffmpeg", "-v", "error", "-copyts", "-i", str(file), "-map", "0:a:0", "-ac", "1"]
    argv += ["-af", f"aresample={SAMPLE_RATE_HZ}:async=1:first_pts=0", "-f", "f32le", "pipe:1"]
    return np.frombuffer(subprocess.run(argv, check=True, capture_output=True).stdout, np.float32)


def sound_offsets_s(frames: Sequence[Frame], sound: Samples) -> dict[int, float]:
    """How much later than its frame each chirp sounds, by the frame's place in the list.

    Marked frames without a chirp nearby are left out.
    """
    time_s = np.arange(round(CHIRP_S * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    low_hz, high_hz = CHIRP_HZ
    chirp = np.sin(2 * np.pi * (low_hz * time_s + (high_hz - low_hz) / (2 * CHIRP_S) * time_s**2)).astype(np.float32)
    padded = np.pad(sound, round(2 * SEARCH_S * SAMPLE_RATE_HZ))
    offsets = {}
    for place, frame in enumerate(frames):
        if frame.number % MARK_EVERY:
            continue
        around = round((frame.time_s + 2 * SEARCH_S) * SAMPLE_RATE_HZ)
        half = round(SEARCH_S * SAMPLE_RATE_HZ)
        window = padded[around - half : around + half + len(chirp)]
        if len(window) < len(chirp):
            continue
        match = np.correlate(window, chirp, "valid")
        best = int(np.argmax(match))
        piece = window[best : best + len(chirp)]
        loud = float(np.linalg.norm(chirp)) * max(float(np.linalg.norm(piece)), 1.0)
        if match[best] > ALIKE * loud:
            offsets[place] = (best - half) / SAMPLE_RATE_HZ
    return offsets
