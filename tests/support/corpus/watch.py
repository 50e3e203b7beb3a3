"""What a file shows and sounds, as ffmpeg decodes it: numbers and times of the frames, times of the chirps."""

import json
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from support.fidelity.marks import BITS, CHIRP_HZ, CHIRP_S, SAMPLE_RATE_HZ, STRIP, Samples

WATCHING_TIMEOUT_S = 180
DARK, BRIGHT = 85, 170
"""A field of a bar code between these grey values cannot be read."""
FOUND = 0.6
"""Correlation from which a chirp counts as found; noise and codecs leave 0.8 and more."""
LOUD = 0.02
"""Root mean square of a chirp, at least; the whole scale is 1."""
DEFAULT_WINS_PX = 5_000_000
"""So much larger another picture has to be, not to be left for the default one. Source: ffmpeg_opt.c."""
AHEAD = SAMPLE_RATE_HZ // 50
"""Samples before the first one that are looked at."""
APART_S = 0.1
"""Chirps are further apart than this."""
Area = tuple[float, float, float, float]
"""Where in the picture the source's is: left, top, width, height, as shares of the picture's size."""
WHOLE: Area = (0.0, 0.0, 1.0, 1.0)
LOOK = (8, 4)
"""Columns and lines of what is left of a picture to tell its colours, and where they are."""
LOOK_BYTES = 3 * LOOK[0] * LOOK[1]
Options = tuple[str, ...]
OWN_CLOCK: Options = ("-copyts",)
"""Times are those of the file, wherever its clock begins."""
UNDAMAGED: Options = ("-fflags", "+discardcorrupt")
"""Packets that are known to be damaged are left out."""


@dataclass(frozen=True)
class Shown:
    """A frame as it is shown."""

    number: int | None
    """None: its bar code cannot be read."""
    time_s: float
    look: bytes = field(default=b"", repr=False, compare=False)
    """Its colours, in a few large pixels of 3 bytes; empty: not known."""


@dataclass(frozen=True)
class Seen:
    """What a file shows and sounds."""

    frames: list[Shown] = field(default_factory=list)
    chirps_s: list[float] = field(default_factory=list)
    sound_s: float = 0.0
    """Where the sound ends, on the clock of the frames."""
    level_db: float | None = None
    """None: no sound, or silence."""
    size_px: tuple[float, float] | None = None
    """Width and height as they are to be shown."""
    sizes_px: tuple[tuple[float, float], ...] = ()
    """Of each frame, if they were asked for."""
    said: str = ""
    """What ffmpeg complained about."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing could be decoded."""
        return not self.frames and not self.sound_s


def watch(file: Path, *, sound: int | None = 0, options: Options = (), area: Area = WHOLE, alone: bool = False) -> Seen:
    """Decode a file once, whole.

    The command is what a person would type, with three differences that are only in its favour: each frame is passed
    through at its own time (by default ffmpeg repeats and drops frames to make the rate constant), decoding goes on
    however much is damaged, and if it fails for the sound, the picture is decoded alone.

    Args:
        file: what is watched.
        sound: number of the sound stream; None: sound does not matter.
        options: OWN_CLOCK for what we made, UNDAMAGED for a source.
        area: where the bar code's picture is.
        alone: whether picture and sound are decoded by a command each: one that reads both may end where one does.
    """
    streams = _moving_streams(file)
    kinds = [stream.get("codec_type") for stream in streams]
    picture = _main_picture(streams)
    if sound is not None and kinds.count("audio") <= sound:
        sound = None
    if alone and picture is not None and sound is not None:
        shown, heard = (_decode(file, one, options=options, area=area) for one in ((picture, None), (None, sound)))
        return replace(heard, frames=shown.frames, size_px=shown.size_px)
    seen = _decode(file, (picture, sound), options=options, area=area)
    if picture is not None and sound is not None and not seen.frames:
        seen = _decode(file, (picture, None), options=options, area=area)
        if seen.is_empty:
            seen = _decode(file, (None, sound), options=options, area=area)
    return seen


