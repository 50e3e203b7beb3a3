"""Encodes one chunk into all renditions: one decode, exact frames, one file a rendition that joins with its neighbours.

Chunks are NUT files: their timestamps are exact at 90 kHz, and after the first file's signature NUT files can be joined
byte by byte (docs/decisions/0002-chunks-are-nut-files.md).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ffmpeg

from podjobs.contract.errors import RetryableError
from podjobs.contract.plans import Result
from podjobs.encoding.ladder import BUFFER_S, Rendition, fit_inside
from podjobs.encoding.picture import (
    HDR_TRANSFERS,
    JITTER_S,
    SWSCALE_MATRICES,
    hold_frames,
    output_matrix,
    prepare_frames,
    scale_options,
    tag_frames,
    to_standard_range,
)
from podjobs.encoding.recipe import TICKS_PER_S, Chunk, Recipe, Watermark
from podjobs.encoding.settings import EncodingSettings
from podjobs.encoding.workspace import Workspace
from podjobs.media.facts import MediaFacts, VideoFacts
from podjobs.media.probe import KEEP_GOING, read_options

X264_PARAMS = {
    # Equal parameter sets in every chunk, whatever its content: only then may chunks be joined.
    "stitchable": 1,
    # Of any preset: what follows changes the picture little and the cost much (docs/decisions/0006).
    "rc-lookahead": 40,
    "trellis": 1,
}

WATERMARK_HEIGHT, MARGIN = 0.10, 0.05
"""Shares of the picture's height; the margin is as wide as it is high. Source: docs/contract-pod.md."""
ASSUMED_FRAME_RATE = 25.0
CHUNKS_TO_FILL = 3
"""Chunks a processor from which on one thread each is quicker: the last ones, that run alone, weigh less then."""


@dataclass(frozen=True)
class _Part:
    """What a chunk is cut from."""

    source: str
    """What ffmpeg reads."""
    facts: MediaFacts
    video: VideoFacts
    shift_s: float
    """The source's clock minus the output's."""
    lead_s: float
    kept_of: int
    held_before_s: float = 0.0
    held_to_end: bool = False
    shown_s: float | None = None


def chunk_argv(
    recipe: Recipe, chunk: Chunk, inputs: Sequence[str], folder: str, settings: EncodingSettings
) -> list[str]:
    """The ffmpeg command of one chunk.

    Args:
        recipe: the job.
        chunk: the part to encode.
        inputs: what ffmpeg reads: the video, then the watermark where there is one.
        folder: where `<name>.nut` is written for each rendition.
        settings: ffmpeg's name, threads, profile and segment length.
    """
    part = _part_of(recipe, chunk, inputs[0])
    frames = _cut(part, chunk, settings)
    main = recipe.facts.video or part.video
    pictures = _scale(frames, part.video, main, recipe.renditions)
    if chunk.part == "main" and recipe.watermark is not None:
        pictures = _overlay(pictures, recipe.watermark, inputs[1], recipe.renditions, output_matrix(main))
    threads = choose_threads(len(recipe.chunks), settings)
    matrix = output_matrix(main)
    outputs = [
        _rendition_output(
            tag_frames(picture, matrix),
            chunk,
            f"{folder}/{rendition.name}.nut",
            x264_options(rendition, settings, threads) | _nominal_rate(recipe, main),
            settings.ffmpeg_hls_time,
        )
        for picture, rendition in zip(pictures, recipe.renditions, strict=True)
    ]
    command = ffmpeg.merge_outputs(*outputs).global_args(
        "-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-y", *KEEP_GOING, "-progress", "pipe:1"
    )
    return list(command.compile(cmd=settings.ffmpeg_cmd))


def _nominal_rate(recipe: Recipe, main: VideoFacts) -> dict[str, Any]:
    """One frame rate in the headers of all chunks; frames keep their times.

    NUT files can be joined only if their headers agree on the table of usual frame distances, which goes by the rate.
    """
    return {"r": f"{main.frame_rate / recipe.kept_of or ASSUMED_FRAME_RATE:.6f}"} if recipe.has_credits else {}


