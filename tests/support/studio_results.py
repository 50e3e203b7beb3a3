"""What a composed recording shows and sounds: colours at places and times, tones, flashes and beeps."""

import subprocess
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from support.media import packets, probe

RATE_HZ = 48_000
PATCH_PX = 2
"""Colours are means of the pixels that are not farther than this from a place."""
COLOURS = {
    "red": (255, 0, 0), "lime": (0, 255, 0), "blue": (0, 0, 255), "yellow": (255, 255, 0), "cyan": (0, 255, 255),
    "magenta": (255, 0, 255), "white": (255, 255, 255), "black": (0, 0, 0), "gray": (128, 128, 128),
}  # fmt: skip
SAME_COLOUR = 48
"""How far each of red, green and blue may be from its value, of 255."""
HEARD = 0.02
"""Level of a tone, of 1, from which on it counts as heard."""


@dataclass(frozen=True)
class Recording:
    """A file with a picture of a constant frame rate and sound, decoded when it is first looked at."""

    path: Path

    @cached_property
    def size_px(self) -> tuple[int, int]:
        """Width and height, as the picture is shown."""
        stream = self._streams["video"]
        turned = any(data.get("rotation", 0) % 180 for data in stream.get("side_data_list", ()))
        size_px = stream["width"], stream["height"]
        return size_px[::-1] if turned else size_px

    @cached_property
    def frame_rate(self) -> float:
        """Frames per second, by the file's header."""
        return float(Fraction(self._streams["video"]["avg_frame_rate"]))

    @cached_property
    def coding(self) -> tuple[str, str, str]:
        """Codec of the picture, its pixels, codec of the sound."""
        video, audio = self._streams["video"], self._streams["audio"]
        return video["codec_name"], video["pix_fmt"], audio["codec_name"]

    @cached_property
    def times_s(self) -> list[float]:
        """Presentation times of all frames, in their order."""
        return sorted(pts for pts, _, _ in packets(self.path))

    @cached_property
    def key_times_s(self) -> list[float]:
        """Those of key frames."""
        return sorted(pts for pts, _, is_key in packets(self.path) if is_key)

    @cached_property
    def frames(self) -> npt.NDArray[np.uint8]:
        """(frames, height, width, 3): red, green, blue."""
        width_px, height_px = self.size_px
        raw = _decode(self.path, "-map", "0:v", "-fps_mode", "passthrough", "-pix_fmt", "rgb24", "-f", "rawvideo")
        return np.frombuffer(raw, np.uint8).reshape(-1, height_px, width_px, 3)

    @cached_property
    def sound(self) -> npt.NDArray[np.float32]:
        """(samples,): mono, `RATE_HZ`, in [−1, 1]; from time 0 on."""
        argv = ("-map", "0:a", "-af", "aresample=async=1:first_pts=0", "-ac", "1", "-ar", str(RATE_HZ), "-f", "f32le")
        return np.frombuffer(_decode(self.path, *argv), "<f4")

    def colour_at(self, time_s: float, x_px: float, y_px: float) -> str:
        """The name of the colour there; its values, if it is none of `COLOURS`.

        Args:
            time_s: on the recording's clock.
            x_px: from the left edge; negative: from the right one.
            y_px: from the upper edge; negative: from the lower one.
        """
        width_px, height_px = self.size_px
        left, top = round(x_px % width_px), round(y_px % height_px)
        number = int(np.searchsorted(self.times_s, time_s + 1e-6)) - 1
        patch = self.frames[
            number, max(0, top - PATCH_PX) : top + PATCH_PX + 1, max(0, left - PATCH_PX) : left + PATCH_PX + 1
        ]
        mean = patch.reshape(-1, 3).mean(0)
        near = [name for name, value in COLOURS.items() if np.abs(mean - value).max() <= SAME_COLOUR]
        return near[0] if near else str(tuple(round(float(value)) for value in mean))

    def tones_hz(self, start_s: float, end_s: float) -> list[int]:
        """The tones that are heard in a part of the time, rounded to 20 Hz, lowest first."""
        part = self.sound[round(start_s * RATE_HZ) : round(end_s * RATE_HZ)]
        window = np.hanning(part.size)
        levels = np.abs(np.fft.rfft(part * window)) * 2 / window.sum()
        loud = np.flatnonzero(levels > HEARD) * RATE_HZ / part.size
        return sorted({round(float(tone) / 20) * 20 for tone in loud})

    def flashes_s(self, x_px: int, y_px: int) -> list[float]:
        """Times at which that place turns white."""
        # not from `frames`: of an hour they would fill the memory
        place = ("-vf", f"crop=2:2:{x_px}:{y_px}", "-pix_fmt", "gray", "-f", "rawvideo")
        raw = _decode(self.path, "-map", "0:v", "-fps_mode", "passthrough", *place)
        bright = np.frombuffer(raw, np.uint8).reshape(-1, 4).mean(-1) > 128
        starts = np.flatnonzero(bright[1:] & ~bright[:-1]) + 1
        return [self.times_s[int(number)] for number in starts]

    def beeps_s(self) -> list[float]:
        """Times at which sound begins after at least 0.1 s of silence."""
        loud = np.flatnonzero(np.abs(self.sound) > 0.1)
        starts = [loud[0], *loud[1:][np.diff(loud) > 0.1 * RATE_HZ]]
        return [float(sample) / RATE_HZ for sample in starts]

    @cached_property
    def _streams(self) -> dict[str, dict[str, Any]]:
        entries = "stream=codec_type,codec_name,width,height,pix_fmt,avg_frame_rate:stream_side_data=rotation"
        return {stream["codec_type"]: stream for stream in probe(self.path, entries)["streams"]}


def has_index_first(path: Path) -> bool:
    """Whether an MP4 can be played while it is loaded."""
    content = path.read_bytes()
    return 0 < content.find(b"moov") < content.find(b"mdat")


def _decode(path: Path, *arguments: str) -> bytes:
    argv = ["ffmpeg", "-v", "error", "-copyts", "-i", str(path), *arguments, "-"]
    return subprocess.run(argv, check=True, capture_output=True).stdout
