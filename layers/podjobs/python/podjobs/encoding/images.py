"""Makes thumbnails and the overview strip from the lowest rendition, and PNGs from attached pictures."""

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ffmpeg
import webvtt

from podjobs.contract.commands import Access, CommandLimits, MediaInput
from podjobs.contract.errors import CommandStoppedError, PermanentError, blames_disk
from podjobs.contract.plans import Result
from podjobs.encoding.commands import ffmpeg_argv, open_source
from podjobs.encoding.completeness import played_length_s
from podjobs.encoding.context import EncodingContext
from podjobs.encoding.join import open_joined
from podjobs.encoding.limits import IMAGE_FILES, LEAST_CPU_S
from podjobs.encoding.recipe import Chunk, Recipe
from podjobs.encoding.results import ImagesResult
from podjobs.encoding.settings import EncodingSettings
from podjobs.encoding.steps import IMAGES_FOLDER, chunk_id
from podjobs.encoding.workspace import Workspace
from podjobs.media.commands import PACKET_TIMES
from podjobs.media.facts import PictureFacts
from podjobs.media.timestamps import timestamp

OVERVIEW_HEIGHT_PX = 90
OVERVIEW_FROM_S = 10
MANY_TILES_FROM_S = 100
FEW_TILES, MANY_TILES = 10, 100
WIDEST_STRIP_PX = 65_535
"""Browsers do not show wider pictures."""
LARGEST_COVER_PX = 1920
"""Width and height."""
COVERS_S = 60.0
"""For all covers: Pod shows one of them."""
SAME_TIME_S = 0.001
KEY_FRAMES_SUFFICE_S = 4
"""Pictures at least this far apart are taken from key frames (every segment has one), which saves decoding."""


