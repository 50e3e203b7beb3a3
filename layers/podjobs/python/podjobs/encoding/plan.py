"""Plans an encoding job: what the source is, which renditions, which chunks, in which order."""

import math

from podjobs.contract.errors import InvalidRequestError
from podjobs.contract.jobs import Cut, EncodingJob
from podjobs.contract.media_paths import Key
from podjobs.contract.plans import Plan, Stage, StepSpec
from podjobs.contract.ports import Storage, Tools
from podjobs.contract.requests import DEFAULT_TIMEOUT_S
from podjobs.contract.workflows import workflow_of
from podjobs.encoding.boundaries import (
    choose_chunk_s,
    choose_lead_s,
    find_key_frames,
    find_shown_frame,
    good_places,
    place_boundaries,
)
from podjobs.encoding.dress import dress_recipe
from podjobs.encoding.ladder import choose_renditions
from podjobs.encoding.package import folder_name
from podjobs.encoding.picture import thinning
from podjobs.encoding.recipe import Chunk, Recipe
from podjobs.encoding.repackage import BYTES_PER_S, repackage
from podjobs.encoding.settings import EncodingSettings
from podjobs.encoding.workspace import Workspace
from podjobs.media.facts import AudioFacts, MediaFacts, VideoFacts
from podjobs.media.probe import probe_source

PIXELS_PER_S = 60_000_000
"""Pixels one core encodes in a second with the default tuning: for the weights of the progress display."""
HELD_FROM_S = 1.0
"""Where picture or sound are missing for longer than this, the next picture or silence takes their place: players stop
where one of the two is not there."""
SLOWEST = 20
"""A machine may be this much slower than that before a step that cannot be cut runs out of time."""


def plan_job(job: EncodingJob, work: Workspace) -> Plan:
    """Look at the source and say what is to be done.

    Args:
        job: what Pod asked for.
        work: where and with what.

    Raises:
        PermanentError: the source cannot be encoded, or the request asks for the impossible.
        RetryableError: the source is not there (yet).
    """
    facts = probe_source(work.tools, work.storage, work.settings, job.source)
    work.storage.start_work(job.id)
    if facts.video is not None and (facts.seeks_badly or facts.duration_s is None):
        return Plan(
            stages=(_repackage_stage(work.storage.size_bytes(job.source)),),
            log=(f"The source ({facts.format_name}) cannot be searched well: it is repackaged first.",),
        )
    return plan_source(job, job.source, facts, work)


def plan_repackaged(job: EncodingJob, work: Workspace) -> Plan:
    """Repackage the source, then say what is to be done. Raises as `plan_job`."""
    facts = probe_source(work.tools, work.storage, work.settings, job.source)
    copy = repackage(facts, job.source, work)
    plan = plan_source(job, copy, probe_source(work.tools, work.storage, work.settings, copy), work)
    return plan.model_copy(update={"log": (*tell_pictures(facts), *plan.log)})


def plan_source(job: EncodingJob, key: Key, facts: MediaFacts, work: Workspace) -> Plan:
    """Say what is to be done with a source that can be searched.

    Args:
        job: what Pod asked for.
        key: the source, as it was uploaded or repackaged.
        facts: what it is.
        work: where and with what.
    """
    recipe = write_recipe(job, facts, key, work.settings)
    if facts.video is not None:
        recipe = cut_recipe(recipe, facts.video, work.tools, work.storage, work.settings)
    if job.dressing is not None:
        recipe = dress_recipe(recipe, job.dressing, work)
    return Plan(shared=recipe.model_dump(mode="json"), stages=stages_of(recipe, job), log=recipe.log)


