"""Scales the frames of a chunk to the sizes of all renditions. Pure."""

from collections.abc import Sequence
from typing import Any

from podjobs.encoding.ladder import Rendition, fit_inside
from podjobs.encoding.picture import output_matrix, scale_options, tonemap_to_sdr
from podjobs.media.facts import VideoFacts


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
    if video.pixel_format == "pal8":
        # swscale converts palettes by BT.601, whichever matrix it is told
        frames = frames.filter("format", "rgb24")
    frames = tonemap_to_sdr(frames, video, (largest.width_px, largest.height_px) if own_frame else inner[-1])
    split = frames.filter_multi_output("split", len(renditions))
    # named, although it is swscale's default: what was measured (benchmarks/ladder.py) must not change with a default
    options = {"flags": "bicubic", **scale_options(video, output_matrix(main))}
    pictures = []
    for index, rendition in enumerate(renditions):
        width_px, height_px = (rendition.width_px, rendition.height_px) if own_frame else inner[index]
        # setsar: sizes are in square pixels, whatever the source's are
        picture = split[index].filter("scale", width_px, height_px, **options).filter("setsar", "1")
        # 4:2:0 with 8 bits, which every browser decodes
        picture = picture.filter("format", "yuv420p")
        if (width_px, height_px) != (rendition.width_px, rendition.height_px):
            picture = picture.filter("pad", rendition.width_px, rendition.height_px, "(ow-iw)/2", "(oh-ih)/2")
        pictures.append(picture)
    return pictures
