"""Media files for tests, made and looked at with ffmpeg and ffprobe."""

import json
import subprocess
from pathlib import Path
from typing import Any


def ffmpeg(*arguments: object) -> None:
    """Run ffmpeg; an output that exists is overwritten."""
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments)], check=True)


def make_video(
    path: Path,
    *extra: object,
    duration_s: float = 6.0,
    size: str = "640x360",
    rate: object = "25",
    sound: bool = True,
    video_filter: str = "null",
) -> Path:
    """A test picture that differs in every frame, with a tone."""
    sources = ["-f", "lavfi", "-i", f"testsrc2=s={size}:r={rate}"]
    if sound:
        sources += ["-f", "lavfi", "-i", "sine=f=440:r=44100"]
    coding = [] if "-c:v" in extra else ["-c:v", "libx264", "-preset", "ultrafast", "-g", "250", "-pix_fmt", "yuv420p"]
    ffmpeg(*sources, "-t", duration_s, "-vf", video_filter, "-fps_mode", "passthrough", *coding, *extra, path)
    return path


def colours_of(path: Path, before: str = "") -> list[tuple[int, ...]]:
    """The mean colour of every frame: red, green, blue.

    Args:
        path: a video.
        before: filters, each with a comma behind it.
    """
    argv = ["ffmpeg", "-v", "error", "-i", str(path), "-vf", f"{before}scale=1:1,format=rgb24"]
    argv += ["-fps_mode", "passthrough", "-f", "rawvideo", "-"]
    pixels = subprocess.run(argv, check=True, capture_output=True).stdout
    return [tuple(pixels[start : start + 3]) for start in range(0, len(pixels), 3)]


def packets(path: Path, stream: str = "v") -> list[tuple[float, float, bool]]:
    """(pts, dts, is key) in seconds, in file order."""
    output = subprocess.run(
        [
            "ffprobe", "-v", "error", "-select_streams", stream, "-show_entries", "packet=pts_time,dts_time,flags",
            "-print_format", "compact=nokey=1:print_section=0", str(path),
        ],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    rows = [line.split("|") for line in output.splitlines() if line.count("|") >= 2]
    return [(float(pts), float(dts), flags.startswith("K")) for pts, dts, flags, *_ in rows]


def probe(path: Path, *entries: str) -> dict[str, Any]:
    """What ffprobe reports: `stream=codec_type`, `format=duration` …"""
    output = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", ":".join(entries), "-print_format", "json", str(path)],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return dict(json.loads(output))


def count_frames(path: Path) -> int:
    """Packets of the picture, whatever their times."""
    output = subprocess.run(
        [
            "ffprobe", "-v", "error", "-select_streams", "v", "-count_packets",
            "-show_entries", "stream=nb_read_packets", "-print_format", "json", str(path),
        ],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return int(json.loads(output)["streams"][0]["nb_read_packets"])
