"""Makes headers state other lengths than the file has."""

import struct
from pathlib import Path


def state_length(path: Path, length_s: float) -> Path:
    """Change the length in the header of a file that ffmpeg wrote: Matroska, WebM, MP4, MOV, FLV, AVI or WAV."""
    data = bytearray(path.read_bytes())
    {
        ".mkv": _matroska, ".webm": _matroska, ".mp4": _mp4, ".mov": _mp4, ".flv": _flv, ".avi": _avi, ".wav": _wav,
    }[path.suffix](data, length_s)  # fmt: skip
    path.write_bytes(data)
    return path


def cut_off(path: Path, share: float) -> Path:
    """Keep only the first part of a file."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def _matroska(data: bytearray, length_s: float) -> None:
    place = data.index(b"\x44\x89\x88") + 3  # Duration, eight bytes; in milliseconds
    data[place : place + 8] = struct.pack(">d", length_s * 1000)


def _mp4(data: bytearray, length_s: float) -> None:
    """In version 0 of each atom; the length of tracks is in the clock of the whole file."""
    movie = data.index(b"mvhd")
    (movie_ticks_per_s,) = struct.unpack_from(">I", data, movie + 16)
    struct.pack_into(">I", data, movie + 20, int(length_s * movie_ticks_per_s))
    place = -1
    while (place := data.find(b"tkhd", place + 1)) >= 0:
        struct.pack_into(">I", data, place + 24, int(length_s * movie_ticks_per_s))
    place = -1
    while (place := data.find(b"mdhd", place + 1)) >= 0:
        (ticks_per_s,) = struct.unpack_from(">I", data, place + 16)
        struct.pack_into(">I", data, place + 20, int(length_s * ticks_per_s))


def _flv(data: bytearray, length_s: float) -> None:
    place = data.index(b"duration") + 9  # after the type of the value
    data[place : place + 8] = struct.pack(">d", length_s)


def _avi(data: bytearray, length_s: float) -> None:
    """Numbers of frames or blocks; dwRate / dwScale of them make a second."""
    main = data.index(b"avih") + 8
    (frame_us,) = struct.unpack_from("<I", data, main)
    struct.pack_into("<I", data, main + 16, int(length_s * 1_000_000 / frame_us))
    place = -1
    while (place := data.find(b"strh", place + 1)) >= 0:
        scale, rate = struct.unpack_from("<II", data, place + 28)
        struct.pack_into("<I", data, place + 40, int(length_s * rate / scale))


def _wav(data: bytearray, length_s: float) -> None:
    (bytes_per_s,) = struct.unpack_from("<I", data, data.index(b"fmt ") + 16)
    struct.pack_into("<I", data, data.index(b"data") + 4, int(length_s * bytes_per_s))
