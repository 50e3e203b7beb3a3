"""HLS playlists: the master playlist, and each rendition's own, which is corrected to match its stream."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import m3u8

from podjobs.contract.commands import Access
from podjobs.encoding.completeness import played_length_s
from podjobs.encoding.ladder import Rendition
from podjobs.encoding.recipe import TICKS_PER_S
from podjobs.encoding.results import PackageResult
from podjobs.encoding.sound import SAMPLE_RATE_HZ
from podjobs.encoding.workspace import Workspace

MASTER = "livestream.m3u8"
"""Name of the master playlist. Source: docs/contract-pod.md, files expected."""
PROFILES = {"Constrained Baseline": "42c0", "Baseline": "4200", "Main": "4d40", "High": "6400"}
"""ffprobe's names to profile_idc and constraint flags. Source: RFC 6381, section 3.3."""
AAC_LC = "mp4a.40.2"
AAC_FRAME_S = 1024 / SAMPLE_RATE_HZ
"""Every AAC frame has 1,024 samples."""

Packets = dict[str, list[tuple[int, int, bool]]]
"""By stream type (`video`, `audio`), in file order: presentation and decoding time in 90 kHz ticks, and whether the
packet is a key frame."""


def master_playlist(renditions: Sequence[Rendition], packages: Sequence[PackageResult]) -> str:
    """The master playlist, lowest rendition first. Source: RFC 8216, section 4.3.4.2. Pure.

    Args:
        renditions: the ladder.
        packages: what was made of each rendition.
    """
    master = m3u8.M3U8()
    master.version = 4
    for rendition, package in zip(renditions, packages, strict=True):
        stream = {
            "bandwidth": package.peak_bps,
            "average_bandwidth": package.average_bps,
            "codecs": package.codecs,
            "resolution": f"{rendition.width_px}x{rendition.height_px}",
        }
        master.add_playlist(m3u8.Playlist(f"{rendition.name}p.m3u8", stream, [], ""))
    return str(master.dumps())


@dataclass(frozen=True)
class Inspection:
    """What ffprobe reports about an MPEG-TS file."""

    packets: Packets
    codecs: str
    """In HLS notation: `avc1.64001f,mp4a.40.2`."""


def inspect(file: Path, work: Workspace) -> Inspection:
    """Inspect every packet of an MPEG-TS file.

    Args:
        file: the stream.
        work: runs ffprobe.
    """
    entries = "packet=codec_type,pts,dts,flags:stream=codec_type,profile,level"
    argv = [work.settings.ffprobe_cmd, "-v", "error", "-show_entries", entries, "-print_format", "compact=nokey=1"]
    packets: Packets = {}
    codecs: dict[str, None] = {}
    # -f: a file of a few packets would be taken for another kind
    listing = work.run([*argv, "-f", "mpegts", "-i", str(file)], access=Access((file,)))
    # one by one: a list of half a million lines takes as much memory as everything else
    for line in re.finditer(".+", listing):
        match line[0].split("|"):
            case ["packet", kind, pts, dts, flags, *_]:
                packets.setdefault(kind, []).append((int(pts), int(dts), flags.startswith("K")))
            case [*_, "stream", profile, "video", level]:
                codecs[f"avc1.{PROFILES.get(profile, PROFILES['High'])}{int(level):02x}"] = None
            case ["stream", _, "audio"]:
                codecs[AAC_LC] = None
    return Inspection(packets, ",".join(codecs))


def stream_length_s(packets: Packets, expected_s: float | None) -> float:
    """How long a stream plays, from its first frame on. Pure.

    Args:
        packets: of the stream; there is at least one frame.
        expected_s: the length of the source; None: unknown.
    """
    first = min(packet[0] for packet in packets["video"])
    times_s = [(packet[0] - first) / TICKS_PER_S for packet in packets["video"]]
    sound = packets.get("audio")
    return played_length_s(times_s, (sound[-1][0] - first) / TICKS_PER_S + AAC_FRAME_S if sound else 0.0, expected_s)


def correct_last_segment(file: Path, length_s: float) -> None:
    """Correct the length of the last segment in a playlist.

    ffmpeg's HLS muxer counts the last segment's frames and assumes that all are equally long, which is wrong for
    variable frame rates.

    Args:
        file: the playlist.
        length_s: of the whole stream.
    """
    playlist = m3u8.loads(file.read_text(encoding="utf-8"))
    *before, last = playlist.segments
    rest_s = length_s - sum(float(segment.duration) for segment in before)
    if rest_s <= 0:
        return
    last.duration = round(rest_s, 6)
    playlist.target_duration = max(1, *(round(float(segment.duration)) for segment in playlist.segments))
    file.write_text(playlist.dumps(), encoding="utf-8")


def read_segments(file: Path) -> list[float]:
    """The lengths of a playlist's segments, seconds."""
    return [float(segment.duration) for segment in m3u8.loads(file.read_text(encoding="utf-8")).segments]
