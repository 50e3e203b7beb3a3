"""Encodes one chunk into all renditions: one decode, exact frames, one file a rendition that joins with its neighbours.

Chunks are NUT files: their timestamps are exact at 90 kHz, and after the first file's signature NUT files can be joined
byte by byte (docs/decisions/0002-chunks-are-nut-files.md).
"""

import math
from collections.abc import Sequence
from typing import Any

import ffmpeg

from podjobs.contract.errors import RetryableError
from podjobs.contract.steps import Result
from podjobs.encoding.ladder import BUFFER_S, Rendition
from podjobs.encoding.media import VideoFacts
from podjobs.encoding.picture import output_matrix, prepare_frames, scale_options, tag_frames, to_standard_range
from podjobs.encoding.probe import read_options
from podjobs.encoding.recipe import TICKS_PER_S, Chunk, Recipe
from podjobs.encoding.workspace import Workspace
from podjobs.function_settings import EncodingSettings

X264_PARAMS = {
    # Equal parameter sets in every chunk, whatever its content: only then may chunks be joined.
    "stitchable": 1,
    # Of any preset: what follows changes the picture little and the cost much (docs/decisions/0006).
    "rc-lookahead": 40,
    "trellis": 1,
}

CHUNKS_TO_FILL = 3
"""Chunks a processor from which on one thread each is quicker: the last ones, that run alone, weigh less then."""


def chunk_argv(recipe: Recipe, chunk: Chunk, source: str, folder: str, settings: EncodingSettings) -> list[str]:
    """The ffmpeg command of one chunk.

    Args:
        recipe: the job.
        chunk: the part to encode.
        source: what ffmpeg reads.
        folder: where `<name>.nut` is written for each rendition.
        settings: ffmpeg's name, threads, profile and segment length.
    """
    from_s = recipe.origin_s + chunk.start_s
    to_s = None if chunk.end_s is None else recipe.origin_s + chunk.end_s
    source_options: dict[str, Any] = {**read_options(settings), "copyts": None}
    bounds: dict[str, str] = {}
    video = recipe.facts.video
    if video is None:
        raise ValueError("A source without video has no chunks.")
    if from_s > video.start_s:
        # -noaccurate_seek: decode from the key frame on and let trim choose, which compares the frames' own times.
        seek_s = max(from_s - recipe.lead_s, recipe.facts.start_s)
        source_options |= {"noaccurate_seek": None, "seek_timestamp": 1, "ss": f"{seek_s:.6f}"}
        bounds["start"] = f"{from_s:.6f}"
    if to_s is not None:
        bounds["end"] = f"{to_s:.6f}"
    decoded = ffmpeg.input(source, **source_options)[str(video.index)]
    frames = (
        prepare_frames(decoded, video, recipe.kept_of)
        .filter("trim", **bounds)
        .filter("settb", f"1/{TICKS_PER_S}")
        .filter("setpts", f"PTS-{round(recipe.origin_s * TICKS_PER_S)}")
    )
    threads = choose_threads(len(recipe.chunks), settings)
    outputs = [
        _rendition_output(
            scaled,
            chunk,
            f"{folder}/{rendition.name}.nut",
            x264_options(rendition, settings, threads),
            settings.ffmpeg_hls_time,
        )
        for scaled, rendition in zip(_scale(frames, video, recipe.renditions), recipe.renditions, strict=True)
    ]
    command = ffmpeg.merge_outputs(*outputs).global_args(
        "-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-y", "-progress", "pipe:1"
    )
    return list(command.compile(cmd=settings.ffmpeg_cmd))


def _scale(frames: Any, video: VideoFacts, renditions: Sequence[Rendition]) -> list[Any]:
    largest = renditions[-1]
    frames = to_standard_range(frames, video, (largest.width_px, largest.height_px))
    split = frames.filter_multi_output("split", len(renditions))
    matrix = output_matrix(video)
    options = {"flags": "bicubic", **scale_options(video, matrix)}
    return [
        tag_frames(
            split[index]
            .filter("scale", rendition.width_px, rendition.height_px, **options)
            .filter("setsar", "1")
            .filter("format", "yuv420p"),
            matrix,
        )
        for index, rendition in enumerate(renditions)
    ]


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
    # Absolute times: an expression would count from the chunk's first frame, which need not lie on the grid.
    times = range(int(chunk.start_s), math.ceil(chunk.expected_end_s), grid_s)
    return ",".join(str(time_s) for time_s in times)


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
        argv = chunk_argv(recipe, chunk, work.storage.input_of(recipe.source), str(folder), work.settings)
        work.run(argv, on_progress=counted.update)
        frames = int(counted.get("frame", "0"))
        missing = [rendition.name for rendition in recipe.renditions if not (folder / f"{rendition.name}.nut").exists()]
        if frames and missing:
            raise RetryableError(f"ffmpeg left out the renditions {missing} of {chunk.name}.")
    return Result(values={"frames": frames})