def _main_picture(streams: Sequence[dict[str, Any]]) -> int | None:
    """The stream that ffmpeg takes if it is not told which: the default one, or the largest."""
    sizes = {
        int(stream["index"]): DEFAULT_WINS_PX * stream.get("disposition", {}).get("default", 0)
        + stream.get("width", 0) * stream.get("height", 0)
        for stream in streams
        if stream.get("codec_type") == "video"
    }
    return max(sizes, key=sizes.__getitem__, default=None)


def _moving_streams(file: Path) -> list[dict[str, Any]]:
    argv = ["ffprobe", "-v", "error", "-show_entries", "stream=index,codec_type,width,height:stream_disposition"]
    done = subprocess.run(
        [*argv, "-print_format", "json", str(file)], capture_output=True, timeout=WATCHING_TIMEOUT_S, check=False
    )
    streams = json.loads(done.stdout or b"{}").get("streams", [])
    return [stream for stream in streams if not stream.get("disposition", {}).get("attached_pic")]


def _decode(file: Path, streams: tuple[int | None, int | None], *, options: Options, area: Area) -> Seen:
    picture, sound = streams
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        argv = ["ffmpeg", "-hide_banner", "-nostdin", "-v", "error", "-max_error_rate", "1"]
        argv += [*options, "-i", str(file)]
        if picture is not None:
            argv += _picture_outputs(picture, area, folder)
        if sound is not None:
            # async=1: silence where there is none, so that a sample's place is its time
            convert = f"aresample={SAMPLE_RATE_HZ}:async=1:first_pts=0"
            argv += ["-map", f"0:a:{sound}", "-af", convert, "-ac", "1", "-f", "f32le", str(folder / "sound")]
        if picture is None and sound is None:
            return Seen()
        try:
            done = subprocess.run(argv, capture_output=True, timeout=WATCHING_TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired:
            return Seen(said="ffmpeg did not end")
        said = done.stderr.decode("utf-8", "replace")
        if sound is not None and re.search("f32le .*non monotonically", said):
            _listen_again(file, sound, options, folder)
        frames = _read_frames(folder) if picture is not None else []
        samples = np.fromfile(folder / "sound", np.float32) if (folder / "sound").exists() else np.zeros(0, np.float32)
        return Seen(
            frames=frames,
            chirps_s=find_chirps(samples),
            sound_s=len(samples) / SAMPLE_RATE_HZ,
            level_db=_level_db(samples),
            size_px=_read_size(folder) if frames else None,
            said=said[-300:],
        )


def _listen_again(file: Path, sound: int, options: Options, folder: Path) -> None:
    """Where the sound changes its form, ffmpeg builds the filters anew, which begin with silence once more."""
    argv, middle = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-max_error_rate", "1"], str(folder / "sound.nut")
    coding = ["-map", f"0:a:{sound}", "-ac", "1", "-ar", str(SAMPLE_RATE_HZ), "-c:a", "pcm_f32le", middle]
    subprocess.run([*argv, *options, "-i", str(file), *coding], capture_output=True, check=False)
    steady = ["-copyts", "-i", middle, "-af", "aresample=async=1:first_pts=0", "-f", "f32le", str(folder / "sound")]
    subprocess.run([*argv, *steady], capture_output=True, check=False)


def _picture_outputs(picture: int, area: Area, folder: Path) -> list[str]:
    left, top, width, height = area
    strip = f"crop=iw*{width}:max(1\\,ih*{height * STRIP}):iw*{left}:ih*{top},scale={BITS}:1:flags=area,format=gray"
    # of all colour formats first the same one: made smaller and converted at once, they differ by up to 60 of 255
    small = f"scale={LOOK[0]}:{LOOK[1]}:flags=area,format=rgb24"
    whole = f"crop=iw*{width}:ih*{height}:iw*{left}:ih*{top},{small}"
    graph = f"[0:{picture}]format=yuv444p,split=3[x][y][z];[x]settb=1/90000,{strip},split[codes][times]"
    words = ["-filter_complex", f"{graph};[y]trim=end_frame=1[first];[z]settb=1/90000,{whole}[looks]"]
    for name, form in (("codes", "rawvideo"), ("looks", "rawvideo"), ("times", "framecrc")):
        words += ["-map", f"[{name}]", "-fps_mode", "passthrough", "-enc_time_base", "1:90000", "-f", form]
        words += [str(folder / name)]
    return [*words, "-map", "[first]", "-f", "framecrc", str(folder / "first")]


def _read_frames(folder: Path) -> list[Shown]:
    if not (folder / "times").exists():
        return []
    pixels = np.fromfile(folder / "codes", np.uint8)
    rows = [re.split(r",\s*", line) for line in (folder / "times").read_text().splitlines() if line[:1] != "#"]
    fields = pixels[: len(pixels) // BITS * BITS].reshape(-1, BITS)
    looks = (folder / "looks").read_bytes()
    return [
        Shown(read_code(one), int(row[2]) / 90_000, looks[LOOK_BYTES * place : LOOK_BYTES * (place + 1)])
        for place, (one, row) in enumerate(zip(fields, rows, strict=False))
    ]


def read_code(fields: NDArray[np.uint8]) -> int | None:
    """The number of a bar code; None if a field is neither dark nor bright."""
    if bool(np.any((fields > DARK) & (fields < BRIGHT))):
        return None
    return int((fields > (DARK + BRIGHT) // 2) @ (1 << np.arange(BITS)))


def _read_size(folder: Path) -> tuple[float, float] | None:
    text = (folder / "first").read_text() if (folder / "first").exists() else ""
    size, aspect = re.search(r"#dimensions 0: (\d+)x(\d+)", text), re.search(r"#sar 0: (\d+)/(\d+)", text)
    if not size:
        return None
    pixel = Fraction(int(aspect[1]), int(aspect[2])) if aspect and int(aspect[1]) and int(aspect[2]) else Fraction(1)
    return float(int(size[1]) * pixel), float(size[2])


def sizes_of(file: Path) -> tuple[tuple[float, float], ...]:
    """The size of each frame, in the order in which they are shown."""
    argv = ["ffprobe", "-v", "error", "-select_streams", "V:0", "-show_entries", "frame=width,height"]
    done = subprocess.run([*argv, "-print_format", "csv=p=0", str(file)], capture_output=True, check=False)
    rows = [line.split(",")[:2] for line in done.stdout.decode().splitlines() if line.count(",") >= 1]
    return tuple((float(width), float(height)) for width, height in rows)


def _level_db(samples: Samples) -> float | None:
    power = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    return 10 * float(np.log10(power)) if power > 1e-9 else None


def _chirp() -> Samples:
    time_s = np.arange(round(CHIRP_S * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    low_hz, high_hz = CHIRP_HZ
    sweep = np.sin(2 * np.pi * (low_hz * time_s + (high_hz - low_hz) / (2 * CHIRP_S) * time_s**2))
    return np.asarray(sweep / np.linalg.norm(sweep), np.float32)


def find_chirps(samples: Samples) -> list[float]:
    """Where the chirps begin, seconds."""
    chirp = _chirp()
    if len(samples) < len(chirp):
        return []
    # in front, so that a chirp is found, too, whose first samples are not there
    samples = np.pad(np.nan_to_num(samples, posinf=0.0, neginf=0.0), (AHEAD, 0))
    size = 1 << (len(samples) + len(chirp)).bit_length()
    spectrum = np.fft.rfft(samples, size) * np.conj(np.fft.rfft(chirp, size))
    match = np.abs(np.fft.irfft(spectrum, size)[: len(samples) - len(chirp) + 1])
    power = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    energy = np.sqrt(np.maximum(power[len(chirp) :] - power[: -len(chirp)], 0.0))
    alike = match / np.maximum(energy, LOUD * np.sqrt(len(chirp)))
    return _peaks(alike)


def _peaks(alike: NDArray[Any]) -> list[float]:
    places = np.flatnonzero(alike > FOUND)
    groups: Sequence[NDArray[Any]] = np.split(places, np.flatnonzero(np.diff(places) > APART_S * SAMPLE_RATE_HZ) + 1)
    return [(int(group[np.argmax(alike[group])]) - AHEAD) / SAMPLE_RATE_HZ for group in groups if len(group)]
