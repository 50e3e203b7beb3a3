"""What is changed in a finished file. All take its bytes and return others."""

import re
import struct
from collections.abc import Callable, Iterator

Patch = Callable[[bytes], bytes]
SEGMENT, CLUSTER, SIMPLE_BLOCK = 0x18538067, 0x1F43B675, 0xA3
CUES, DURATION = b"\x1c\x53\xbb\x6b", b"\x44\x89\x88"
KEY_FRAME = 0x80
BOXES_WITH_A_DURATION = {b"mvhd": 20, b"mdhd": 20, b"tkhd": 24}
"""How far their duration is from their name, in version 0."""
SAMPLE_TABLES = (b"stts", b"stsc", b"stco", b"stsz", b"co64")
ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")


class PatchError(Exception):
    """A file does not have what is to be changed."""


def _place(data: bytes, mark: bytes, start: int = 0) -> int:
    place = data.find(mark, start)
    if place < 0:
        raise PatchError(f"there is no {mark!r}")
    return place


def cut_off(share: float) -> Patch:
    """Only the first part is left, as after a broken transfer."""
    return lambda data: data[: int(len(data) * share)]


def zeros_inside(begin: float, length: int) -> Patch:
    """A part of the file was never written."""

    def patch(data: bytes) -> bytes:
        start = int(len(data) * begin)
        return data[:start] + bytes(length) + data[start + length :]

    return patch


def matroska_states(seconds: float) -> Patch:
    """The header states another length; the clock ticks milliseconds."""

    def patch(data: bytes) -> bytes:
        place = _place(data, DURATION) + len(DURATION)
        return data[:place] + struct.pack(">d", seconds * 1000) + data[place + 8 :]

    return patch


def matroska_tags_state(seconds: int) -> Patch:
    """The tags DURATION of the streams are those of another file."""
    return lambda data: re.sub(rb"00:00:\d\d\.\d{9}", b"00:00:%02d.000000000" % seconds, data)


def without_cues(data: bytes) -> bytes:
    """The index of a Matroska file becomes an element that nobody knows."""
    place = data.rindex(CUES)
    return data[:place] + b"\x1c\x53\xbb\x6c" + data[place + 4 :]


def matroska_all_key(data: bytes) -> bytes:
    """Every packet of the picture is called a key frame."""
    changed = bytearray(data)
    for place in _simple_blocks(data, 0, len(data)):
        if changed[place] == 0x81:  # the first track
            changed[place + 3] |= KEY_FRAME
    return bytes(changed)


def _simple_blocks(data: bytes, place: int, end: int) -> Iterator[int]:
    while place < end:
        name, place = _vint(data, place, keep=True)
        size, place = _vint(data, place)
        if name in (SEGMENT, CLUSTER):
            yield from _simple_blocks(data, place, min(end, place + size))
        elif name == SIMPLE_BLOCK:
            yield place
        place += size


def _vint(data: bytes, place: int, *, keep: bool = False) -> tuple[int, int]:
    length = 9 - data[place].bit_length()
    value = int.from_bytes(data[place : place + length], "big")
    return value if keep else value & ((1 << (7 * length)) - 1), place + length


def mp4_states(factor: float) -> Patch:
    """Film, tracks and edit lists state another length; the sample tables do not."""

    def patch(data: bytes) -> bytes:
        changed = bytearray(data)
        for box, far in BOXES_WITH_A_DURATION.items():
            for found in re.finditer(box, data):
                _multiply(changed, found.start() + far, factor)
        for found in re.finditer(b"elst", data):
            for entry in range(int.from_bytes(data[found.start() + 8 : found.start() + 12], "big")):
                _multiply(changed, found.start() + 12 + 12 * entry, factor)
        return bytes(changed)

    return patch


def _multiply(data: bytearray, place: int, factor: float) -> None:
    value = int.from_bytes(data[place : place + 4], "big")
    data[place : place + 4] = round(value * factor).to_bytes(4, "big")


def without_sync_samples(data: bytes) -> bytes:
    """An MP4 without the list of its key frames: every frame counts as one."""
    return data.replace(b"stss", b"free")


def empty_sound_tables(data: bytes) -> bytes:
    """The sample tables of an MP4's last track have no entries."""
    changed = bytearray(data)
    track = _place(data, b"soun")
    for box in SAMPLE_TABLES:
        if (place := data.find(box, track)) >= 0:
            count = place + (12 if box == b"stsz" else 8)
            changed[count : count + 4] = bytes(4)
    return bytes(changed)


def renamed(old: bytes, new: bytes, *, last: bool = False) -> Patch:
    """A name of four letters becomes another one, at its first or last place."""

    def patch(data: bytes) -> bytes:
        place = data.rfind(old) if last else _place(data, old)
        return data[:place] + new + data[place + len(old) :]

    return patch


def flash_states(seconds: float) -> Patch:
    """The metadata of a Flash video state another length."""

    def patch(data: bytes) -> bytes:
        place = _place(data, b"duration\0") + 9
        return data[:place] + struct.pack(">d", seconds) + data[place + 8 :]

    return patch


def avi_states(frames: int) -> Patch:
    """The headers of an AVI state another number of frames."""

    def patch(data: bytes) -> bytes:
        changed = bytearray(data)
        for place in (_place(data, b"avih") + 8 + 16, _place(data, b"strh") + 8 + 32):
            changed[place : place + 4] = struct.pack("<I", frames)
        return bytes(changed)

    return patch


def asf_states(seconds: float) -> Patch:
    """The file properties of a WMV state another length."""

    def patch(data: bytes) -> bytes:
        place = _place(data, ASF_FILE_PROPERTIES) + 64
        return data[:place] + struct.pack("<QQ", *[round(seconds * 1e7)] * 2) + data[place + 16 :]

    return patch


def wave_states(size: int) -> Patch:
    """The header of a WAV states another size; 0xFFFFFFFF: it was streamed."""

    def patch(data: bytes) -> bytes:
        place = _place(data, b"data") + 4
        riff = struct.pack("<I", min(size + place, 0xFFFFFFFF))
        return data[:4] + riff + data[8:place] + struct.pack("<I", size) + data[place + 4 :]

    return patch


def flac_states(samples: int) -> Patch:
    """The header of a FLAC file states another number of samples; 0: unknown."""

    def patch(data: bytes) -> bytes:
        head = bytes([data[21] & 0xF0 | samples >> 32])
        return data[:21] + head + struct.pack(">I", samples & 0xFFFFFFFF) + data[26:]

    return patch


def xing_states(frames: int) -> Patch:
    """The first frame of an MP3 states another number of frames."""

    def patch(data: bytes) -> bytes:
        place = max(data.find(b"Xing"), data.find(b"Info")) + 8
        return data[:place] + struct.pack(">I", frames) + data[place + 4 :]

    return patch
