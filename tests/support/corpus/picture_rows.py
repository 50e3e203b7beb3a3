"""Pictures: frames that cannot be decoded alone, sizes that change, files joined, and everything about one picture."""

from pathlib import Path
from typing import Any

from support.corpus.kit import (
    AAC,
    COPY,
    MP2,
    MP3,
    MPEG2,
    MPEG4,
    OPUS,
    PCM,
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
DEEP_265 = (
    *("-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le"),
    *("-x265-params", "log-level=error:pools=1"),
)
WIDE_COLOURS = ("-color_primaries", "bt2020", "-colorspace", "bt2020nc", "-color_trc")
NO_FIRST_KEY = ("-bsf:v", "noise=drop='lt(n,20)'", "-copyinkf")
NO_KEY_ALONE = ("-bsf:v", "noise=drop='eq(n,0)'", "-copyinkf")
JOINS: dict[str, Any] = {"area": "joins"}
Coding = tuple[object, ...]
PICTURE: dict[str, Any] = {"area": "picture"}
LENGTH: dict[str, Any] = {"area": "length"}


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
        kit.ffmpeg("-r", "25", "-i", whole, *sounds, "-c:v", "copy", target)

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


def turned(angle: int) -> Make:
    """Turned by the header."""

    def make(kit: Kit, target: Path) -> None:
        picture = f"transpose={'clock' if angle == 90 else 'cclock'}" if angle != 180 else "hflip,vflip"
        whole = kit.folder / "whole.mp4"
        kit.ffmpeg("-i", kit.picture(), "-i", kit.sound(), "-vf", picture, *X264, *AAC, whole)
        kit.ffmpeg("-i", whole, *COPY, "-metadata:s:v:0", f"rotate={angle}", target)

    return make


def filtered(name: str, about: str, pictures: str, *coding: object, area: str = "picture", **how: Any) -> Row:
    """Numbered frames that a filter changes; `how` as in Kit.clip, or a field of Row."""
    return coded(name, about, "-vf", pictures, *coding, area=area, **how)


def interlaced(*coding: object) -> Make:
    """Two fields a frame: every field has the number of its frame."""

    def make(kit: Kit, target: Path) -> None:
        flags = ("-flags", "+ildct+ilme", "-top", "1")
        kit.ffmpeg("-i", kit.picture(), "-i", kit.sound(), "-vf", "setfield=tff", *coding, *flags, target)

    return make


def with_cover(*coding: object) -> Make:
    """A video with an attached picture before everything else."""

    def make(kit: Kit, target: Path) -> None:
        kit.ffmpeg("-f", "lavfi", "-i", "testsrc2=s=200x200", "-frames:v", "1", "cover.jpg")
        whole = kit.part("whole.mkv", *coding)
        kit.ffmpeg(
            "-i",
            "cover.jpg",
            "-i",
            whole,
            "-map",
            "0",
            "-map",
            "1",
            "-c",
            "copy",
            "-disposition:v:0",
            "attached_pic",
            target,
        )

    return make


def drawn(*options: object, filters: str = "null", seconds: float = 4.0) -> Make:
    """Pictures without sound, for containers that hold nothing else."""

    def make(kit: Kit, target: Path) -> None:
        kit.ffmpeg("-i", kit.picture(seconds=seconds), "-vf", filters, *options, target)

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
    copied("no-first-key.mkv", "begins within a group", (*X264, *AAC), NO_FIRST_KEY, **LENGTH),
    copied("no-first-key.mp4", "begins within a group", (*X264, *AAC), NO_FIRST_KEY, container="mp4", **LENGTH),
    copied("no-first-key.ts", "begins within a group", (*X264, *AAC), NO_FIRST_KEY, container="ts", **LENGTH),
    copied("no-first-key.flv", "begins within a group", (*X264, *AAC), NO_FIRST_KEY, container="flv", **LENGTH),
    copied("no-first-key.webm", "begins within a group", (*VP8, *OPUS), NO_FIRST_KEY, container="webm", **LENGTH),
    copied("no-first-key-vp9.webm", "begins within a group", (*VP9, *OPUS), NO_FIRST_KEY, container="webm", **LENGTH),
    copied("key-frame-lost.mkv", "only the first key frame is missing", (*X264, *AAC), NO_KEY_ALONE, **LENGTH),
    copied(
        "key-frame-lost.mp4",
        "only the first key frame is missing",
        (*X264, *AAC),
        NO_KEY_ALONE,
        container="mp4",
        **LENGTH,
    ),
    copied("key-frame-lost-hevc.mkv", "only the first key frame is missing", (*X265, *AAC), NO_KEY_ALONE, **LENGTH),
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
        "joined.mts", "joins", "camera clips one after another", joined(*X264, "-c:a", "ac3", "-mpegts_m2ts_mode", "1")
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
        sizes(("640x360", 2.88), ("320x180", 2.88), coding=X264, raw="h264", sound=AAC),
        changes_size=True,
    ),
    Row(
        "grows.ts",
        "joins",
        "H.264: 320x180, then 640x360",
        sizes(("320x180", 2.88), ("640x360", 2.88), coding=X264, raw="h264", sound=AAC),
        changes_size=True,
    ),
    Row(
        "widens.ts",
        "joins",
        "4:3, then 16:9",
        sizes(("240x180", 2.88), ("320x180", 2.88), coding=MPEG2, raw="m2v", sound=MP2),
        changes_size=True,
    ),
)
LOOKS = (
    Row("turned-90.mp4", "picture", "turned by the header", turned(90)),
    Row("turned-270.mov", "picture", "turned by the header", turned(270)),
    Row("turned-180.mp4", "picture", "turned by the header", turned(180)),
    coded("portrait.mp4", "higher than wide", *X264, *AAC, size="180x320", **PICTURE),
    coded("odd.mp4", "odd size", *ULTRA, "-pix_fmt", "yuv444p", *AAC, size="321x181", **PICTURE),
    coded("odd.webm", "odd size", *VP9, *OPUS, size="321x181", **PICTURE),
    coded("wide.mp4", "very wide", *X264, *AAC, size="960x64", **PICTURE),
    coded("wide-pixels.mp4", "16:9 of oblong pixels", *X264, *AAC, "-aspect", "16:9", size="360x288", **PICTURE),
    coded("wide-pixels.mkv", "16:9 of oblong pixels", *X264, *AAC, "-aspect", "16:9", size="360x288", **PICTURE),
    coded("wide-pixels.ts", "16:9 of oblong pixels", *MPEG2, *MP2, "-aspect", "16:9", size="352x288", **PICTURE),
    coded("ten-bit.mkv", "HEVC of 10 bit", *DEEP_265, *AAC, **PICTURE),
    coded("ten-bit.mp4", "H.264 of 10 bit, 4:2:2", *ULTRA, "-pix_fmt", "yuv422p10le", *AAC, **PICTURE),
    coded("ten-bit.webm", "VP9 of 10 bit", *VP9, "-pix_fmt", "yuv420p10le", "-profile:v", "2", *OPUS, **PICTURE),
    coded("rgb.mkv", "H.264 in RGB", "-c:v", "libx264rgb", "-preset", "ultrafast", *AAC, **PICTURE),
    coded("gray.mkv", "shades of grey", *ULTRA, "-pix_fmt", "gray", *AAC, **PICTURE),
    coded("full-range.mp4", "full range", *ULTRA, "-pix_fmt", "yuvj420p", "-color_range", "pc", *AAC, **PICTURE),
    coded("hdr-pq.mkv", "HDR10", *DEEP_265, *WIDE_COLOURS, "smpte2084", *AAC, **PICTURE),
    coded("hdr-hlg.mp4", "HLG", *DEEP_265, *WIDE_COLOURS, "arib-std-b67", *AAC, **PICTURE),
    filtered("alpha.webm", "transparent", "format=yuva420p", *VP8, *OPUS),
    Row("interlaced.ts", "picture", "interlaced MPEG-2", interlaced(*MPEG2, *MP2)),
    Row(
        "interlaced.mp4",
        "picture",
        "interlaced H.264",
        interlaced(*ULTRA, "-pix_fmt", "yuv420p", "-x264opts", "tff=1", *AAC),
    ),
    Row("cover.mp4", "picture", "with an attached picture", with_cover(*X264, *AAC)),
    Row("cover.mkv", "picture", "an attached picture comes first", with_cover(*X264, *OPUS)),
    Row("cover-first.mov", "picture", "a picture of another size comes first", with_cover(*X264, *AAC)),
    coded("hevc-plain.ts", "HEVC without sound", *X265, sound_s=0, **PICTURE),
)
SMALL = (
    Row("animation.gif", "codecs", "GIF", drawn(filters="fps=10")),
    Row(
        "animation-uneven.gif",
        "codecs",
        "GIF with pauses",
        drawn("-fps_mode", "passthrough", filters="select='mod(n,5)*lt(mod(n,40),30)',setpts=PTS"),
    ),
    Row("one.gif", "codecs", "GIF of one picture", drawn("-frames:v", "1")),
    Row("animation.apng", "codecs", "animated PNG", drawn("-f", "apng"), refusal="accepted"),
    Row("one.png", "codecs", "a picture", drawn("-frames:v", "1"), refusal="picture"),
    Row("one.jpg", "codecs", "a picture", drawn("-frames:v", "1", "-q:v", "2"), refusal="picture"),
    Row("one.webp", "codecs", "a picture", drawn("-frames:v", "1"), refusal="picture"),
    Row("raw.h264", "codecs", "H.264 without container", drawn(*X264)),
    Row("raw.m4v", "codecs", "MPEG-4 without container", drawn(*MPEG4)),
    Row("raw.ivf", "codecs", "VP8 in IVF", drawn(*VP8)),
    Row("raw.y4m", "codecs", "uncompressed, YUV4MPEG", drawn("-pix_fmt", "yuv420p")),
    coded("tiny-2.mkv", "2 x 2 pixels", *X264, *AAC, size="2x2", numbered=False, **PICTURE),
    coded("tiny-16.mp4", "16 x 16 pixels", *X264, *AAC, size="16x16", numbered=False, **PICTURE),
    coded("tiny-1.mkv", "1 x 1 pixel", "-c:v", "ffv1", *PCM, size="1x1", numbered=False, **PICTURE),
    coded("tiny-high.mkv", "2 x 200 pixels", "-c:v", "ffv1", *PCM, size="2x200", numbered=False, **PICTURE),
    coded("tiny.avi", "8 x 8 pixels", *MPEG4, *MP3, size="8x8", numbered=False, **PICTURE),
)
ROWS: tuple[Row, ...] = (*RECOVERY, *JOINED, *LOOKS, *SMALL)
