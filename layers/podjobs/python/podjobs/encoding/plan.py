"""Plans an encoding job: probes the source and chooses renditions and chunks."""

import math

from podjobs.contract.bounds import cut_log
from podjobs.contract.jobs import EncodingJob
from podjobs.contract.media_paths import Key
from podjobs.contract.plans import Plan, Stage
from podjobs.encoding import time_line
from podjobs.encoding.boundaries import (
    choose_chunk_s,
    choose_preroll_s,
    find_first_frame_pts,
    find_key_frames,
    place_around_holds,
    preferred_starts,
)
from podjobs.encoding.context import EncodingContext
from podjobs.encoding.dressing import apply_dressing
from podjobs.encoding.ladder import choose_renditions
from podjobs.encoding.limits import shortest_chunk_s
from podjobs.encoding.lookups import most_places
from podjobs.encoding.opening import OpenedSource, open_copy, open_in_place
from podjobs.encoding.picture import choose_decimation
from podjobs.encoding.recipe import Recipe
from podjobs.encoding.settings import EncodingSettings
from podjobs.encoding.steps import REPACKAGED_FOLDER, repackage_stage, stages_of
from podjobs.encoding.storing import expect_cost
from podjobs.encoding.workspace import Workspace
from podjobs.media.facts import MediaFacts, VideoFacts
from podjobs.media.limits import check_length
from podjobs.media.probe import probe_source

MOST_CHUNKS = 800
"""What a chunk leaves in the steps after it takes some 40 bytes; 13 hours in chunks of 60 s."""


def plan_job(context: EncodingContext) -> Plan:
    """Probe the source and plan the rest of the job.

    Raises:
        PermanentError: the source cannot be encoded, or the request is impossible.
        RetryableError: the source does not exist (yet).
    """
    job, work = context.job, context.work
    facts = probe_source(work.tools, work.storage, work.settings, job.source)
    work.storage.start_work(job.id, f"{job.type} of {job.target}")
    if opened := open_in_place(job.source, facts, work):
        return _plan_source(job, opened, work)
    if facts.selection is not None:
        log = ("The source has streams that are not opened: the others are copied first.",)
    else:
        log = (f"The source ({facts.format_name}) cannot be seeked reliably, so it is repackaged first.",)
    return Plan(stages=(_stage_copy(job, facts, work),), log=log)


def _stage_copy(job: EncodingJob, facts: MediaFacts, work: Workspace) -> Stage:
    """The stage that copies the source."""
    size_bytes = work.storage.size_bytes(job.source)
    coding_s, _ = expect_cost(facts, size_bytes, work.settings.podjobs_max_duration_s)
    return repackage_stage(size_bytes, coding_s)


def plan_repackaged(context: EncodingContext) -> Plan:
    """Repackage the source, then plan the rest of the job. Raises like `plan_job`."""
    job, work = context.job, context.work
    return _plan_source(job, open_copy(job.source, REPACKAGED_FOLDER, work), work)


def _plan_source(job: EncodingJob, opened: OpenedSource, work: Workspace) -> Plan:
    """Plan the rest of the job."""
    facts = opened.examined.facts
    recipe = write_recipe(job, facts, opened.key, work.settings)
    recipe = recipe.model_copy(update={"log": cut_log(dict.fromkeys((*opened.examined.log, *recipe.log)))})
    name = work.storage.pod_path(job.source)
    check_length(name, recipe.output_s, work.settings)
    if facts.video is not None:
        recipe = _cut_into_chunks(recipe, facts.video, work)
    if job.dressing is not None:
        recipe = apply_dressing(recipe, job.dressing, work)
        check_length(f"{name} with its credits", recipe.output_s, work.settings)
    return Plan(
        shared=recipe.model_dump(mode="json"),
        stages=stages_of(recipe, job),
        log=recipe.log,
        media_s=recipe.output_s or 0.0,
        source_bytes=work.storage.size_bytes(job.source),
    )


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
    log += cut_log
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
    if video and video.sizes > 1:
        log += (f"The picture has {video.sizes} sizes: it is fitted into {video.width_px} × {video.height_px} pixels.",)
    origin_s = beginning_s + start_s
    return Recipe(
        source=source,
        # its notes are in the log
        facts=facts.model_copy(update={"notes": ()}),
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


def _cut_into_chunks(recipe: Recipe, video: VideoFacts, work: Workspace) -> Recipe:
    """Divide the time line into chunks that begin soon after the source's key frames, where these are known."""
    if recipe.origin_s > video.start_s:
        first_frame_pts_s = find_first_frame_pts(recipe.source, video.index, (recipe.origin_s, recipe.end_s), work)
        recipe = recipe.model_copy(update={"first_frame_pts_s": first_frame_pts_s})
    duration_s, settings = recipe.duration_s, work.settings
    if duration_s is None:
        return recipe
    # every step is told where all chunks begin
    shortest_s = math.ceil(duration_s / MOST_CHUNKS)
    chunk_s = choose_chunk_s(
        duration_s,
        max(shortest_s, settings.podjobs_chunk_min_s),
        max(shortest_s, settings.podjobs_chunk_max_s),
        settings.podjobs_chunks_per_video,
        settings.ffmpeg_hls_time,
    )
    size_bytes = work.storage.size_bytes(recipe.source)
    chunk_s = max(chunk_s, shortest_chunk_s(duration_s, size_bytes, settings.ffmpeg_hls_time))
    picture_end_s = duration_s if video.end_s is None else min(duration_s, video.end_s - recipe.origin_s)
    wanted_s = range(chunk_s, math.ceil(max(0.0, picture_end_s)), chunk_s)
    preferred_s = _find_preferred(recipe, video, wanted_s, size_bytes, work)
    moving_s = recipe.freeze_first_s, picture_end_s if recipe.freeze_last else duration_s
    starts_s = place_around_holds(duration_s, chunk_s, preferred_s, moving_s, settings.ffmpeg_hls_time)
    return recipe.model_copy(update={"starts_s": starts_s})


def _find_preferred(recipe: Recipe, video: VideoFacts, wanted_s: range, size_bytes: int, work: Workspace) -> set[float]:
    """The times at which chunks should begin: soon after key frames near the wanted times; none if these are unknown.

    Where looking up all would cost too much, some are, and the others are taken as they are.
    """
    file = work.storage.input_of(recipe.source)
    most = most_places(file, size_bytes, recipe.facts.duration_s, len(wanted_s))
    looked_up_s = wanted_s[:: math.ceil(len(wanted_s) / max(1, most)) or 1]
    seeks_s = [recipe.origin_s + time_s - recipe.preroll_s for time_s in looked_up_s]
    key_frames_s = find_key_frames(recipe.source, video.index, seeks_s, work)
    # A file's clock and its index may differ: key frames outside the time line are useless.
    inside_s = [time_s - recipe.origin_s for time_s in key_frames_s if video.start_s <= time_s]
    if not inside_s:
        return set()
    others_s = {float(time_s) for time_s in set(wanted_s) - set(looked_up_s)}
    return others_s | preferred_starts(inside_s, recipe.preroll_s, work.settings.ffmpeg_hls_time)