def _part_of(recipe: Recipe, chunk: Chunk, source: str) -> _Part:
    credit = {"opening": recipe.opening, "ending": recipe.ending, "main": None}[chunk.part]
    facts = credit.facts if credit else recipe.facts
    video = facts.video
    if video is None:
        raise ValueError("A source without video has no chunks.")
    if credit:
        shift_s = video.start_s - chunk.start_s
        return _Part(source, facts, video, shift_s, 0.0, credit.kept_of, held_to_end=credit.held_to_end)
    shown_s = recipe.shown_s if chunk.start_s == recipe.offset_s else None
    held = (recipe.held_before_s, recipe.held_to_end, shown_s)
    return _Part(source, facts, video, recipe.origin_s - recipe.offset_s, recipe.lead_s, recipe.kept_of, *held)


def _cut(part: _Part, chunk: Chunk, settings: EncodingSettings) -> Any:
    """The chunk's frames, with the output's times."""
    # the clock rounds: a frame that is meant must not lie before the cut by a millionth
    from_s = part.shift_s + chunk.start_s if part.shown_s is None else part.shown_s - JITTER_S
    source_options: dict[str, Any] = {**read_options(settings), "copyts": None}
    if not part.video.interlaced and part.video.transfer not in HDR_TRANSFERS:
        # A picture that changes its size would begin the graph anew, without the watermark. `scale` follows such
        # changes; the filters for fields and light do not.
        source_options["reinit_filter"] = 0
    bounds: dict[str, str] = {}
    before_s = part.held_before_s
    if from_s > part.video.start_s:
        before_s = 0.0
        # -noaccurate_seek: decode from the key frame on and let trim choose, which compares the frames' own times.
        seek_s = max(from_s - part.lead_s, part.facts.start_s)
        source_options |= {"noaccurate_seek": None, "seek_timestamp": 1, "ss": f"{seek_s:.6f}"}
    if from_s > part.video.start_s - part.held_before_s:
        bounds["start"] = f"{from_s:.6f}"
    if chunk.end_s is not None:
        bounds["end"] = f"{part.shift_s + chunk.end_s:.6f}"
    decoded = ffmpeg.input(part.source, **source_options)[str(part.video.index)]
    frames = prepare_frames(decoded, part.video, part.kept_of)
    times = f"PTS-{round(part.shift_s * TICKS_PER_S)}"
    if part.shown_s is not None:
        times = f"max({times},{round(chunk.start_s * TICKS_PER_S)})"
    return (
        hold_frames(frames, part.video, before_s, to_the_end=part.held_to_end)
        .filter("trim", **bounds)
        .filter("settb", f"1/{TICKS_PER_S}")
        .filter("setpts", times)
        # of frames with the same time, as damaged recordings have them, only the first can ever be seen
        .filter("select", "isnan(prev_selected_t)+gt(t,prev_selected_t)")
    )


def _scale(frames: Any, video: VideoFacts, main: VideoFacts, renditions: Sequence[Rendition]) -> list[Any]:
    """One picture for each rendition; a credit is fitted into the main video's frame, with black around it."""
    largest = renditions[-1]
    inner = [fit_inside((video.width_px, video.height_px), (one.width_px, one.height_px)) for one in renditions]
    own_frame = video is main
    frames = to_standard_range(frames, video, (largest.width_px, largest.height_px) if own_frame else inner[-1])
    split = frames.filter_multi_output("split", len(renditions))
    options = {"flags": "bicubic", **scale_options(video, output_matrix(main))}
    pictures = []
    for index, rendition in enumerate(renditions):
        width_px, height_px = (rendition.width_px, rendition.height_px) if own_frame else inner[index]
        picture = split[index].filter("scale", width_px, height_px, **options).filter("setsar", "1")
        picture = picture.filter("format", "yuv420p")
        if (width_px, height_px) != (rendition.width_px, rendition.height_px):
            picture = picture.filter("pad", rendition.width_px, rendition.height_px, "(ow-iw)/2", "(oh-ih)/2")
        pictures.append(picture)
    return pictures


def _overlay(
    pictures: Sequence[Any], watermark: Watermark, file: str, renditions: Sequence[Rendition], matrix: str
) -> list[Any]:
    marks = (
        ffmpeg.input(file, f="png_pipe", protocol_whitelist="file")
        .video.filter("format", "rgba")
        .filter("colorchannelmixer", aa=watermark.opacity)
        .filter_multi_output("split", len(renditions))
    )
    vertical, _, horizontal = watermark.position.partition("_")
    x = f"H*{MARGIN}" if horizontal == "left" else f"W-w-H*{MARGIN}"
    y = f"H*{MARGIN}" if vertical == "top" else f"H-h-H*{MARGIN}"
    return [
        ffmpeg.overlay(
            picture,
            _scale_mark(marks[index], rendition, matrix),
            x=x,
            y=y,
            eof_action="repeat",
        )
        for index, (picture, rendition) in enumerate(zip(pictures, renditions, strict=True))
    ]


