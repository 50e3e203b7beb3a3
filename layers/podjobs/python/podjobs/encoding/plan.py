"""Plans an encoding job: probes the source and chooses renditions and chunks."""

import math

from podjobs.contract.jobs import EncodingJob
from podjobs.contract.media_paths import Key
from podjobs.contract.plans import Plan, Stage
from podjobs.encoding import time_line
from podjobs.encoding.boundaries import (
    choose_chunk_s,
    choose_preroll_s,
    find_first_frame_pts,
    find_key_frames,
    place_boundaries,
    preferred_starts,
)
from podjobs.encoding.context import EncodingContext
from podjobs.encoding.dressing import apply_dressing
from podjobs.encoding.ladder import choose_renditions
from podjobs.encoding.limits import shortest_chunk_s
from podjobs.encoding.picture import choose_decimation
from podjobs.encoding.recipe import Recipe
from podjobs.encoding.repackage import repackage
from podjobs.encoding.selection import copy_selection, tell_left_out
from podjobs.encoding.settings import EncodingSettings
from podjobs.encoding.steps import REPACKAGED_FOLDER, repackage_stage, stages_of
from podjobs.encoding.storing import expect_cost
from podjobs.encoding.workspace import Workspace
from podjobs.media.facts import MediaFacts, VideoFacts
from podjobs.media.limits import check_length
from podjobs.media.probe import probe_source


def plan_job(context: EncodingContext) -> Plan:
    """Probe the source and plan the rest of the job.

    Raises:
        PermanentError: the source cannot be encoded, or the request is impossible.
        RetryableError: the source does not exist (yet).
    """
    job, work = context.job, context.work
    facts = probe_source(work.tools, work.storage, work.settings, job.source)
    work.storage.start_work(job.id)
    if facts.selection is not None:
        log = ("The source has streams that are not opened: the others are copied first.",)
        return Plan(stages=(_stage_copy(job, facts, work),), log=log)
    if facts.video is not None and (facts.seeks_badly or facts.duration_s is None):
        return Plan(
            stages=(_stage_copy(job, facts, work),),
            log=(f"The source ({facts.format_name}) cannot be seeked reliably, so it is repackaged first.",),
        )
    return _plan_source(job, job.source, facts, work)


def _stage_copy(job: EncodingJob, facts: MediaFacts, work: Workspace) -> Stage:
    """The stage that copies the source."""
    size_bytes = work.storage.size_bytes(job.source)
    coding_s, _ = expect_cost(facts, size_bytes, work.settings.podjobs_max_duration_s)
    return repackage_stage(size_bytes, coding_s)


def plan_repackaged(context: EncodingContext) -> Plan:
    """Repackage the source, then plan the rest of the job. Raises like `plan_job`."""
    job, work = context.job, context.work
    facts = probe_source(work.tools, work.storage, work.settings, job.source)
    log = _log_left_out(facts)
    if facts.selection is not None:
        copy = copy_selection(facts, job.source, REPACKAGED_FOLDER, work)
        log += (tell_left_out(facts.selection),)
    else:
        copy = repackage(facts, job.source, work)
    plan = _plan_source(job, copy, probe_source(work.tools, work.storage, work.settings, copy), work)
    return plan.model_copy(update={"log": (*log, *plan.log)})


def _plan_source(job: EncodingJob, source: Key, facts: MediaFacts, work: Workspace) -> Plan:
    """Plan the rest of the job for a seekable source, as uploaded or repackaged."""
    recipe = write_recipe(job, facts, source, work.settings)
    name = work.storage.pod_path(job.source)
    check_length(name, recipe.output_s, work.settings)
    if facts.video is not None:
        recipe = _cut_into_chunks(recipe, facts.video, work)
    if job.dressing is not None:
        recipe = apply_dressing(recipe, job.dressing, work)
        check_length(f"{name} with its credits", recipe.output_s, work.settings)
    return Plan(shared=recipe.model_dump(mode="json"), stages=stages_of(recipe, job), log=recipe.log)


