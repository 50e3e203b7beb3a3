"""Scales the frames of a chunk to the sizes of all renditions. Pure."""

from collections.abc import Sequence
from typing import Any

from podjobs.encoding.ladder import Rendition, fit_inside, to_even
from podjobs.encoding.picture import output_matrix, scale_options, tonemap_to_sdr
from podjobs.media.facts import VideoFacts
from podjobs.media.report import OBLONGEST_PIXEL

TURNS = {90: ("transpose=clock",), 180: ("hflip", "vflip"), 270: ("transpose=cclock",)}
"""Filters that turn a picture clockwise, by degrees."""


def unify_frames(frames: Any, video: VideoFacts) -> Any:
    """Fit frames of changing sizes into one of a fixed size with square pixels, so that later filters need not know.

    Frames of a size that does not change pass as they are.

    Args:
        frames: as decoded, not turned.
        video: the source they come from.
    """
    if not video.changes_size:
        return frames
    width_px, height_px = to_even(video.width_px), to_even(video.height_px)
    if video.turn_degrees % 180:
        width_px, height_px = height_px, width_px
    aspect = f"if(between(sar,{1 / OBLONGEST_PIXEL},{OBLONGEST_PIXEL}),dar,a)"
    # eval=frame: computed again whenever a frame's size or pixel aspect differs from the one before
    frames = frames.filter(
        "scale",
        f"min({width_px},max(2,2*round({height_px}*({aspect})/2)))",
        f"min({height_px},max(2,2*round({width_px}/({aspect})/2)))",
        eval="frame",
        flags="bicubic",
        # each field is scaled by itself in frames that consist of two
        interl=-1,
    ).filter("setsar", "1")
    # whole groups of four lines: otherwise the upper field of an interlaced frame would become the lower one
    frames = frames.filter("pad", width_px, height_px, "(ow-iw)/2", "4*trunc((oh-ih)/8)", eval="frame")
    for turn in TURNS.get(video.turn_degrees, ()):
        name, _, direction = turn.partition("=")
        frames = frames.filter(name, direction) if direction else frames.filter(name)
    return frames


def scale_frames(frames: Any, video: VideoFacts, main: VideoFacts, renditions: Sequence[Rendition]) -> list[Any]:
    """Make one picture per rendition; credits are fitted into the main video's frame, with black bars.

    Args:
        frames: of one chunk.
        video: the source they come from.
        main: the main video.
        renditions: the ladder.
    """
    largest = renditions[-1]
    inner = [fit_inside((video.width_px, video.height_px), (one.width_px, one.height_px)) for one in renditions]
    own_frame = video is main
    frames = to_standard_colours(frames, video, (largest.width_px, largest.height_px) if own_frame else inner[-1])
    split = frames.filter_multi_output("split", len(renditions))
    pictures = []
    for index, rendition in enumerate(renditions):
        width_px, height_px = (rendition.width_px, rendition.height_px) if own_frame else inner[index]
        picture = resize_frames(split[index], video, (width_px, height_px), output_matrix(main))
        if (width_px, height_px) != (rendition.width_px, rendition.height_px):
            picture = picture.filter("pad", rendition.width_px, rendition.height_px, "(ow-iw)/2", "(oh-ih)/2")
        pictures.append(picture)
    return pictures


def to_standard_colours(frames: Any, video: VideoFacts, largest_px: tuple[int, int]) -> Any:
    """Convert what `resize_frames` cannot: palettes and HDR.

    Args:
        frames: after the cut.
        video: the source they come from.
        largest_px: width and height of the largest picture that is made of them.
    """
    if video.pixel_format == "pal8":
        # swscale converts palettes by BT.601, whichever matrix it is told
        frames = frames.filter("format", "rgb24")
    return tonemap_to_sdr(frames, video, largest_px)


def resize_frames(frames: Any, video: VideoFacts, size_px: tuple[int, int], matrix: str) -> Any:
    """Make frames of one size, with square pixels, in 4:2:0 with 8 bits, which every browser decodes.

    Args:
        frames: in standard colours.
        video: the source they come from.
        size_px: wanted width and height.
        matrix: wanted, ffmpeg's name.
    """
    # named, although it is swscale's default: what was measured (benchmarks/ladder.py) must not change with a default
    options = {"flags": "bicubic", **scale_options(video, matrix)}
    # setsar: sizes are in square pixels, whatever the source's are
    return frames.filter("scale", *size_px, **options).filter("setsar", "1").filter("format", "yuv420p")
