"""Frames that cannot be decoded alone, files joined, and sizes that change."""

from pathlib import Path
from typing import Any

from support.corpus.kit import (
    AAC,
    MP2,
    MPEG2,
    OPUS,
    VP8,
    VP9,
    X264,
    X265,
    Kit,
    Make,
    Row,
    coded,
    copied,
    patched,
)
from support.corpus.patches import matroska_all_key, without_sync_samples

ULTRA = ("-c:v", "libx264", "-preset", "ultrafast", "-threads", "1")
REFRESH = (*ULTRA, "-pix_fmt", "yuv420p", "-x264-params", "intra-refresh=1:keyint=50:bframes=0")
OPEN = (*ULTRA, "-pix_fmt", "yuv420p", "-x264-params", "keyint=30:open-gop=1:bframes=3:b-pyramid=normal:scenecut=0")
OPEN_265 = (
    *("-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p"),
    *("-x265-params", "log-level=error:keyint=30:open-gop=1:bframes=3:pools=1"),
)
NO_FIRST_KEY = ("-bsf:v", "noise=drop='lt(n,20)'", "-copyinkf")
NO_KEY_ALONE = ("-bsf:v", "noise=drop='eq(n,0)'", "-copyinkf")
JOINS: dict[str, Any] = {"area": "joins"}
Coding = tuple[object, ...]
BEHEADED: dict[str, Any] = {"area": "length", "meant_s": 1.0}


def sizes(*steps: tuple[str, float], coding: Coding = VP8, raw: str = "ivf", sound: Coding = ()) -> Make:
    """Parts of these sizes and lengths, one after another in one stream."""

    def make(kit: Kit, target: Path) -> None:
        first, parts = 0, []
        for size, seconds in steps:
            part = kit.part(f"{first}.{raw}", *coding, size=size, seconds=seconds, first=first, sound_s=0)
            first += round(seconds * 25)
            parts.append(part)
        whole = kit.folder / f"whole.{raw}"
        if raw == "ivf":  # a header of 32 bytes; times go on
            join_ivf(parts, whole)
        else:
            whole.write_bytes(b"".join(part.read_bytes() for part in parts))
        sounds = ("-i", kit.sound(first / 25), "-map", "0", "-map", "1", *sound) if sound else ("-map", "0")
        kit.ffmpeg("-fflags", "+genpts", "-r", "25", "-i", whole, *sounds, "-c:v", "copy", target)

    return make


def join_ivf(parts: list[Path], whole: Path) -> None:
    """Frames of several IVF files in one, numbered on."""
    data, number = bytearray(parts[0].read_bytes()[:32]), 0
    for part in parts:
        content, place = part.read_bytes(), 32
        while place < len(content):
            length = int.from_bytes(content[place : place + 4], "little")
            end = place + 12 + length
            data += content[place : place + 4] + number.to_bytes(8, "little") + content[place + 12 : end]
            place, number = end, number + 1
    whole.write_bytes(data)


def joined(*coding: object, short_s: float = 0.0, restart: bool = True) -> Make:
    """Three files one after another, as `cat` joins them, whose sound is shorter than the picture."""

    def make(kit: Kit, target: Path) -> None:
        data = b""
        for part in range(3):
            first = 72 * part
            offset = () if restart else ("-output_ts_offset", first / 25)
            data += kit.part(
                f"{part}{target.suffix}", *coding, *offset, first=first, seconds=2.88, sound_s=2.78 - short_s
            ).read_bytes()
        target.write_bytes(data)

    return make