def write_recipe(job: EncodingJob, facts: MediaFacts, source: str, settings: EncodingSettings) -> Recipe:
    """Decide what all steps share, but for the cut into chunks. Pure.

    Args:
        job: what Pod asked for.
        facts: what the source is.
        source: its key.
        settings: the ladder.

    Raises:
        InvalidRequestError: the cut leaves nothing.
    """
    first_s, log = _first_s(facts)
    whole_s = None if facts.duration_s is None else facts.duration_s - max(0.0, first_s - facts.start_s)
    if facts.video is None and facts.guesses_length:
        whole_s = None
    start_s, end_s, cut_log = _clamp_cut(job.cut, whole_s)
    log += cut_log
    log += tell_pictures(facts)
    kept_of = thinning(facts.video.frame_rate, settings.podjobs_max_frame_rate) if facts.video else 1
    if facts.video and kept_of > 1:
        rate = facts.video.frame_rate
        log = (*log, f"The source has {rate:g} frames per second: one of {kept_of} is kept.")
    last_s = None if end_s is None else first_s + end_s
    held_to_end, silent_end = (
        _ends_early(facts.video, last_s),
        facts.video is not None and _ends_early(facts.audio, last_s),
    )
    if held_to_end:
        log = (*log, "The sound goes on after the picture: the last picture is shown until it ends.")
    if silent_end:
        log = (*log, "The sound ends before the picture: silence follows it.")
    return Recipe(
        source=source,
        facts=facts,
        renditions=choose_renditions(facts.video, settings, facts.video.frame_rate / kept_of) if facts.video else (),
        origin_s=first_s + start_s,
        duration_s=end_s - start_s if end_s is not None else None,
        kept_of=kept_of,
        held_before_s=max(0.0, facts.video.start_s - (first_s + start_s)) if facts.video else 0.0,
        held_to_end=held_to_end,
        silent_end=silent_end,
        ends=_ends_before_source(job.cut, end_s, whole_s),
        lead_s=choose_lead_s(facts.video) if facts.video else 0.0,
        log=log,
    )


def tell_pictures(facts: MediaFacts) -> tuple[str, ...]:
    """A sentence for each subtitle stream that is no text. Pure."""
    return tuple(
        f"The subtitle stream {subtitle.index} ({subtitle.codec}) holds pictures, not text: it is left out."
        for subtitle in facts.subtitles
        if not subtitle.is_text
    )


def _first_s(facts: MediaFacts) -> tuple[float, tuple[str, ...]]:
    """Where the time line begins, in the source's clock: with the picture, or with a sound that is much earlier."""
    video, audio = facts.video, facts.audio
    if video is None:
        return facts.start_s, ()
    if audio is None or audio.start_s > video.start_s - HELD_FROM_S:
        return video.start_s, ()
    early_s = video.start_s - audio.start_s
    return audio.start_s, (
        f"The sound begins {early_s:.1f} s before the picture: the first picture is shown until then.",
    )


def _ends_early(stream: VideoFacts | AudioFacts | None, end_s: float | None) -> bool:
    if stream is None or stream.end_s is None or end_s is None:
        return False
    return end_s - stream.end_s > HELD_FROM_S


def cut_recipe(recipe: Recipe, video: VideoFacts, tools: Tools, storage: Storage, settings: EncodingSettings) -> Recipe:
    """Cut the time line into chunks, with a look at the source's key frames.

    Args:
        recipe: the job.
        video: the source's picture.
        tools: runs ffprobe.
        storage: holds the source.
        settings: lengths of chunks and segments.
    """
    if recipe.origin_s > video.start_s:
        shown_s = find_shown_frame(recipe.source, (recipe.origin_s, recipe.end_s), tools, storage, settings)
        recipe = recipe.model_copy(update={"shown_s": shown_s})
    duration_s = recipe.duration_s
    if duration_s is None:
        return recipe
    chunk_s = choose_chunk_s(
        duration_s,
        settings.podjobs_chunk_min_s,
        settings.podjobs_chunk_max_s,
        settings.podjobs_chunks_per_video,
        settings.ffmpeg_hls_time,
    )
    looked_s = [recipe.origin_s + time_s - recipe.lead_s for time_s in range(chunk_s, math.ceil(duration_s), chunk_s)]
    found_s = find_key_frames(recipe.source, looked_s, tools, storage, settings)
    # A file's clock and its index may differ: what lies outside the time line is of no use.
    inside_s = [time_s - recipe.origin_s for time_s in found_s if video.start_s <= time_s]
    good_s = good_places(inside_s, recipe.lead_s, settings.ffmpeg_hls_time)
    return recipe.model_copy(update={"starts_s": place_boundaries(duration_s, chunk_s, good_s)})


def _ends_before_source(cut: Cut | None, end_s: float | None, whole_s: float | None) -> bool:
    if cut is None or cut.end_s is None or end_s is None:
        return False
    return whole_s is None or end_s < whole_s


