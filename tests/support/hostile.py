"""Small files that are made to keep the functions busy, each of a few kilobytes."""

import struct
from collections.abc import Callable
from pathlib import Path

from support.media import ffmpeg

CLIP_S = 2
CLIP: tuple[object, ...] = (
    *("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25", "-f", "lavfi", "-i", "sine=r=16000", "-t", CLIP_S),
    *("-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", "-b:a", "32k"),
)
HOUR_S = 3600


def claim_matroska(path: Path, length_s: float) -> None:
    """Make a clip of two seconds whose header claims any length."""
    ffmpeg(*CLIP, path)
    data = path.read_bytes()
    at = data.index(b"\x44\x89\x88") + 3  # Duration: 8 bytes, in milliseconds
    path.write_bytes(data[:at] + struct.pack(">d", length_s * 1000) + data[at + 8 :])


def claim_mp4(path: Path, length_s: float) -> None:
    """The same in the headers of the movie, its tracks and its edit lists; the tables of the samples are true."""
    ffmpeg(*CLIP, path)
    data = bytearray(path.read_bytes())
    claimed = struct.pack(">I", min(int(length_s * 1000), 0xFFFFFFFE))
    for box, offset in ((b"mvhd", 20), (b"tkhd", 24), (b"elst", 12)):
        at = data.find(box)
        while at >= 0:
            data[at + offset : at + offset + 4] = claimed
            at = data.find(box, at + 4)
    path.write_bytes(data)


def jump_mp4(path: Path, length_s: float) -> None:
    """Make a fragmented MP4 whose second fragment begins that much later, by its own clock."""
    ffmpeg(*CLIP, "-g", 25, "-movflags", "frag_keyframe+empty_moov", path)
    data = bytearray(path.read_bytes())
    at, seen = data.find(b"tfdt"), 0
    while at >= 0:
        seen += 1
        if seen > 2:
            size = 8 if data[at + 4] else 4
            ticks = min(int(length_s * 12_800), 256**size - 1)
            data[at + 8 : at + 8 + size] = ticks.to_bytes(size, "big")
        at = data.find(b"tfdt", at + 4)
    path.write_bytes(data)


def silence(path: Path, length_s: float, *, stated: bool = True) -> None:
    """Make digital silence: a few bytes for half a second, as FLAC.

    Args:
        path: the file.
        length_s: how long it really is.
        stated: whether its header says so.
    """
    ffmpeg("-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono", "-t", length_s, "-c:a", "flac", path)
    if not stated:
        data = bytearray(path.read_bytes())
        data[21] &= 0xF0  # the number of samples in STREAMINFO: 36 bits
        data[22:26] = bytes(4)
        path.write_bytes(data)


def claim_full_disk(path: Path) -> None:
    """Make a FLAC without sound; what ffmpeg prints about its cover is what it prints when a disk is full."""
    sentence = b"No space left on device"
    info = struct.pack(">HH6xIIQQ", 4096, 4096, 0x0AC442F0, 0, 0, 0)
    cover = struct.pack(">II", 3, len(sentence)) + sentence + struct.pack(">IIIIII", 0, 1, 1, 24, 0, 4) + b"abcd"
    blocks = b"\x00" + len(info).to_bytes(3, "big") + info + b"\x86" + len(cover).to_bytes(3, "big") + cover
    path.write_bytes(b"fLaC" + blocks)


def claim_picture(path: Path) -> None:
    """Make an AVI whose header says 100,000 × 100,000 pixels."""
    coding = ("-c:v", "rawvideo", "-pix_fmt", "bgr24")
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=32x32:r=25", "-t", 1, *coding, path)
    data = path.read_bytes()
    at = data.index(b"strf") + 12
    path.write_bytes(data[:at] + struct.pack("<ii", 100_000, -100_000) + data[at + 8 :])


TEN: dict[str, Callable[[Path], None]] = {
    "claims-100-h.mkv": lambda path: claim_matroska(path, 100 * HOUR_S),
    "claims-30-years.mkv": lambda path: claim_matroska(path, 1e9),
    "claims-11-h.mkv": lambda path: claim_matroska(path, 11 * HOUR_S),
    "claims-100-h.mp4": lambda path: claim_mp4(path, 100 * HOUR_S),
    "jumps-13-h.mp4": lambda path: jump_mp4(path, 13 * HOUR_S),
    "jumps-11-h.mp4": lambda path: jump_mp4(path, 11 * HOUR_S),
    "silent-20-h.flac": lambda path: silence(path, 20 * HOUR_S),
    "silent-unstated.flac": lambda path: silence(path, 20 * HOUR_S, stated=False),
    "full-disk.flac": claim_full_disk,
    "huge-picture.avi": claim_picture,
}
"""Ten of them: file name → what makes it."""