RECOVERY = (
    coded("refresh.mkv", "intra refresh", *REFRESH, *AAC, **JOINS),
    coded("refresh.mp4", "intra refresh", *REFRESH, *AAC, **JOINS),
    coded("refresh.ts", "intra refresh", *REFRESH, *AAC, **JOINS),
    coded("refresh.flv", "intra refresh", *REFRESH, *AAC, **JOINS),
    coded(
        "refresh-large.mkv",
        "intra refresh over 78 frames",
        *REFRESH[:-1],
        "intra-refresh=1:keyint=100:bframes=0",
        *AAC,
        size="1280x180",
        **JOINS,
    ),
    coded("open.mp4", "open groups", *OPEN, *AAC, **JOINS),
    coded("open.mkv", "open groups", *OPEN, *AAC, **JOINS),
    coded("open.ts", "open groups", *OPEN, *AAC, **JOINS),
    coded("open-hevc.mp4", "open groups, HEVC", *OPEN_265, *AAC, **JOINS),
    coded("open-hevc.mkv", "open groups, HEVC", *OPEN_265, *AAC, **JOINS),
    coded("open-mpeg2.ts", "open groups, MPEG-2", *MPEG2, "-bf", "2", "-g", "25", *MP2, **JOINS),
    patched("all-key.mkv", "every frame is called a key frame", (*X264, *AAC), matroska_all_key, **JOINS),
    patched("all-key.webm", "every frame is called a key frame", (*VP8, *OPUS), matroska_all_key, **JOINS),
    patched("all-key.mp4", "every frame is called a key frame", (*X264, *AAC), without_sync_samples, **JOINS),
    patched("all-key-hevc.mp4", "every frame is called a key frame", (*X265, *AAC), without_sync_samples, **JOINS),
    coded("one-key.mp4", "one key frame", *X264, "-g", "1000", *AAC, **JOINS),
    coded("one-key.webm", "one key frame", *VP9, "-g", "1000", *OPUS, **JOINS),
    copied("no-first-key.mkv", "begins within a group", (*X264, *AAC), NO_FIRST_KEY, **BEHEADED),
    copied("no-first-key.mp4", "begins within a group", (*X264, *AAC), NO_FIRST_KEY, container="mp4", **BEHEADED),
    copied("no-first-key.ts", "begins within a group", (*X264, *AAC), NO_FIRST_KEY, container="ts", **BEHEADED),
    copied("no-first-key.flv", "begins within a group", (*X264, *AAC), NO_FIRST_KEY, container="flv", **BEHEADED),
    copied("no-first-key.webm", "begins within a group", (*VP8, *OPUS), NO_FIRST_KEY, container="webm", **BEHEADED),
    copied(
        "no-first-key-vp9.webm",
        "begins within a group",
        (*VP9, *OPUS),
        NO_FIRST_KEY,
        container="webm",
        refusal="no picture",
        **BEHEADED,
    ),
    copied("key-frame-lost.mkv", "only the first key frame is missing", (*X264, *AAC), NO_KEY_ALONE, **BEHEADED),
    copied(
        "key-frame-lost.mp4",
        "only the first key frame is missing",
        (*X264, *AAC),
        NO_KEY_ALONE,
        container="mp4",
        **BEHEADED,
    ),
    copied("key-frame-lost-hevc.mkv", "only the first key frame is missing", (*X265, *AAC), NO_KEY_ALONE, **BEHEADED),
    copied(
        "packets-lost.mkv",
        "ten frames in the middle are missing",
        (*X264, *AAC),
        ("-bsf:v", "noise=drop='between(n,60,70)'"),
        **JOINS,
    ),
    copied(
        "packets-lost.ts",
        "ten frames in the middle are missing",
        (*MPEG2, *MP2),
        ("-bsf:v", "noise=drop='between(n,60,70)'"),
        container="ts",
        odd_frames=1,
        **JOINS,
    ),
)
JOINED = (
    Row("joined.ts", "joins", "files one after another, each with its own clock", joined(*X264, *AAC)),
    Row("joined-mpeg2.ts", "joins", "files one after another, each with its own clock", joined(*MPEG2, *MP2)),
    Row("joined-short-sound.ts", "sound", "files one after another, sound shorter", joined(*X264, *AAC, short_s=0.3)),
    Row("joined-on.ts", "joins", "files one after another, the clock goes on", joined(*X264, *AAC, restart=False)),
    Row("joined.mpg", "joins", "files one after another", joined(*MPEG2, *MP2, "-f", "vob")),
    Row("joined.mkv", "joins", "files one after another: players show the first", joined(*X264, *AAC)),
    Row(
        "joined.mts",
        "joins",
        "camera clips one after another",
        joined(*X264, "-c:a", "ac3", "-mpegts_m2ts_mode", "1"),
        odd_frames=2,
    ),
    Row("joined.flv", "joins", "files one after another", joined(*X264, *AAC)),
    Row(
        "turns.webm",
        "joins",
        "320x180, 180x320, 320x180",
        sizes(("320x180", 1.92), ("180x320", 1.92), ("320x180", 1.92)),
        changes_size=True,
    ),
    Row("grows.webm", "joins", "160x90, then 640x360", sizes(("160x90", 1.92), ("640x360", 3.84)), changes_size=True),
    Row(
        "grows-vp9.webm",
        "joins",
        "160x90, then 640x360",
        sizes(("160x90", 1.92), ("640x360", 3.84), coding=VP9, sound=OPUS),
        changes_size=True,
    ),
    Row(
        "shrinks.mkv",
        "joins",
        "H.264: 640x360, then 320x180",
        sizes(("640x360", 2.88), ("320x180", 2.88), coding=(*X264, "-bf", "0"), raw="h264", sound=AAC),
        changes_size=True,
    ),
    Row(
        "grows.ts",
        "joins",
        "H.264: 320x180, then 640x360",
        sizes(("320x180", 2.88), ("640x360", 2.88), coding=(*X264, "-bf", "0"), raw="h264", sound=AAC),
        changes_size=True,
    ),
    Row(
        "widens.ts",
        "joins",
        "4:3, then 16:9",
        sizes(("240x180", 2.88), ("320x180", 2.88), coding=(*MPEG2, "-bf", "0"), raw="m2v", sound=MP2),
        changes_size=True,
    ),
)
ROWS: tuple[Row, ...] = (*RECOVERY, *JOINED)
