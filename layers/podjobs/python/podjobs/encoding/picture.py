"""What is done to frames besides scaling: deinterlacing, decimation, freezing, tone mapping, colour, the watermark.

Filters before the cut look at neighbouring frames, so they need a chunk's preroll; those after it do not.
Pure.
"""

import math
from collections.abc import Sequence
from typing import Any

import ffmpeg

from podjobs.contract.commands import MediaInput
from podjobs.encoding.ladder import Rendition
from podjobs.encoding.recipe import FREEZE_EVERY_S, TICKS_PER_S, Watermark
from podjobs.media.facts import VideoFacts

HDR_TRANSFERS = frozenset({"smpte2084", "arib-std-b67"})
"""PQ (HDR10) and HLG."""
REFERENCE_WHITE_NITS = 203
"""Luminance of the HDR white that becomes SDR's white. Source: ITU-R BT.2408."""
SD_HEIGHT_PX = 576
SWSCALE_MATRICES = {
    "bt709": "bt709",
    "bt470bg": "bt601",
    "smpte170m": "bt601",
    "smpte240m": "smpte240m",
    "fcc": "fcc",
    "bt2020nc": "bt2020",
    "bt2020c": "bt2020",
}
"""ffprobe's names of YCbCr matrices to those of the scale filter."""
BT709, BT601 = "bt709", "smpte170m"
GRID_TOLERANCE = 0.25
"""Share of a frame interval by which timestamps may be off: containers that count milliseconds round them."""
RATE_TOLERANCE = 1.01
"""60000/1001 and a phone's 60.02 fps count as 60."""

SMALLEST_INTERLACED_PX = 32
"""No camera has less, and the filter refuses pictures of fewer than 3 columns or 4 lines."""

JITTER_S = 0.002
"""Containers that count milliseconds round timestamps."""

WATERMARK_HEIGHT, MARGIN = 0.10, 0.05
"""Shares of the picture's height; the margin is the same on both axes. Source: docs/contract-pod.md."""

Frames = Any
"""A stream of ffmpeg-python."""


def choose_decimation(frame_rate: float, highest: float) -> int:
    """Choose of how many frames one is kept: 1, 2, 4 …, so that the rate does not exceed the highest one.

    Args:
        frame_rate: of the source, frames per second; 0 if unknown.
        highest: frames per second.
    """
    decimation = 1
    while frame_rate / decimation > highest * RATE_TOLERANCE:
        decimation *= 2
    return decimation


def prepare_frames(frames: Frames, video: VideoFacts, decimation: int) -> Frames:
    """Apply the filters that look at neighbouring frames; before the cut.

    Args:
        frames: as decoded, with the source's own timestamps.
        video: the source.
        decimation: one frame of so many is kept.
    """
    if video.interlaced and min(video.width_px, video.height_px) >= SMALLEST_INTERLACED_PX:
        # send_frame: one frame per frame, not one per field, which would double the rate.
        # deint=interlaced: frames flagged as progressive pass unchanged.
        frames = frames.filter("bwdif", mode="send_frame", parity="auto", deint="interlaced")
    if decimation > 1:
        # A frame is kept if it is the first in its interval: the same ones in every chunk, wherever it begins.
        rate = f"{video.frame_rate / decimation:.6f}"
        now, before = (f"floor({name}*{rate}+{GRID_TOLERANCE})" for name in ("t", "prev_t"))
        frames = frames.filter("select", f"isnan(prev_t)+gt({now},{before})")
    return frames


def freeze_first(frames: Frames, video: VideoFacts, length_s: float) -> Frames:
    """Show the first frame before its time.

    Args:
        frames: with the source's own timestamps, in our ticks.
        video: the source.
        length_s: how long before its time.
    """
    copies = math.ceil(length_s / FREEZE_EVERY_S)
    first, every = round((video.start_s - length_s) * TICKS_PER_S), FREEZE_EVERY_S * TICKS_PER_S
    # tpad spaces its copies by the frame rate and shifts what follows; setpts puts both where they belong
    moved = f"st(0,if(eq(N,{copies}),PTS-{round(video.start_s * TICKS_PER_S)},ld(0)))"
    at = f"if(lt(N,{copies}),{first}+N*{every},PTS-{moved})"
    return frames.filter("tpad", start=copies, start_mode="clone").filter("setpts", at)


def freeze_last(frames: Frames, last_s: float, from_s: float) -> Frames:
    """Show the last frame for ever; the rest of the filter graph sets the end. No other frame is touched.

    Args:
        frames: with the source's own timestamps, in our ticks.
        last_s: time of the last frame, as measured.
        from_s: where the chunk begins: the copies before it, which would be cut off, are not made.
    """
    first_s = last_s + FREEZE_EVERY_S * max(1, math.ceil((from_s - last_s) / FREEZE_EVERY_S))
    next_copy = f"max(ld(0)+{FREEZE_EVERY_S * TICKS_PER_S},{round(first_s * TICKS_PER_S)})"
    # stop=-1: tpad clones endlessly, at the frame rate; setpts moves each copy to its place before the next is made
    return frames.filter("tpad", stop=-1, stop_mode="clone").filter(
        "setpts", f"if(lte(T,{last_s + JITTER_S:.6f}),st(0,PTS),st(0,{next_copy}))"
    )