def _clamp_cut(cut: Cut | None, whole_s: float | None) -> tuple[float, float | None, tuple[str, ...]]:
    if cut is None:
        return 0.0, whole_s, ()
    if cut.end_s is not None and cut.start_s >= cut.end_s:
        raise InvalidRequestError(
            f"The cut starts at {cut.start_s:g} s and ends at {cut.end_s:g} s: nothing is left. Correct the cut."
        )
    if whole_s is None:
        return cut.start_s, cut.end_s, ()
    if cut.start_s >= whole_s:
        raise InvalidRequestError(
            f"The cut starts at {cut.start_s:g} s, but the video is {whole_s:.1f} s long. Correct the cut."
        )
    if cut.end_s is not None and cut.end_s > whole_s:
        log = f"The cut ends at {cut.end_s:g} s, but the video is {whole_s:.1f} s long: it is cut at its end."
        return cut.start_s, whole_s, (log,)
    return cut.start_s, whole_s if cut.end_s is None else cut.end_s, ()


def stages_of(recipe: Recipe, job: EncodingJob) -> tuple[Stage, ...]:
    """The stages that follow the plan, up to telling Pod. Pure."""
    encode = [_audio_step(recipe)] if recipe.has_audio else []
    if recipe.facts.text_subtitles:
        encode.append(_subtitles_step(recipe))
    if recipe.facts.video is None:
        encode.append(_images_step(recipe, needs=()))
        return (Stage(name="encode", steps=tuple(encode)), _publish_stage(recipe), workflow_of(job).notification_stage)
    if recipe.generation:
        encode = []
    encode += [_chunk_step(recipe, chunk) for chunk in recipe.chunks]
    package = [_package_step(recipe, index) for index in range(len(recipe.renditions))]
    package.append(_images_step(recipe, needs=("chunk",)))
    return (
        Stage(name="encode", steps=tuple(encode)),
        Stage(name="package", steps=tuple(package)),
        _publish_stage(recipe),
        workflow_of(job).notification_stage,
    )


def _repackage_stage(size_bytes: int) -> Stage:
    weight = max(0.1, size_bytes / BYTES_PER_S)
    step = StepSpec(
        id="repackage",
        function="encoding",
        action="repackage",
        weight=round(weight, 3),
        timeout_s=_whole_file_timeout_s(weight),
    )
    return Stage(name="repackage", steps=(step,))


def _suffix(recipe: Recipe) -> str:
    return f"-{recipe.generation}" if recipe.generation else ""


def _whole_file_timeout_s(weight: float) -> int:
    return max(DEFAULT_TIMEOUT_S, math.ceil(weight * SLOWEST))


def _chunk_step(recipe: Recipe, chunk: Chunk) -> StepSpec:
    video = recipe.facts.video
    frame_rate = (video.frame_rate if video else 0) or 25.0
    length_s = (chunk.expected_end_s or recipe.output_s or 60.0) - chunk.start_s
    pixels = sum(rendition.width_px * rendition.height_px for rendition in recipe.renditions)
    weight = max(0.1, length_s * frame_rate / recipe.kept_of * pixels / PIXELS_PER_S)
    return StepSpec(
        id=chunk.name,
        function="encoding",
        action="chunk",
        params=chunk.model_dump(),
        weight=round(weight, 3),
        timeout_s=_whole_file_timeout_s(weight),
    )


def _audio_step(recipe: Recipe) -> StepSpec:
    weight = max(0.1, (recipe.output_s or 60.0) / 25)
    return StepSpec(
        id="audio",
        function="encoding",
        action="audio",
        weight=round(weight, 3),
        timeout_s=_whole_file_timeout_s(weight),
    )


def _subtitles_step(recipe: Recipe) -> StepSpec:
    weight = max(0.1, (recipe.duration_s or 60.0) / 200)
    return StepSpec(
        id="subtitles",
        function="encoding",
        action="subtitles",
        weight=round(weight, 3),
        timeout_s=_whole_file_timeout_s(weight),
    )


def _package_step(recipe: Recipe, index: int) -> StepSpec:
    weight = max(0.2, (recipe.output_s or 60.0) / 150)
    return StepSpec(
        id=folder_name(recipe, recipe.renditions[index]),
        function="encoding",
        action="package",
        params={"rendition": index},
        weight=round(weight, 3),
        timeout_s=_whole_file_timeout_s(weight),
        needs=("chunk",),
    )


def _images_step(recipe: Recipe, needs: tuple[str, ...]) -> StepSpec:
    return StepSpec(id=f"images{_suffix(recipe)}", function="encoding", action="images", weight=0.5, needs=needs)


def _publish_stage(recipe: Recipe) -> Stage:
    step = StepSpec(
        id=f"publish{_suffix(recipe)}",
        function="encoding",
        action="publish",
        weight=0.2,
        needs=("chunk", "audio", "subtitles", "package", "images"),
    )
    return Stage(name="publish", steps=(step,))
