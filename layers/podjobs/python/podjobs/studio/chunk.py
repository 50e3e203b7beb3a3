"""Composes one chunk: every source is decoded once, and their pictures are laid over one another.

Composed pictures have a constant frame rate: at each frame's time, every source shows the frame that is nearest, its
first one before it begins and its last one after it has ended. So a chunk has exactly as many frames as its length asks
for, wherever its sources have theirs. A single picture keeps its own frames, at their own times.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import ffmpeg

from podjobs.contract.commands import Access, CommandLimits, MediaInput
from podjobs.contract.errors import RetryableError
from podjobs.contract.plans import Result
from podjobs.encoding.chunk import first_frame_s, rendition_output, x264_options
from podjobs.encoding.commands import ffmpeg_argv
from podjobs.encoding.frames import SourceCut, cut_frames, decode_frames
from podjobs.encoding.lead import find_lead
from podjobs.encoding.limits import FACTOR, cpu_limit_s, file_limit_bytes
from podjobs.encoding.picture import tag_frames
from podjobs.encoding.recipe import TICKS_PER_S, Chunk
from podjobs.encoding.results import ChunkResult
from podjobs.encoding.scale import resize_frames, to_standard_colours
from podjobs.encoding.settings import EncodingSettings
from podjobs.encoding.steps import chunk_id
from podjobs.encoding.workspace import Workspace
from podjobs.media.commands import KEEP_GOING
from podjobs.media.limits import watch_length
from podjobs.studio.context import StudioContext
from podjobs.studio.plan import GRID_S
from podjobs.studio.recipe import Picture, StudioRecipe
from podjobs.studio.steps import chunk_cost_s

X264_PARAMS = "stitchable=1"
"""Equal parameter sets in every chunk; for the rest, the preset is right: what is composed is not for viewers."""


def chunk_argv(
    recipe: StudioRecipe, chunk: Chunk, cuts: Sequence[SourceCut], folder: str, settings: EncodingSettings
) -> list[str]:
    """The ffmpeg command of one chunk.

    Args:
        recipe: what is composed.
        chunk: the part.
        cuts: how it is cut from the source of each picture.
        folder: where the NUT file is written.
        settings: the ffmpeg command, threads and profile.
    """
    pairs = zip(recipe.pictures, cuts, strict=True)
    layers = [_layer(recipe, picture, cut, chunk, settings) for picture, cut in pairs]
    whole = _compose(recipe, layers)
    rendition = recipe.rendition
    # threads of one encoder wait for one another, which costs a fifth: chunks side by side do as well
    threads = settings.ffmpeg_nb_threads or (1 if len(recipe.chunks) >= settings.processors else 0)
    path = f"{folder}/{rendition.name}.nut"
    options = x264_options(rendition, settings, threads) | {"x264-params": X264_PARAMS}
    output = rendition_output(tag_frames(whole, recipe.matrix), chunk, path, options, GRID_S)
    # -progress: its frame count is the step's result
    return ffmpeg_argv([output], settings, *KEEP_GOING, "-progress", "pipe:1")


def _layer(recipe: StudioRecipe, picture: Picture, cut: SourceCut, chunk: Chunk, settings: EncodingSettings) -> Any:
    """One source's picture during a chunk, in its size, on the output's time line."""
    size_px = picture.place.size_px
    if recipe.frame_rate is None:
        frames = to_standard_colours(cut_frames(cut, chunk, settings), cut.video, size_px)
        return resize_frames(frames, cut.video, size_px, recipe.matrix)
    # chosen before they are resized: there may be minutes of them since the last key frame
    frames = (
        decode_frames(cut, chunk, settings)
        .filter("setpts", f"PTS-{round(cut.shift_s * TICKS_PER_S)}")
        # start_time: of the frames before it, the last one is shown at it; if the first comes later, that is
        .filter("fps", fps=f"{recipe.frame_rate:g}", start_time=f"{chunk.start_s:.6f}", round="near")
        .filter("trim", end=f"{chunk.end_s:.6f}")
    )
    return resize_frames(to_standard_colours(frames, cut.video, size_px), cut.video, size_px, recipe.matrix)


def _compose(recipe: StudioRecipe, layers: Sequence[Any]) -> Any:
    """Lay pictures over one another; their frames have the same times."""
    whole, *others = layers
    width_px, height_px = recipe.rendition.width_px, recipe.rendition.height_px
    if recipe.pictures[0].place.size_px != (width_px, height_px):
        whole = whole.filter("pad", width_px, height_px)
    for picture, layer in zip(recipe.pictures[1:], others, strict=True):
        # format: as both are, without transparency
        whole = ffmpeg.overlay(whole, layer, x=picture.place.x_px, y=picture.place.y_px, format="yuv420")
    return whole


def compose_chunk(context: StudioContext) -> Result:
    """Compose one chunk and leave its file in the job's work folder.

    Raises:
        PermanentError: ffmpeg fails on these sources.
        RetryableError: a source does not exist, or ffmpeg did not write a file.
    """
    recipe, chunk, work = context.recipe, context.params(Chunk), context.work
    inputs = [work.storage.input_of(picture.source) for picture in recipe.pictures]
    cuts = [
        _led(_cut_of(recipe, picture, source, chunk), chunk, work)
        for picture, source in zip(recipe.pictures, inputs, strict=True)
    ]
    with work.writing(chunk_id(chunk)) as folder:
        return _encode(recipe, chunk, cuts, folder, work).reply()


def _encode(
    recipe: StudioRecipe, chunk: Chunk, cuts: Sequence[SourceCut], folder: Path, work: Workspace
) -> ChunkResult:
    counted: dict[str, str] = {}
    length_s = (chunk.end_s or recipe.duration_s) - chunk.start_s
    file_bytes = file_limit_bytes(recipe.rendition.maxrate_bps, length_s, work.settings)
    work.run(
        chunk_argv(recipe, chunk, cuts, str(folder), work.settings),
        access=Access(tuple(cut.source for cut in cuts), folder),
        on_progress=watch_length(cuts[0].source.name, work.settings, counted.update),
        limits=CommandLimits(cpu_limit_s(chunk_cost_s(recipe, chunk)), file_bytes, FACTOR),
    )
    frames = int(counted.get("frame", "0"))
    file = folder / f"{recipe.rendition.name}.nut"
    if not frames:
        return ChunkResult(frames=0)
    if not file.exists():
        raise RetryableError(f"ffmpeg did not write {chunk_id(chunk)}.")
    first_s = chunk.start_s if recipe.frame_rate is not None else first_frame_s(file, work)
    return ChunkResult(frames=frames, first_s=first_s)


def _cut_of(recipe: StudioRecipe, picture: Picture, source: MediaInput, chunk: Chunk) -> SourceCut:
    """How the output's time line is cut from a source."""
    alone, video = recipe.frame_rate is None, picture.video
    return SourceCut(
        source,
        picture.facts,
        video,
        shift_s=picture.origin_s,
        preroll_s=picture.preroll_s,
        decimation=picture.decimation,
        # between frames of a constant rate, the filter repeats what is there
        freeze_first_s=max(0.0, video.start_s - picture.origin_s) if alone else 0.0,
        freeze_last=True,
        first_frame_pts_s=None if chunk.start_s else picture.first_frame_pts_s,
    )


def _led(cut: SourceCut, chunk: Chunk, work: Workspace) -> SourceCut:
    """The same, decoded from further back if frames that are marked as key frames are none."""
    if not (cut.video.false_keys and cut.begins_within(chunk)):
        return cut
    return replace(cut, preroll_s=find_lead(cut, chunk, cut.from_s(chunk), work).preroll_s)