def tonemap_to_sdr(frames: Frames, video: VideoFacts, largest_px: tuple[int, int]) -> Frames:
    """Map HDR to SDR; other sources are not changed.

    Args:
        frames: after the cut.
        video: the source.
        largest_px: width and height of the largest rendition: more pixels would be wasted.
    """
    if video.transfer not in HDR_TRANSFERS:
        return frames
    width_px, height_px = largest_px
    matrix = video.matrix if video.matrix in {"bt2020nc", "bt2020c"} else "bt2020nc"
    return (
        # zscale refuses frames with unknown colours; the container's values may be missing in the frames
        frames.filter("setparams", colorspace=matrix, color_trc=video.transfer, color_primaries="bt2020", range="tv")
        # tone mapping works on linear light, in floating-point RGB
        .filter("zscale", w=width_px, h=height_px, t="linear", npl=REFERENCE_WHITE_NITS)
        .filter("format", "gbrpf32le")
        .filter("zscale", p="bt709")
        # mobius changes only the highlights; hable, the usual choice, darkens slides and faces
        .filter("tonemap", "mobius", desat=0)
        .filter("zscale", t="bt709", m="bt709", r="tv")
        .filter("format", "yuv420p")
    )


def output_matrix(video: VideoFacts) -> str:
    """Choose the YCbCr matrix of the renditions: the source's if browsers know it, so that nothing is lost.

    Args:
        video: the source. If it has no tag, BT.601 is assumed for up to 576 lines, as players do.

    Returns:
        ffmpeg's name, `bt709` or `smpte170m`.
    """
    if video.is_rgb or video.transfer in HDR_TRANSFERS:
        return BT709
    source = SWSCALE_MATRICES.get(video.matrix)
    if source is None:
        return BT601 if video.height_px <= SD_HEIGHT_PX else BT709
    return BT601 if source == "bt601" else BT709


def scale_options(video: VideoFacts, matrix: str) -> dict[str, str]:
    """Options of the scale filter that convert a picture to a matrix in limited range; none if it has both already.

    Args:
        video: the source.
        matrix: of the renditions, ffmpeg's name.
    """
    wanted = SWSCALE_MATRICES[matrix]
    if video.transfer in HDR_TRANSFERS:
        source, full_range = "bt709", False  # the output of tonemap_to_sdr
    else:
        source, full_range = (
            SWSCALE_MATRICES.get(video.matrix) or SWSCALE_MATRICES[output_matrix(video)],
            video.full_range,
        )
    if video.is_rgb:
        return {"out_color_matrix": wanted, "out_range": "tv"}
    options = {} if source == wanted else {"in_color_matrix": source, "out_color_matrix": wanted}
    return options | ({"in_range": "pc", "out_range": "tv"} if full_range else {})


def tag_frames(frames: Frames, matrix: str) -> Frames:
    """Tag finished frames with their colour space, so that players do not have to guess."""
    return frames.filter("setparams", range="tv", color_primaries=matrix, color_trc=matrix, colorspace=matrix)


def overlay_watermark(
    pictures: Sequence[Frames], watermark: Watermark, file: MediaInput, renditions: Sequence[Rendition], matrix: str
) -> list[Frames]:
    """Overlay the watermark on the pictures of all renditions.

    Args:
        pictures: in the sizes of the renditions.
        watermark: its position and opacity.
        file: a PNG that we made ourselves.
        renditions: one per picture.
        matrix: of the pictures, ffmpeg's name.
    """
    marks = (
        ffmpeg.input(file.url, f="png_pipe", protocol_whitelist=file.protocol_whitelist)
        .video.filter("format", "rgba")
        .filter("colorchannelmixer", aa=watermark.opacity)
        .filter_multi_output("split", len(renditions))
    )
    vertical, _, horizontal = watermark.position.partition("_")
    x = f"H*{MARGIN}" if horizontal == "left" else f"W-w-H*{MARGIN}"
    y = f"H*{MARGIN}" if vertical == "top" else f"H-h-H*{MARGIN}"
    return [
        # eof_action=repeat: the watermark is a single frame, overlaid on all of them
        ffmpeg.overlay(picture, _scale_mark(marks[index], rendition, matrix), x=x, y=y, eof_action="repeat")
        for index, (picture, rendition) in enumerate(zip(pictures, renditions, strict=True))
    ]


def _scale_mark(mark: Frames, rendition: Rendition, matrix: str) -> Frames:
    """The watermark in the size and colour matrix of a rendition: by default, `overlay` would assume BT.601."""
    height_px = max(2, 2 * round(WATERMARK_HEIGHT * rendition.height_px / 2))
    width = f"max(2,2*round({height_px}*a/2))"
    scaled = mark.filter("scale", width, height_px, out_color_matrix=SWSCALE_MATRICES[matrix], out_range="tv")
    return scaled.filter("format", "yuva420p")