def write_recipe(job: EncodingJob, facts: MediaFacts, source: Key, settings: EncodingSettings) -> Recipe:
    """Decide everything that all steps share, except the division into chunks. Pure.

    Args:
        job: what was requested.
        facts: of the source.
        source: its key.
        settings: the ladder.

    Raises:
        InvalidRequestError: the cut leaves nothing.
    """
    video = facts.video
    beginning_s, log = time_line.find_beginning(facts)
    length_s = time_line.measure_length_s(facts, beginning_s)
    start_s, end_s, cut_log = time_line.clamp_cut(job.cut, length_s)
    log += cut_log + _log_left_out(facts)
    decimation = choose_decimation(video.frame_rate, settings.podjobs_max_frame_rate) if video else 1
    if video and decimation > 1:
        log += (f"The source has {video.frame_rate:g} frames per second: one in {decimation} is kept.",)
    last_s = None if end_s is None else beginning_s + end_s
    freeze_last = time_line.stops_early(video, last_s)
    if freeze_last:
        log += ("The sound continues after the picture: the last frame is shown until it ends.",)
    pad_audio = video is not None and time_line.stops_early(facts.audio, last_s)
    if pad_audio:
        log += ("The sound ends before the picture: silence follows it.",)
    origin_s = beginning_s + start_s
    return Recipe(
        source=source,
        facts=facts,
        renditions=choose_renditions(video, settings, video.frame_rate / decimation) if video else (),
        origin_s=origin_s,
        duration_s=end_s - start_s if end_s is not None else None,
        decimation=decimation,
        freeze_first_s=max(0.0, video.start_s - origin_s) if video else 0.0,
        freeze_last=freeze_last,
        pad_audio=pad_audio,
        ends=time_line.ends_before_source(job.cut, end_s, length_s),
        preroll_s=choose_preroll_s(video) if video else 0.0,
        log=log,
    )


def _log_left_out(facts: MediaFacts) -> tuple[str, ...]:
    """A sentence about each subtitle stream that is not text, and about each sound that nobody can decode."""
    return tuple(
        f"The audio stream {index} has a codec that ffmpeg does not know, and is left out."
        for index in facts.unknown_audio
    ) + tuple(
        f"The subtitle stream {subtitle.index} ({subtitle.codec}) contains pictures, not text, and is left out."
        for subtitle in facts.subtitles
        if not subtitle.is_text
    )


def _cut_into_chunks(recipe: Recipe, video: VideoFacts, work: Workspace) -> Recipe:
    """Divide the time line into chunks that begin soon after the source's key frames, where these are known."""
    if recipe.origin_s > video.start_s:
        first_frame_pts_s = find_first_frame_pts(recipe.source, (recipe.origin_s, recipe.end_s), work)
        recipe = recipe.model_copy(update={"first_frame_pts_s": first_frame_pts_s})
    duration_s, settings = recipe.duration_s, work.settings
    if duration_s is None:
        return recipe
    chunk_s = choose_chunk_s(
        duration_s,
        settings.podjobs_chunk_min_s,
        settings.podjobs_chunk_max_s,
        settings.podjobs_chunks_per_video,
        settings.ffmpeg_hls_time,
    )
    size_bytes = work.storage.size_bytes(recipe.source)
    chunk_s = max(chunk_s, shortest_chunk_s(duration_s, size_bytes, settings.ffmpeg_hls_time))
    wanted_s = range(chunk_s, math.ceil(duration_s), chunk_s)
    seeks_s = [recipe.origin_s + time_s - recipe.preroll_s for time_s in wanted_s]
    key_frames_s = find_key_frames(recipe.source, seeks_s, work)
    # A file's clock and its index may differ: key frames outside the time line are useless.
    inside_s = [time_s - recipe.origin_s for time_s in key_frames_s if video.start_s <= time_s]
    preferred_s = preferred_starts(inside_s, recipe.preroll_s, settings.ffmpeg_hls_time)
    return recipe.model_copy(update={"starts_s": place_boundaries(duration_s, chunk_s, preferred_s)})
