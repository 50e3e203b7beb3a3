"""Encodes one chunk into all renditions: one decode, exact frames, and files that can be joined with their neighbours.

Chunks are NUT files: their timestamps are exact at 90 kHz, and NUT files can be joined byte by byte if all but the
first lose their signature (docs/decisions/0002-chunks-are-nut-files.md).
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import ffmpeg

from podjobs.contract.commands import Access, MediaInput
from podjobs.contract.errors import RetryableError
from podjobs.contract.plans import Result
from podjobs.encoding.commands import ffmpeg_argv
from podjobs.encoding.context import EncodingContext
from podjobs.encoding.frames import SourceCut, cut_frames, cut_of
from podjobs.encoding.ladder import BUFFER_S, Rendition
from podjobs.encoding.lead import (
    find_lead,
    find_missing_frames,
    first_frame_place_s,
    has_regular_number,
    may_lack_frames,
)
from podjobs.encoding.limits import chunk_limits
from podjobs.encoding.picture import output_matrix, overlay_watermark, tag_frames
from podjobs.encoding.recipe import ASSUMED_FRAME_RATE, TICKS_PER_S, Chunk, Recipe
from podjobs.encoding.results import ChunkResult
from podjobs.encoding.scale import scale_frames
from podjobs.encoding.settings import EncodingSettings
from podjobs.encoding.steps import chunk_id
from podjobs.encoding.workspace import Workspace
from podjobs.media.commands import KEEP_GOING, PACKET_TIMES
from podjobs.media.facts import VideoFacts
from podjobs.media.limits import watch_length
from podjobs.media.workspace import MediaWorkspace, S

X264_PARAMS = {
    # Equal parameter sets in every chunk, whatever its content: otherwise chunks could not be joined.
    "stitchable": 1,
    # For any preset: they change the picture little but the cost a lot (docs/decisions/0006-x264-beyond-the-preset.md).
    "rc-lookahead": 40,
    "trellis": 1,
}
CHUNKS_TO_FILL = 3
"""From this many chunks per processor on, one thread each is faster: the last ones, which run alone, matter less."""


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
    cut = cut_of(recipe, chunk, inputs[0])
    main = recipe.facts.video or cut.video
    matrix = output_matrix(main)
    pictures = scale_frames(cut_frames(cut, chunk, settings), cut.video, main, recipe.renditions)
    if chunk.part == "main" and recipe.watermark is not None:
        pictures = overlay_watermark(pictures, recipe.watermark, inputs[1], recipe.renditions, matrix)
    threads = choose_threads(len(recipe.chunks), settings)
    outputs = [
        rendition_output(
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


def rendition_output(frames: Any, chunk: Chunk, path: str, encoder: dict[str, Any], grid_s: int) -> Any:
    """The file of one rendition of a chunk, as an output of ffmpeg-python.

    Args:
        frames: in its size, tagged.
        chunk: the part to encode.
        path: of the NUT file.
        encoder: options of the encoder.
        grid_s: length of a segment.
    """
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

    If frames are missing at its beginning, it is encoded once more, with decoding from further back.

    Raises:
        PermanentError: ffmpeg fails on this source.
        RetryableError: the source does not exist, or ffmpeg did not write a file.
    """
    recipe, chunk, work = context.recipe, context.params(Chunk), context.work
    cut = cut_of(recipe, chunk, _inputs(recipe, chunk, work)[0])
    if cut.video.false_keys and cut.begins_within(chunk):
        cut = replace(cut, preroll_s=find_lead(cut, chunk, cut.from_s(chunk), work).preroll_s)
    with work.writing(chunk_id(chunk)) as folder:
        result = _encode(_led(recipe, cut), chunk, folder, work)
        is_regular = has_regular_number(cut, chunk, result.frames)
        if chunk == recipe.chunks[0] or not is_regular:
            result = _look_up_first(result, recipe, folder, work)
        if not is_regular and may_lack_frames(cut, chunk, result.first_s):
            until_s = first_frame_place_s(cut, chunk, result.first_s)
            missing = find_missing_frames(cut, chunk, until_s, work)
            if missing:
                lead = find_lead(cut, chunk, until_s, work)
                if lead.shown and lead.preroll_s > cut.preroll_s:
                    result = _encode(_led(recipe, replace(cut, preroll_s=lead.preroll_s)), chunk, folder, work)
                    result = _look_up_first(result, recipe, folder, work)
                    missing -= lead.shown
                # packets that show nothing even when the picture is right are no frames
                result = result.model_copy(update={"lost": 0 if lead.is_settled else missing})
    return result.reply()


def _led(recipe: Recipe, cut: SourceCut) -> Recipe:
    """The recipe with the lead of one chunk, which is cut from the main video."""
    return recipe.model_copy(update={"preroll_s": cut.preroll_s}) if cut.preroll_s > recipe.preroll_s else recipe


def _encode(recipe: Recipe, chunk: Chunk, folder: Path, work: Workspace) -> ChunkResult:
    counted: dict[str, str] = {}
    inputs = _inputs(recipe, chunk, work)
    argv = chunk_argv(recipe, chunk, inputs, str(folder), work.settings)
    watch = watch_length(work.storage.pod_path(recipe.source), work.settings, counted.update)
    work.run(
        argv,
        access=Access(tuple(inputs), folder),
        on_progress=watch,
        limits=chunk_limits(recipe, chunk, work.settings),
    )
    frames = int(counted.get("frame", "0"))
    missing = [rendition.name for rendition in recipe.renditions if not (folder / f"{rendition.name}.nut").exists()]
    if frames and missing:
        raise RetryableError(f"ffmpeg did not write the renditions {missing} of {chunk_id(chunk)}.")
    return ChunkResult(frames=frames)


def _look_up_first(result: ChunkResult, recipe: Recipe, folder: Path, work: Workspace) -> ChunkResult:
    if not result.frames:
        return result
    return result.model_copy(update={"first_s": first_frame_s(folder / f"{recipe.renditions[0].name}.nut", work)})


def first_frame_s(file: Path, work: MediaWorkspace[S]) -> float | None:
    """Look up when the first frame of a chunk is shown, on the output's time line; None: it has none.

    Args:
        file: the chunk.
        work: runs ffprobe.
    """
    # %+#1: the first packet is enough
    argv = [work.settings.ffprobe_cmd, "-v", "quiet", "-f", "nut", "-read_intervals", "%+#1", *PACKET_TIMES]
    fields = work.run([*argv, "-i", str(file)], access=Access((file,))).split()
    return float(fields[0]) if fields else None


def _inputs(recipe: Recipe, chunk: Chunk, work: Workspace) -> list[MediaInput]:
    credit = recipe.credit_of(chunk)
    keys = [credit.source if credit else recipe.source]
    if recipe.watermark is not None:
        keys.append(recipe.watermark.picture)
    return [work.storage.input_of(key) for key in keys]
