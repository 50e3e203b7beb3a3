"""Verifies a packaged rendition before it is published: frames, order, A/V offset, playability."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from podjobs.contract.commands import Access
from podjobs.contract.errors import PermanentError
from podjobs.encoding.ladder import Rendition
from podjobs.encoding.playlist import AAC_FRAME_S, Inspection, Packets, read_segments
from podjobs.encoding.recipe import TICKS_PER_S
from podjobs.encoding.workspace import Workspace

MAX_OFFSET_S = 0.010
AAC_PRIMING_S = AAC_FRAME_S
"""ffmpeg's AAC encoder begins with one frame that precedes the sound."""
SEGMENT_TOLERANCE_S = 0.01
"""Playlists round all lengths."""
DECODED_S = 1
"""How much is decoded at each end to make sure that it plays."""


@dataclass(frozen=True)
class Expectation:
    """What a packaged rendition must contain."""

    rendition: Rendition
    frames: int
    first_frame_s: float
    """On the output's time line."""
    has_audio: bool


@dataclass(frozen=True)
class Verdict:
    """What was found in a packaged rendition."""

    faults: tuple[str, ...]
    """One sentence each; empty if all is well."""
    codecs: str
    """In HLS notation: `avc1.64001f,mp4a.40.2`."""


def verify_package(expected: Expectation, inspection: Inspection, folder: Path, work: Workspace) -> Verdict:
    """Compare a packaged rendition with what it must contain.

    Args:
        expected: what it must contain.
        inspection: of its MPEG-TS file.
        folder: where its files are.
        work: runs ffprobe and ffmpeg.
    """
    name = f"{expected.rendition.name}p"
    faults = check_packets(expected, inspection.packets)
    faults += check_segments(read_segments(folder / f"{name}.m3u8"), inspection.packets)
    if expected.rendition.mp4:
        faults += check_mp4(expected, folder / f"{name}.mp4", work)
    faults += _check_decodes(folder / f"{name}.ts", inspection.packets, work)
    return Verdict(tuple(f"{name}: {fault}" for fault in faults), inspection.codecs)


def check_packets(expected: Expectation, packets: Packets) -> list[str]:
    """Check the packets of an MPEG-TS file.

    Args:
        expected: what it must contain.
        packets: what it contains.
    """
    video, sound = packets.get("video", []), packets.get("audio", [])
    if not video:
        return ["it contains no picture."]
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
        faults.append("the sound is missing." if expected.has_audio else "there is sound, but the source has none.")
    if expected.has_audio and sound:
        picture_after_sound_s = (min(packet[0] for packet in video) - sound[0][0]) / TICKS_PER_S
        offset_s = picture_after_sound_s - AAC_PRIMING_S - expected.first_frame_s
        if abs(offset_s) > MAX_OFFSET_S:
            faults.append(f"picture and sound are {offset_s * 1000:.0f} ms apart.")
    return faults


def check_segments(durations_s: Sequence[float], packets: Packets) -> list[str]:
    """Check the lengths of a playlist's segments: each must begin with a key frame.

    Args:
        durations_s: as listed in the playlist.
        packets: of the stream it describes.
    """
    video = packets.get("video", [])
    key_frames_s = [(pts - video[0][0]) / TICKS_PER_S for pts, _, is_key in video if is_key]
    for begin_s in accumulate([0.0, *durations_s[:-1]]):
        if not any(abs(begin_s - time_s) < SEGMENT_TOLERANCE_S for time_s in key_frames_s):
            return [f"the playlist's segment at {begin_s:.2f} s does not begin with a key frame."]
    return []


def check_mp4(expected: Expectation, file: Path, work: Workspace) -> list[str]:
    """Check an MP4.

    Args:
        expected: what it must contain.
        file: the MP4.
        work: runs ffprobe.
    """
    argv = [work.settings.ffprobe_cmd, "-v", "error", "-show_entries", "stream=codec_type,nb_frames,start_time"]
    argv += ["-print_format", "json", "-i", str(file)]
    streams: list[dict[str, Any]] = json.loads(work.run(argv, access=Access((file,))))["streams"]
    by_type = {stream["codec_type"]: stream for stream in streams}
    if "video" not in by_type:
        return ["the MP4 contains no picture."]
    faults = []
    if int(by_type["video"].get("nb_frames", 0)) != expected.frames:
        faults.append(f"{expected.frames} frames were encoded, the MP4 contains {by_type['video'].get('nb_frames')}.")
    if expected.has_audio:
        sound_s = float(by_type.get("audio", {}).get("start_time", "inf"))
        picture_s = float(by_type["video"].get("start_time", "inf")) - expected.first_frame_s
        if abs(picture_s - sound_s) > MAX_OFFSET_S:
            faults.append("picture and sound of the MP4 do not begin at the same time.")
    return faults


def _check_decodes(file: Path, packets: Packets, work: Workspace) -> list[str]:
    last = max((packet[0] for kind in packets.values() for packet in kind), default=0)
    last_key = max((pts for pts, _, is_key in packets.get("video", []) if is_key), default=last)
    # -sseof counts from the end: decoding must begin at the last key frame or earlier
    return check_ends(file, "mpegts", (last - last_key) / TICKS_PER_S, work)


def check_ends(file: Path, format_name: str, last_gop_s: float, work: Workspace) -> list[str]:
    """Check that the beginning and the end of a file can be decoded.

    Args:
        file: with a picture.
        format_name: ffmpeg's name of its container.
        last_gop_s: how far the last key frame is from the end.
        work: runs ffmpeg.
    """
    from_end_s = last_gop_s + DECODED_S
    ends = {"beginning": ["-t", str(DECODED_S)], "end": ["-sseof", f"-{from_end_s:.3f}"]}
    faults = []
    for end, options in ends.items():
        # -xerror: stop at the first error; a player would show a damaged picture
        argv = [work.settings.ffmpeg_cmd, "-hide_banner", "-nostdin", "-v", "error", "-xerror", *options]
        try:
            # -f: a file of a few packets would be taken for another kind
            argv += ["-f", format_name, "-i", str(file), "-map", "0:v:0", "-f", "null", "-"]
            work.run(argv, access=Access((file,)))
        except PermanentError as error:
            faults.append(f"its {end} does not play: {error.detail}")
    return faults