def count_tiles(duration_s: float, width_px: int) -> int:
    """Number of pictures in the overview; 0: none is made. Source: docs/contract-pod.md.

    Args:
        duration_s: length of the output.
        width_px: of one picture; there are fewer if browsers could not show the strip.
    """
    if duration_s < OVERVIEW_FROM_S:
        return 0
    wanted = FEW_TILES if duration_s < MANY_TILES_FROM_S else MANY_TILES
    return min(wanted, WIDEST_STRIP_PX // width_px)


def tile_width(width_px: int, height_px: int) -> int:
    """Width of an overview picture of 90 lines, even."""
    return max(2, 2 * round(OVERVIEW_HEIGHT_PX * width_px / height_px / 2))


def lowest_tile_width(recipe: Recipe) -> int:
    """Width of an overview picture of the lowest rendition."""
    lowest = recipe.renditions[0]
    return tile_width(lowest.width_px, lowest.height_px)


def images_argv(
    recipe: Recipe, duration_s: float, folder: str, settings: EncodingSettings, last_s: float | None = None
) -> list[str]:
    """The ffmpeg command that reads the lowest rendition from stdin and writes thumbnails and overview.

    Args:
        recipe: the job.
        duration_s: length of the output.
        folder: where `thumbnail_0001.png` … and `overview.png` are written.
        settings: the ffmpeg command, number of thumbnails.
        last_s: time of the last frame; None: it is not held for long.
    """
    tiles = count_tiles(duration_s, lowest_tile_width(recipe))
    wanted = max(tiles, settings.ffmpeg_nb_thumbnail)
    source_options: dict[str, Any] = {"f": "nut"}
    if duration_s / wanted >= KEY_FRAMES_SUFFICE_S:
        source_options["skip_frame"] = "nokey"
    video = ffmpeg.input("pipe:0", **source_options).video
    if last_s is not None and duration_s - last_s > duration_s / wanted / 2:
        # without a frame after it, ffmpeg would take the last one to be shown for a moment: it is there at the end, too
        video = video.filter("tpad", stop=1, stop_mode="clone")
        video = video.filter("setpts", f"if(gt(T,{last_s + SAME_TIME_S:.6f}),{duration_s:.6f}/TB,PTS)")
    frames = video.filter_multi_output("split", 2 if tiles else 1)
    count = settings.ffmpeg_nb_thumbnail
    thumbnails = _pick(frames[0], count, duration_s)
    # the muxer reads every % in the path as a pattern, including those in the folder's name
    numbered = f"{folder.replace('%', '%%')}/thumbnail_%04d.png"
    # passthrough: to make the rate constant, ffmpeg would write the first picture twice and the last one not at all
    outputs = [ffmpeg.output(thumbnails, numbered, f="image2", fps_mode="passthrough", **{"frames:v": count})]
    if tiles:
        strip = (
            _pick(frames[1], tiles, duration_s)
            .filter("scale", lowest_tile_width(recipe), OVERVIEW_HEIGHT_PX)
            .filter("tile", f"{tiles}x1")
        )
        # update=1: the file name is not a pattern
        outputs.append(ffmpeg.output(strip, f"{folder}/overview.png", f="image2", update=1, **{"frames:v": 1}))
    return ffmpeg_argv(outputs, settings, feeds_stdin=True)


def _pick(frames: Any, count: int, duration_s: float) -> Any:
    """The frame in the middle of each part of the video; the last one is repeated if the video ends early."""
    every_s = duration_s / count
    # round=up: a frame is shown from its own time on, not half an interval earlier
    return frames.filter("fps", fps=f"1/{every_s:.6f}", start_time=f"{every_s / 2:.6f}", round="up").filter(
        "tpad", stop_mode="clone", stop=count
    )


def overview_captions(duration_s: float, tiles: int, width_px: int) -> str:
    """The WebVTT that defines which part of the strip players show at which time.

    Args:
        duration_s: length of the output.
        tiles: pictures in the strip.
        width_px: width of one.
    """
    captions = webvtt.WebVTT()
    for tile in range(tiles):
        begin, end = (timestamp(duration_s * step / tiles) for step in (tile, tile + 1))
        area = f"overview.png#xywh={tile * width_px},0,{width_px},{OVERVIEW_HEIGHT_PX}"
        captions.captions.append(webvtt.Caption(begin, end, area))
    return str(captions.content)


def cover_name(picture: PictureFacts) -> str:
    """Name of an attached picture's thumbnail. Source: docs/contract-pod.md, files expected."""
    return f"thumbnail_{picture.index}.png"


def cover_argv(source: MediaInput, picture: PictureFacts, folder: str, settings: EncodingSettings) -> list[str]:
    """The ffmpeg command that turns an attached picture into a thumbnail."""
    cover = open_source(source, settings)[str(picture.index)]
    # larger ones would only be slow to write and to show
    cover = cover.filter(
        "scale", f"min({LARGEST_COVER_PX},iw)", f"min({LARGEST_COVER_PX},ih)", force_original_aspect_ratio="decrease"
    )
    output = ffmpeg.output(
        cover, f"{folder}/{cover_name(picture)}", f="image2", update=1, **{"c:v": "png", "frames:v": 1}
    )
    return ffmpeg_argv([output], settings)


def make_images(context: EncodingContext) -> Result:
    """Make all pictures of a job and leave them in its work folder.

    Raises:
        PermanentError: ffmpeg fails on the chunks.
        RetryableError: the source or a chunk's file does not exist.
    """
    recipe, frames, work = context.recipe, context.results.frames, context.work
    chunks = [chunk for chunk in recipe.chunks if frames.get(chunk_id(chunk))]
    with work.writing(IMAGES_FOLDER) as folder:
        covers, log = _take_covers(context, folder)
        if chunks:
            _picture_video(recipe, chunks, context.results.audio.duration_s, folder, work)
        elif covers:
            shutil.copyfile(folder / covers[0], folder / "thumbnail_0001.png")
        names = sorted(file.name for file in folder.iterdir())
    thumbnails = order_thumbnails([name for name in names if name.startswith("thumbnail_")], covers)
    overview = [name for name in ("overview.png", "overview.vtt") if name in names]
    return ImagesResult(thumbnails=tuple(thumbnails), overview=tuple(overview), notes=tuple(log)).reply(log)


def _take_covers(context: EncodingContext, folder: Path) -> tuple[list[str], list[str]]:
    """Make thumbnails from the attached pictures; those that cannot be read, or take too long, are skipped.

    Returns:
        Names of the files, and sentences for the job's log.
    """
    recipe, work, attempt = context.recipe, context.work, context.step.attempt
    covers: list[str] = []
    log: list[str] = []
    # a repackaged copy does not have them
    source = work.storage.input_of(context.job.source)
    ends_at = time.monotonic() + min(COVERS_S, work.timeout_s)
    for picture in recipe.facts.pictures:
        left_s = ends_at - time.monotonic()
        if left_s <= 0:
            log.append(f"The attached picture {picture.index} is left out: the ones before it took too long.")
            continue
        try:
            argv = cover_argv(source, picture, str(folder), work.settings)
            limits = CommandLimits(LEAST_CPU_S, IMAGE_FILES)
            work.tools.run(argv, timeout_s=left_s, access=Access((source,), folder), limits=limits)
        except (PermanentError, CommandStoppedError) as error:
            if attempt == 1 and blames_disk(error):
                raise
            (folder / cover_name(picture)).unlink(missing_ok=True)
            log.append(f"The attached picture {picture.index} cannot be read: it is left out.")
            continue
        covers.append(cover_name(picture))
    return covers, log


def _picture_video(recipe: Recipe, chunks: Sequence[Chunk], sound_s: float, folder: Path, work: Workspace) -> None:
    lowest = recipe.renditions[0]
    last_s, duration_s = _measure_s(chunks[-1], sound_s, recipe, work)
    argv = images_argv(recipe, duration_s, str(folder), work.settings, last_s)
    limits = CommandLimits(work.timeout_s, IMAGE_FILES)
    work.run(argv, access=Access(folder=folder), feed=open_joined(chunks, lowest, work), limits=limits)
    width_px = lowest_tile_width(recipe)
    if tiles := count_tiles(duration_s, width_px):
        captions = overview_captions(duration_s, tiles, width_px)
        (folder / "overview.vtt").write_text(captions, encoding="utf-8")


def order_thumbnails(names: Sequence[str], covers: Sequence[str]) -> list[str]:
    """Put a cover second: that is the thumbnail Pod shows. Source: docs/contract-pod.md, callbacks.

    Args:
        names: all thumbnails, in order.
        covers: those that were attached to the source.
    """
    others = [name for name in names if name not in covers]
    return [*others[:1], *covers, *others[1:]]


def _measure_s(last: Chunk, sound_s: float, recipe: Recipe, work: Workspace) -> tuple[float | None, float]:
    """Time of the last frame, and length of what was encoded: up to its end, or to the end of the sound."""
    file = work.input_of(f"{chunk_id(last)}/{recipe.renditions[0].name}.nut")
    argv = [work.settings.ffprobe_cmd, "-v", "error", "-f", "nut", *PACKET_TIMES, "-i", file.url]
    times_s = [float(line) for line in work.run(argv, access=Access((file,))).split()]
    if not times_s:
        return None, recipe.output_s or 0.0
    return max(times_s), played_length_s(times_s, sound_s, recipe.output_s)
