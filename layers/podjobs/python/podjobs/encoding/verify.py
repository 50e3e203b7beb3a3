"""Verifies a packaged rendition before anyone can see it: frames, order, sound against picture, playability."""

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from podjobs.contract.errors import PermanentError
from podjobs.encoding.ladder import Rendition
from podjobs.encoding.recipe import TICKS_PER_S
from podjobs.encoding.workspace import Workspace

MAX_OFFSET_S = 0.010
AAC_PRIMING_S = 1024 / 48_000
"""ffmpeg's AAC encoder begins with one frame of 1,024 samples that lies before the sound."""
PROFILES = {"Constrained Baseline": "42c0", "Baseline": "4200", "Main": "4d40", "High": "6400"}
"""ffprobe's names to profile_idc and constraint flags. Source: RFC 6381, section 3.3."""
AAC_LC = "mp4a.40.2"
DECODED_S = 1
"""How much is decoded at either end, to see that it plays."""


@dataclass(frozen=True)
class Expectation:
    """What a packaged rendition must hold."""

    rendition: Rendition
    frames: int
    first_frame_s: float
    """On the output's time line."""
    has_audio: bool


@dataclass(frozen=True)
class Verdict:
    """What was found in a packaged rendition."""

    faults: tuple[str, ...]
    """A sentence each; none when all is well."""
    codecs: str
    """As HLS names them: `avc1.64001f,mp4a.40.2`."""


@dataclass(frozen=True)
class Inspection:
    """What ffprobe tells of an MPEG-TS file."""

    packets: dict[str, list[tuple[int, int, bool]]]
    """By stream type, in file order: presentation and decoding time in 90 kHz ticks, whether it is a key frame."""
    codecs: str


def verify_package(expected: Expectation, folder: Path, work: Workspace) -> Verdict:
    """Compare a packaged rendition with what it must hold.

    Args:
        expected: what it must hold.
        folder: where its files lie.
        work: runs ffprobe and ffmpeg.
    """
    name = f"{expected.rendition.name}p"
    stream = folder / f"{name}.ts"
    inspection = _inspect(stream, work)
    faults = check_packets(expected, inspection.packets)
    if expected.rendition.mp4:
        faults += _check_mp4(expected, folder / f"{name}.mp4", work)
    faults += _check_decodes(stream, work)
    return Verdict(tuple(f"{name}: {fault}" for fault in faults), inspection.codecs)


def check_packets(expected: Expectation, packets: dict[str, list[tuple[int, int, bool]]]) -> list[str]:
    """Judge the packets of an MPEG-TS file.

    Args:
        expected: what it must hold.
        packets: by stream type (`video`, `audio`), in file order: presentation and decoding time in 90 kHz ticks,
            whether it is a key frame.
    """
    video, sound = packets.get("video", []), packets.get("audio", [])
    if not video:
        return ["it holds no picture."]
    faults = []
    if len(video) != expected.frames:
        faults.append(f"{expected.frames} frames were encoded, {len(video)} are packaged.")
    if any(after[1] <= before[1] for before, after in pairwise(video)):
        faults.append("decoding times do not increase.")
    if len({packet[0] for packet in video}) != len(video):
        faults.append("two frames have the same time.")
    if not video[0][2]:
        faults.append("it does not begin with a key frame.")
    if expected.has_audio != bool(sound):
        faults.append("the sound is missing." if expected.has_audio else "there is sound that nobody asked for.")
    if expected.has_audio and sound:
        picture_after_sound_s = (min(packet[0] for packet in video) - sound[0][0]) / TICKS_PER_S
        offset_s = picture_after_sound_s - AAC_PRIMING_S - expected.first_frame_s
        if abs(offset_s) > MAX_OFFSET_S:
            faults.append(f"picture and sound are {offset_s * 1000:.0f} ms apart.")
    return faults


def _inspect(file: Path, work: Workspace) -> Inspection:
    entries = "packet=codec_type,pts,dts,flags:stream=codec_type,profile,level"
    argv = [work.settings.ffprobe_cmd, "-v", "error", "-show_entries", entries, "-print_format", "compact=nokey=1"]
    packets: dict[str, list[tuple[int, int, bool]]] = {}
    codecs: dict[str, None] = {}
    for line in work.run([*argv, "-i", str(file)]).splitlines():
        match line.split("|"):
            case ["packet", kind, pts, dts, flags, *_]:
                packets.setdefault(kind, []).append((int(pts), int(dts), flags.startswith("K")))
            case [*_, "stream", profile, "video", level]:
                codecs[f"avc1.{PROFILES.get(profile, PROFILES['High'])}{int(level):02x}"] = None
            case ["stream", _, "audio"]:
                codecs[AAC_LC] = None
    return Inspection(packets, ",".join(codecs))


def _check_mp4(expected: Expectation, file: Path, work: Workspace) -> list[str]:
    argv = [work.settings.ffprobe_cmd, "-v", "error", "-show_entries", "stream=codec_type,nb_frames,start_time"]
    argv += ["-print_format", "json", "-i", str(file)]
    streams: list[dict[str, Any]] = json.loads(work.run(argv))["streams"]
    by_type = {stream["codec_type"]: stream for stream in streams}
    if "video" not in by_type:
        return ["the MP4 holds no picture."]
    faults = []
    if int(by_type["video"].get("nb_frames", 0)) != expected.frames:
        faults.append(f"{expected.frames} frames were encoded, the MP4 holds {by_type['video'].get('nb_frames')}.")
    if expected.has_audio:
        sound_s = float(by_type.get("audio", {}).get("start_time", "inf"))
        picture_s = float(by_type["video"].get("start_time", "inf")) - expected.first_frame_s
        if abs(picture_s - sound_s) > MAX_OFFSET_S:
            faults.append("picture and sound of the MP4 do not begin together.")
    return faults


def _check_decodes(file: Path, work: Workspace) -> list[str]:
    ends = {"beginning": ["-t", str(DECODED_S), "-i"], "end": ["-sseof", f"-{DECODED_S}", "-i"]}
    faults = []
    for end, options in ends.items():
        argv = [work.settings.ffmpeg_cmd, "-hide_banner", "-nostdin", "-v", "error", "-xerror", *options, str(file)]
        try:
            work.run([*argv, "-map", "0:v:0", "-f", "null", "-"])
        except PermanentError as error:
            faults.append(f"its {end} does not play: {error.detail}")
    return faults
