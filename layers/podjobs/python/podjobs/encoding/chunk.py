"""Encodes one chunk into all renditions: one decode, exact frames, and files that can be joined with their neighbours.

Chunks are NUT files: their timestamps are exact at 90 kHz, and NUT files can be joined byte by byte if all but the
first lose their signature (docs/decisions/0002-chunks-are-nut-files.md).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ffmpeg

from podjobs.contract.errors import RetryableError
from podjobs.contract.plans import Result
from podjobs.contract.ports import MediaInput
from podjobs.encoding.commands import ffmpeg_argv, open_source
from podjobs.encoding.context import EncodingContext
from podjobs.encoding.ladder import BUFFER_S, Rendition, fit_inside
from podjobs.encoding.picture import (
    HDR_TRANSFERS,
    JITTER_S,
    freeze_frames,
    output_matrix,
    overlay_watermark,
    prepare_frames,
    scale_options,
    tag_frames,
    tonemap_to_sdr,
)
from podjobs.encoding.recipe import ASSUMED_FRAME_RATE, TICKS_PER_S, Chunk, Recipe
from podjobs.encoding.results import ChunkResult
from podjobs.encoding.settings import EncodingSettings
from podjobs.encoding.steps import chunk_id
from podjobs.encoding.workspace import Workspace
from podjobs.media.commands import KEEP_GOING
from podjobs.media.facts import MediaFacts, VideoFacts

X264_PARAMS = {
    # Equal parameter sets in every chunk, whatever its content: otherwise chunks could not be joined.
    "stitchable": 1,
    # For any preset: they change the picture little but the cost a lot (docs/decisions/0006-x264-beyond-the-preset.md).
    "rc-lookahead": 40,
    "trellis": 1,
}
CHUNKS_TO_FILL = 3
"""From this many chunks per processor on, one thread each is faster: the last ones, which run alone, matter less."""


@dataclass(frozen=True)
class _Cut:
    """The source of a chunk, and how it is cut from it."""

    source: MediaInput
    facts: MediaFacts
    video: VideoFacts
    shift_s: float
    """The source's clock minus the output's."""
    preroll_s: float
    decimation: int
    freeze_first_s: float = 0.0
    freeze_last: bool = False
    first_frame_pts_s: float | None = None


def chunk_argv(
    recipe: Recipe, chunk: Chunk, inputs: Sequence[MediaInput], folder: str, settings: EncodingSettings
) -> list[str]:
    """The ffmpeg command of one chunk.

    Args:
        recipe: the job.
        chunk: the part to encode.
        inputs: the video, then the watermark if there is one.
        folder: where `<name>.nut` is written for each rendition.
        settings: the ffmpeg command, threads, profile and segment length.
    """
    cut = _cut_of(recipe, chunk, inputs[0])
    main = recipe.facts.video or cut.video
    matrix = output_matrix(main)
    pictures = _scale(_cut_frames(cut, chunk, settings), cut.video, main, recipe.renditions)
    if chunk.part == "main" and recipe.watermark is not None:
        pictures = overlay_watermark(pictures, recipe.watermark, inputs[1], recipe.renditions, matrix)
    threads = choose_threads(len(recipe.chunks), settings)
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
    # -progress: its frame count is the step's result, against which packaging is verified
    return ffmpeg_argv(outputs, settings, *KEEP_GOING, "-progress", "pipe:1")


def _nominal_rate(recipe: Recipe, main: VideoFacts) -> dict[str, Any]:
    """The same frame rate in the headers of all chunks; frames keep their timestamps.

    NUT files can be joined only if their headers agree on the table of frame intervals, which depends on the rate.
    """
    return {"r": f"{main.frame_rate / recipe.decimation or ASSUMED_FRAME_RATE:.6f}"} if recipe.has_credits else {}


def _cut_of(recipe: Recipe, chunk: Chunk, source: MediaInput) -> _Cut:
    credit = recipe.credit_of(chunk)
    facts = credit.facts if credit else recipe.facts
    video = facts.video
    if video is None:
        raise ValueError("A source without video has no chunks.")
    if credit:
        shift_s = video.start_s - chunk.start_s
        return _Cut(source, facts, video, shift_s, 0.0, credit.decimation, freeze_last=credit.freeze_last)
    return _Cut(
        source,
        facts,
        video,
        shift_s=recipe.origin_s - recipe.offset_s,
        preroll_s=recipe.preroll_s,
        decimation=recipe.decimation,
        freeze_first_s=recipe.freeze_first_s,
        freeze_last=recipe.freeze_last,
        first_frame_pts_s=recipe.first_frame_pts_s if chunk.start_s == recipe.offset_s else None,
    )


def _cut_frames(cut: _Cut, chunk: Chunk, settings: EncodingSettings) -> Any:
    """The chunk's frames, with the output's timestamps."""
    # Timestamps are rounded: the long frame that is wanted must not be a millionth before the cut.
    from_s = cut.shift_s + chunk.start_s if cut.first_frame_pts_s is None else cut.first_frame_pts_s - JITTER_S
    # -copyts: frames keep the timestamps of the file's own clock, by which trim cuts
    source_options: dict[str, Any] = {"copyts": None}
    if not cut.video.interlaced and cut.video.transfer not in HDR_TRANSFERS:
        # A change of the picture's size would restart the filter graph, without the watermark. `scale` follows
        # such changes; the filters for fields and light do not.
        source_options["reinit_filter"] = 0
    bounds: dict[str, str] = {}
    freeze_first_s = cut.freeze_first_s
    if from_s > cut.video.start_s:
        freeze_first_s = 0.0
        # -noaccurate_seek: decode from the key frame on and let trim choose by the frames' own timestamps.
        # -seek_timestamp: -ss is a time of the file's own clock; without it, ffmpeg adds the file's start time.
        seek_s = max(from_s - cut.preroll_s, cut.facts.start_s)
        source_options |= {"noaccurate_seek": None, "seek_timestamp": 1, "ss": f"{seek_s:.6f}"}
    if from_s > cut.video.start_s - cut.freeze_first_s:
        bounds["start"] = f"{from_s:.6f}"
    if chunk.end_s is not None:
        bounds["end"] = f"{cut.shift_s + chunk.end_s:.6f}"
    decoded = open_source(cut.source, settings, **source_options)[str(cut.video.index)]
    frames = prepare_frames(decoded, cut.video, cut.decimation)
    times = f"PTS-{round(cut.shift_s * TICKS_PER_S)}"
    if cut.first_frame_pts_s is not None:
        times = f"max({times},{round(chunk.start_s * TICKS_PER_S)})"
    return (
        freeze_frames(frames, cut.video, freeze_first_s, last=cut.freeze_last)
        .filter("trim", **bounds)
        .filter("settb", f"1/{TICKS_PER_S}")
        .filter("setpts", times)
        # of frames with the same timestamp, as in damaged recordings, only the first can ever be seen
        .filter("select", "isnan(prev_selected_t)+gt(t,prev_selected_t)")
    )


def _scale(frames: Any, video: VideoFacts, main: VideoFacts, renditions: Sequence[Rendition]) -> list[Any]:
    """One picture per rendition; credits are fitted into the main video's frame, with black bars."""
    largest = renditions[-1]
    inner = [fit_inside((video.width_px, video.height_px), (one.width_px, one.height_px)) for one in renditions]
    own_frame = video is main
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