def _scale_mark(mark: Any, rendition: Rendition, matrix: str) -> Any:
    """The mark in the rendition's size and in the colours of its picture: left to itself, `overlay` takes BT.601."""
    height_px = max(2, 2 * round(WATERMARK_HEIGHT * rendition.height_px / 2))
    width = f"max(2,2*round({height_px}*a/2))"
    scaled = mark.filter("scale", width, height_px, out_color_matrix=SWSCALE_MATRICES[matrix], out_range="tv")
    return scaled.filter("format", "yuva420p")


def _rendition_output(frames: Any, chunk: Chunk, path: str, encoder: dict[str, Any], grid_s: int) -> Any:
    options: dict[str, Any] = {
        **encoder,
        "enc_time_base": f"1:{TICKS_PER_S}",
        "fps_mode": "passthrough",
        "avoid_negative_ts": "disabled",
        # what is the file's own: ffmpeg's NUT muxer writes chapters that its demuxer cannot read
        "map_metadata": -1,
        "map_chapters": -1,
        "f": "nut",
        "write_index": 0,
    }
    return ffmpeg.output(frames, path, force_key_frames=key_frames(chunk, grid_s), **options)


def choose_threads(chunks: int, settings: EncodingSettings) -> int:
    """Choose the threads of one encoder; 0: as x264 likes.

    Threads that wait for one another cost 5 % more time than one thread a chunk, where there are chunks enough for all
    processors until near the end.

    Args:
        chunks: of the whole video.
        settings: an operator's FFMPEG_NB_THREADS wins; processors and slots of this instance.
    """
    fills = settings.slots >= settings.processors and chunks >= CHUNKS_TO_FILL * settings.processors
    return settings.ffmpeg_nb_threads or (1 if fills else 0)


def key_frames(chunk: Chunk, grid_s: int) -> str:
    """Where segments may begin: the value of `-force_key_frames`.

    Args:
        chunk: the part to encode.
        grid_s: length of a segment.
    """
    if chunk.expected_end_s is None:
        return f"expr:gte(t,n_forced*{grid_s})"
    # Times, not an expression, which would count from the first frame: that need not lie at the chunk's beginning.
    count = max(1, math.ceil((chunk.expected_end_s - chunk.start_s) / grid_s))
    return ",".join(f"{chunk.start_s + number * grid_s:.6f}".rstrip("0").rstrip(".") for number in range(count))


def x264_options(rendition: Rendition, settings: EncodingSettings, threads: int = 0) -> dict[str, Any]:
    """The encoder settings of a rendition, as ffmpeg options."""
    return {
        "c:v": "libx264",
        "preset": rendition.preset,
        "profile:v": settings.ffmpeg_profile,
        "level:v": rendition.level,
        "crf": f"{rendition.crf:g}",
        "maxrate": rendition.maxrate_bps,
        "bufsize": round(rendition.maxrate_bps * BUFFER_S),
        "refs": rendition.references,
        "x264-params": ":".join(f"{name}={value}" for name, value in X264_PARAMS.items()),
        "threads": threads,
    }


def encode_chunk(recipe: Recipe, chunk: Chunk, work: Workspace) -> Result:
    """Encode one chunk and leave its files in the job's work folder.

    Args:
        recipe: the job.
        chunk: the part to encode.
        work: where and with what.

    Returns:
        `frames`: how many each rendition has.
    """
    counted: dict[str, str] = {}
    with work.writing(chunk.name) as folder:
        argv = chunk_argv(recipe, chunk, _inputs(recipe, chunk, work), str(folder), work.settings)
        work.run(argv, on_progress=counted.update)
        frames = int(counted.get("frame", "0"))
        missing = [rendition.name for rendition in recipe.renditions if not (folder / f"{rendition.name}.nut").exists()]
        if frames and missing:
            raise RetryableError(f"ffmpeg left out the renditions {missing} of {chunk.name}.")
    return Result(values={"frames": frames})


def _inputs(recipe: Recipe, chunk: Chunk, work: Workspace) -> list[str]:
    credit = {"opening": recipe.opening, "ending": recipe.ending, "main": None}[chunk.part]
    keys = [credit.source if credit else recipe.source]
    if recipe.watermark is not None:
        keys.append(recipe.watermark.picture)
    return [work.storage.input_of(key).url for key in keys]
