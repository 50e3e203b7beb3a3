"""What is done to a source's frames beside scaling: fields woven, frames thinned out, light and colour made usual.

Filters before the cut look at neighbouring frames, so they run where a chunk's lead still is; those after it do not.
Pure.
"""

import math
from typing import Any

from podjobs.media.facts import VideoFacts

HDR_TRANSFERS = frozenset({"smpte2084", "arib-std-b67"})
"""PQ (HDR10) and HLG."""
REFERENCE_WHITE_NITS = 203
"""Luminance of white in HDR that becomes SDR's white. Source: ITU-R BT.2408."""
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
"""Share of a frame by which times may be off: containers that count milliseconds round them."""

HELD_EVERY_S = 1
"""Distance of the copies of a frame that is held."""
JITTER_S = 0.002
"""Containers that count milliseconds round times."""

Frames = Any
"""A stream of ffmpeg-python."""


def thinning(frame_rate: float, highest: float) -> int:
    """Of how many frames one is kept: 1, 2, 4 …, so that the rate is not above the highest one.

    Args:
        frame_rate: of the source, frames per second; 0 where unknown.
        highest: frames per second.
    """
    kept_of = 1
    while frame_rate / kept_of > highest * 1.01:  # 60000/1001, 60.02 of a phone
        kept_of *= 2
    return kept_of


def prepare_frames(frames: Frames, video: VideoFacts, kept_of: int) -> Frames:
    """Filters that look at neighbouring frames; before the cut.

    Args:
        frames: as decoded, with the source's own times.
        video: the source.
        kept_of: one frame in so many is kept.
    """
    if video.interlaced:
        frames = frames.filter("bwdif", mode="send_frame", parity="auto", deint="interlaced")
    if kept_of > 1:
        # A frame is kept where the time enters a new interval: the same ones in every chunk, whatever their first is.
        rate = f"{video.frame_rate / kept_of:.6f}"
        now, before = (f"floor({name}*{rate}+{GRID_TOLERANCE})" for name in ("t", "prev_t"))
        frames = frames.filter("select", f"isnan(prev_t)+gt({now},{before})")
    return frames


def hold_frames(frames: Frames, video: VideoFacts, before_s: float, *, to_the_end: bool) -> Frames:
    """Show the first frame earlier, the last one longer: once a second, as browsers stop where there is no picture.

    Args:
        frames: with the source's own times.
        video: the source.
        before_s: how long the first frame is shown before its time.
        to_the_end: the last frame is shown for ever; whoever follows sets the end.
    """
    if before_s:
        copies = math.ceil(before_s / HELD_EVERY_S)
        # tpad puts its copies at the frame rate's distance and moves what follows; setpts puts both where they belong
        moved = f"st(0,if(eq(N,{copies}),PTS-{video.start_s:.6f}/TB,ld(0)))"
        at = f"if(lt(N,{copies}),({video.start_s - before_s:.6f}+N*{HELD_EVERY_S})/TB,PTS-{moved})"
        frames = frames.filter("tpad", start=copies, start_mode="clone").filter("setpts", at)
    if to_the_end and video.end_s is not None:
        own = f"lt(t,{video.end_s - JITTER_S:.6f})"
        frames = frames.filter("tpad", stop=-1, stop_mode="clone")
        frames = frames.filter(
            "select", f"{own}+isnan(prev_selected_t)+gte(t-prev_selected_t,{HELD_EVERY_S - JITTER_S})"
        )
    return frames


def to_standard_range(frames: Frames, video: VideoFacts, largest_px: tuple[int, int]) -> Frames:
    """Map HDR to SDR; other pictures stay as they are.

    Args:
        frames: after the cut.
        video: the source.
        largest_px: width and height of the largest rendition: no more is worth the effort.
    """
    if video.transfer not in HDR_TRANSFERS:
        return frames
    width_px, height_px = largest_px
    matrix = video.matrix if video.matrix in {"bt2020nc", "bt2020c"} else "bt2020nc"
    return (
        # what the container says need not be said by every frame
        frames.filter("setparams", colorspace=matrix, color_trc=video.transfer, color_primaries="bt2020", range="tv")
        .filter("zscale", w=width_px, h=height_px, t="linear", npl=REFERENCE_WHITE_NITS)
        .filter("format", "gbrpf32le")
        .filter("zscale", p="bt709")
        # mobius leaves what is not bright as it is; hable, the usual choice, makes slides and faces dark
        .filter("tonemap", "mobius", desat=0)
        .filter("zscale", t="bt709", m="bt709", r="tv")
        .filter("format", "yuv420p")
    )


def output_matrix(video: VideoFacts) -> str:
    """Choose the YCbCr matrix of the renditions: the source's, if browsers know it, so that nothing is lost.

    Args:
        video: the source. Where it does not say, pictures of up to 576 lines are taken for BT.601, as players do.

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
    """Options of the scale filter that bring a picture to a matrix in limited range; none where it is there already.

    Args:
        video: the source.
        matrix: of the renditions, ffmpeg's name.
    """
    wanted = SWSCALE_MATRICES[matrix]
    if video.transfer in HDR_TRANSFERS:
        source, full_range = "bt709", False  # as to_standard_range leaves it
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
    """Say of finished frames what they are."""
    return frames.filter("setparams", range="tv", color_primaries=matrix, color_trc=matrix, colorspace=matrix)