def _rendition_output(frames: Any, chunk: Chunk, path: str, encoder: dict[str, Any], grid_s: int) -> Any:
    options: dict[str, Any] = {
        **encoder,
        # Otherwise the encoder would count in frames of the nominal rate and round the times of variable rates.
        "enc_time_base": f"1:{TICKS_PER_S}",
        # Every frame once, at its own time: none is duplicated or dropped to make the rate constant.
        "fps_mode": "passthrough",
        # Otherwise the muxer would shift a chunk whose decoding begins before 0, and no other chunk.
        "avoid_negative_ts": "disabled",
        # No metadata of the source: ffmpeg's NUT muxer writes chapters that its demuxer cannot read.
        "map_metadata": -1,
        "map_chapters": -1,
        "f": "nut",
        # An index would end up in the middle of the joined stream.
        "write_index": 0,
    }
    return ffmpeg.output(frames, path, force_key_frames=key_frames(chunk, grid_s), **options)


def choose_threads(chunks: int, settings: EncodingSettings) -> int:
    """Choose the threads of one encoder; 0: x264 decides.

    Threads that wait for one another take 5 % longer than one thread per chunk, as long as there are enough chunks to
    keep all processors busy until shortly before the end.

    Args:
        chunks: of the whole video.
        settings: FFMPEG_NB_THREADS, which takes precedence; processors and slots of this instance.
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
    # Times, not an expression, which would count from the first frame: that may be later than the chunk's beginning.
    count = max(1, math.ceil((chunk.expected_end_s - chunk.start_s) / grid_s))
    return ",".join(f"{chunk.start_s + number * grid_s:.6f}".rstrip("0").rstrip(".") for number in range(count))


def x264_options(rendition: Rendition, settings: EncodingSettings, threads: int = 0) -> dict[str, Any]:
    """The encoder settings of a rendition, as ffmpeg options."""
    return {
        "c:v": "libx264",
        "preset": rendition.preset,
        "profile:v": settings.ffmpeg_profile,
        # Explicit: x264 would derive it from each chunk's own frame rate, but parameter sets must be equal.
        "level:v": rendition.level,
        # Constant quality, up to a bit rate that slow connections can handle.
        "crf": f"{rendition.crf:g}",
        "maxrate": rendition.maxrate_bps,
        "bufsize": round(rendition.maxrate_bps * BUFFER_S),
        "refs": rendition.references,
        "x264-params": ":".join(f"{name}={value}" for name, value in X264_PARAMS.items()),
        "threads": threads,
    }


def encode_chunk(context: EncodingContext) -> Result:
    """Encode one chunk and leave its files in the job's work folder.

    Raises:
        PermanentError: ffmpeg fails on this source.
        RetryableError: the source does not exist, or ffmpeg did not write a file.
    """
    recipe, chunk, work = context.recipe, context.params(Chunk), context.work
    counted: dict[str, str] = {}
    with work.writing(chunk_id(chunk)) as folder:
        argv = chunk_argv(recipe, chunk, _inputs(recipe, chunk, work), str(folder), work.settings)
        work.run(argv, on_progress=counted.update)
        frames = int(counted.get("frame", "0"))
        missing = [rendition.name for rendition in recipe.renditions if not (folder / f"{rendition.name}.nut").exists()]
        if frames and missing:
            raise RetryableError(f"ffmpeg did not write the renditions {missing} of {chunk_id(chunk)}.")
    return ChunkResult(frames=frames).reply()


def _inputs(recipe: Recipe, chunk: Chunk, work: Workspace) -> list[MediaInput]:
    credit = recipe.credit_of(chunk)
    keys = [credit.source if credit else recipe.source]
    if recipe.watermark is not None:
        keys.append(recipe.watermark.picture)
    return [work.storage.input_of(key) for key in keys]
