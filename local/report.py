"""What was made: examined with ffprobe, shown as a table."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

UNITS = ("B", "KB", "MB", "GB", "TB")
TEXT_SUFFIXES = frozenset({".m3u8", ".vtt", ".json", ".log"})


@dataclass(frozen=True)
class MadeFile:
    """One file of the result."""

    name: str
    size_bytes: int
    resolution: str = ""
    codecs: str = ""
    duration_s: float | None = None

    @property
    def bitrate_bps(self) -> float | None:
        """Of the whole file, bits per second."""
        return self.size_bytes * 8 / self.duration_s if self.duration_s else None


def list_made_files(folder: Path, ffprobe: str = "ffprobe") -> list[MadeFile]:
    """Examine every file of a result.

    Args:
        folder: where they are.
        ffprobe: the command.
    """
    return [_examine(path, ffprobe) for path in sorted(folder.iterdir(), key=_natural) if path.is_file()]


def _natural(path: Path) -> tuple[int, str]:
    digits = "".join(character for character in path.stem if character.isdigit())
    return (int(digits) if path.stem.endswith("p") and digits else 1 << 30, path.name)


def duration_of(path: Path, ffprobe: str = "ffprobe") -> float | None:
    """The length of a media file in seconds; None if it has none."""
    return _examine(path, ffprobe).duration_s


def _examine(path: Path, ffprobe: str) -> MadeFile:
    size = path.stat().st_size
    if path.suffix in TEXT_SUFFIXES:
        return MadeFile(path.name, size)
    argv = [ffprobe, "-v", "error", "-show_entries", "stream=codec_name,codec_type,width,height:format=duration"]
    result = subprocess.run([*argv, "-of", "json", f"file:{path}"], capture_output=True, text=True, check=False)
    try:
        facts: dict[str, Any] = json.loads(result.stdout)
    except ValueError:
        return MadeFile(path.name, size, codecs="not readable")
    streams = facts.get("streams", [])
    picture: dict[str, Any] = next((stream for stream in streams if stream.get("codec_type") == "video"), {})
    is_still = path.suffix == ".png"
    duration = None if is_still else facts.get("format", {}).get("duration")
    return MadeFile(
        path.name,
        size,
        resolution=f"{picture['width']}x{picture['height']}" if "width" in picture else "",
        codecs=" + ".join(dict.fromkeys(stream.get("codec_name", "?") for stream in streams)),
        duration_s=float(duration) if duration else None,
    )


def table_of(files: list[MadeFile]) -> Table:
    """Lay out the files as a table for a terminal."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("file", no_wrap=True)
    for name in ("resolution", "codec", "duration", "kbit/s", "size"):
        table.add_column(name, justify="left" if name == "codec" else "right")
    for made in files:
        table.add_row(
            made.name,
            made.resolution,
            made.codecs,
            f"{made.duration_s:.2f} s" if made.duration_s else "",
            f"{made.bitrate_bps / 1000:,.0f}" if made.bitrate_bps else "",
            readable_size(made.size_bytes),
        )
    return table


def readable_size(size_bytes: float) -> str:
    """Bytes as people read them."""
    for unit in UNITS:
        if size_bytes < 1000 or unit == UNITS[-1]:  # noqa: PLR2004 - SI steps
            return f"{size_bytes:.0f} {unit}" if unit == "B" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1000
    raise AssertionError
