"""What is asked of every result: frames, times, sound, key frames, segments, the order in the MP4."""

import itertools
import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import m3u8

from support.fidelity.marks import read_frames, read_sound, sound_offsets_s

MAX_OFFSET_S = 0.010
CLOCK_S = 0.002
"""Containers that count milliseconds round times."""


@dataclass(frozen=True)
class Shown:
    """What a source, or several one after another, shows and sounds."""

    numbers: list[int]
    times_s: list[float]
    """From the first frame on."""
    offsets_s: dict[int, float]
    """How much later than its picture the chirp sounds, by place in the list."""


def shown_of(file: Path, decimation: int = 1, cut_s: tuple[float, float] = (0.0, float("inf"))) -> Shown:
    """Read what a source shows, or what is left of it."""
    frames = read_frames(file)
    offsets_s = sound_offsets_s(frames, read_sound(file))
    first_s = frames[0].time_s
    start_s, end_s = cut_s
    places = [
        place
        for place, frame in enumerate(frames)
        if place % decimation == 0 and start_s - CLOCK_S / 2 <= frame.time_s - first_s < end_s - CLOCK_S / 2
    ]
    return Shown(
        numbers=[frames[place].number for place in places],
        times_s=[frames[place].time_s - frames[places[0]].time_s for place in places],
        offsets_s={index: offsets_s[place] for index, place in enumerate(places) if place in offsets_s},
    )


def joined(parts: Sequence[tuple[Shown, float]]) -> Shown:
    """What is shown when parts of these lengths follow one another."""
    numbers: list[int] = []
    times_s: list[float] = []
    offsets_s: dict[int, float] = {}
    begin_s = 0.0
    for part, length_s in parts:
        offsets_s |= {len(numbers) + place: offset_s for place, offset_s in part.offsets_s.items()}
        numbers += part.numbers
        times_s += [begin_s + time_s for time_s in part.times_s]
        begin_s += length_s
    return Shown(numbers, times_s, offsets_s)


def check_file(file: Path, expected: Shown) -> list[str]:
    """Compare a published file with what it should show; a sentence about each fault."""
    frames = read_frames(file)
    faults = []
    numbers = [frame.number for frame in frames]
    if numbers != expected.numbers:
        odd = next(
            (place for place, (a, b) in enumerate(itertools.zip_longest(numbers, expected.numbers)) if a != b), 0
        )
        faults.append(f"{len(numbers)} frames for {len(expected.numbers)}; they differ from number {odd} on.")
    if any(after.time_s <= before.time_s for before, after in itertools.pairwise(frames)):
        faults.append("presentation times do not increase.")
    late_s = [
        abs(frame.time_s - frames[0].time_s - time_s) for frame, time_s in zip(frames, expected.times_s, strict=False)
    ]
    if max(late_s, default=0) > CLOCK_S:
        faults.append(f"a frame is shown {1000 * max(late_s):.1f} ms beside its time.")
    offsets_s = sound_offsets_s(frames, read_sound(file))
    silent = sorted(expected.offsets_s.keys() - offsets_s.keys())
    if silent:
        faults.append(f"{len(silent)} of {len(expected.offsets_s)} chirps are missing, the first at frame {silent[0]}.")
    errors_s = [abs(offsets_s[place] - expected.offsets_s[place]) for place in expected.offsets_s.keys() & offsets_s]
    worst_s = max(errors_s, default=0.0)
    if worst_s > MAX_OFFSET_S:
        faults.append(f"sound and picture are {1000 * worst_s:.1f} ms further apart than in the source.")
    return [f"{file.name}: {fault}" for fault in faults]


def check_segments(playlist: Path, streams: str = "0") -> list[str]:
    """Decode each segment of a playlist alone; a sentence about each fault.

    Args:
        playlist: of a rendition.
        streams: which of them, as ffmpeg's `-map`; sound that ends early is not in the last segments.
    """
    faults = []
    stream = playlist.with_suffix(".ts").read_bytes()
    decoded = 0
    parsed = m3u8.loads(playlist.read_text(encoding="utf-8"))
    for number, segment in enumerate(parsed.segments):
        length, _, start = str(segment.byterange).partition("@")
        content = stream[int(start) : int(start) + int(length)]
        packets = _packets(content)
        if not packets or "K" not in packets[0]:
            faults.append(f"{playlist.name}: segment {number} does not begin with a key frame.")
        argv = ["ffmpeg", "-v", "error", "-xerror", "-f", "mpegts", "-i", "pipe:0", "-map", streams, "-fps_mode"]
        argv += ["passthrough", "-enc_time_base", "1:90000", "-f", "null", "-"]
        result = subprocess.run(argv, input=content, capture_output=True, check=False)
        if result.returncode or result.stderr:
            faults.append(f"{playlist.name}: segment {number} does not decode alone: {result.stderr.decode()[-200:]}")
        decoded += len(packets)
    whole = len(_packets(stream))
    if decoded != whole:
        faults.append(f"{playlist.name}: the segments hold {decoded} frames, the stream {whole}.")
    return faults


def _packets(stream: bytes) -> list[str]:
    argv = ["ffprobe", "-v", "error", "-f", "mpegts", "-select_streams", "v", "-show_entries", "packet=flags"]
    argv += ["-print_format", "json", "-i"]
    with tempfile.NamedTemporaryFile(suffix=".ts") as file:
        file.write(stream)
        file.flush()
        output = subprocess.run([*argv, file.name], capture_output=True, check=True).stdout
    return [str(packet["flags"]) for packet in json.loads(output)["packets"]]


def first_decoding_s(stream: Path) -> float:
    """The earliest decoding time of a transport stream."""
    argv = ["ffprobe", "-v", "error", "-read_intervals", "%+1", "-show_entries", "packet=dts_time"]
    output = subprocess.run([*argv, "-print_format", "json", str(stream)], capture_output=True, check=True).stdout
    return min(float(packet["dts_time"]) for packet in json.loads(output)["packets"])


def check_mp4_order(file: Path) -> list[str]:
    """The index comes before the media, so that a browser may begin at once."""
    names = []
    with file.open("rb") as data:
        while head := data.read(8):
            size = int.from_bytes(head[:4], "big")
            names.append(head[4:].decode("latin-1"))
            size = int.from_bytes(data.read(8), "big") - 8 if size == 1 else size
            data.seek(size - 8, 1)
    if "moov" in names and names.index("moov") < names.index("mdat"):
        return []
    return [f"{file.name}: the index comes after the media ({', '.join(names)})."]
