"""What pictures look like: size, aspect, colours, fields; and pictures without sound, or of a few pixels."""

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
)

ULTRA = ("-c:v", "libx264", "-preset", "ultrafast", "-threads", "1")
DEEP_265 = (
    *("-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le"),
    *("-x265-params", "log-level=error:pools=1"),
)
WIDE_COLOURS = ("-color_primaries", "bt2020", "-colorspace", "bt2020nc", "-color_trc")
PICTURE: dict[str, Any] = {"area": "picture"}
HDR: dict[str, Any] = {"area": "picture", "tone_mapped": True}


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
    coded("hdr-pq.mkv", "HDR10", *DEEP_265, *WIDE_COLOURS, "smpte2084", *AAC, **HDR),
    coded("hdr-hlg.mp4", "HLG", *DEEP_265, *WIDE_COLOURS, "arib-std-b67", *AAC, **HDR),
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
    Row("one.gif", "codecs", "GIF of one picture", drawn("-frames:v", "1"), refusal="picture"),
    Row("animation.apng", "codecs", "animated PNG", drawn("-f", "apng"), refusal="accepted"),
    Row("one.png", "codecs", "a picture", drawn("-frames:v", "1"), refusal="picture"),
    Row("one.jpg", "codecs", "a picture", drawn("-frames:v", "1", "-q:v", "2"), refusal="picture"),
    Row("one.webp", "codecs", "a picture", drawn("-frames:v", "1"), refusal="picture"),
    Row("raw.h264", "codecs", "H.264 without container", drawn(*X264), refusal="is not accepted"),
    Row("raw.m4v", "codecs", "MPEG-4 without container", drawn(*MPEG4)),
    Row("raw.ivf", "codecs", "VP8 in IVF", drawn(*VP8), refusal="is not accepted"),
    Row("raw.y4m", "codecs", "uncompressed, YUV4MPEG", drawn("-pix_fmt", "yuv420p"), refusal="is not accepted"),
    coded("tiny-2.mkv", "2 x 2 pixels", *X264, *AAC, size="2x2", numbered=False, **PICTURE),
    coded("tiny-16.mp4", "16 x 16 pixels", *X264, *AAC, size="16x16", numbered=False, **PICTURE),
    coded("tiny-1.mkv", "1 x 1 pixel", "-vf", "scale=1:1,setsar=1", "-c:v", "ffv1", *PCM, numbered=False, **PICTURE),
    coded("tiny-high.mkv", "2 x 200 pixels", "-c:v", "ffv1", *PCM, size="2x200", numbered=False, **PICTURE),
    coded("tiny.avi", "8 x 8 pixels", *MPEG4, *MP3, size="8x8", numbered=False, **PICTURE),
)
ROWS: tuple[Row, ...] = (*LOOKS, *SMALL)
