"""Plans a studio job: examines the sources, puts them on one time line, and divides it into chunks."""

import math
from collections.abc import Mapping, Sequence

from podjobs.contract.bounds import cut_log
from podjobs.contract.errors import InvalidRequestError, PermanentError
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.jobs import StudioJob
from podjobs.contract.media_paths import Key
from podjobs.contract.plans import Plan
from podjobs.encoding.boundaries import (
    choose_chunk_s,
    choose_preroll_s,
    find_first_frame_pts,
    find_key_frames,
    place_boundaries,
    preferred_starts,
)
from podjobs.encoding.lookups import most_places
from podjobs.encoding.opening import OpenedSource, open_copy, open_in_place
from podjobs.encoding.steps import repackage_stage
from podjobs.encoding.storing import expect_cost
from podjobs.encoding.workspace import Workspace
from podjobs.media.facts import MediaFacts
from podjobs.media.limits import check_length
from podjobs.media.probe import probe_source
from podjobs.studio.context import StudioContext
from podjobs.studio.recipe import Picture, SourceName, StudioRecipe
from podjobs.studio.steps import copy_folder, named, stages_of
from podjobs.studio.time_line import Placed, place_sources
from podjobs.studio.writing import write_recipe

GRID_S = 2
"""Interval of key frames, at which chunks begin."""
MOST_CHUNKS = 800
"""As for encodings."""
DECODED_TWICE, MOST_DECODED_TWICE = 0.5, 4.0
"""How much of a recording, as a share of its length, may be decoded more than once, as chunks begin far from a key
frame: within the usual lengths of chunks, and in any case, up to `LONGEST_CHUNK_S`."""
LONGEST_CHUNK_S = 300

Sources = Mapping[SourceName, Key]


def plan_job(context: StudioContext) -> Plan:
    """Probe the sources and plan the rest of the job.

    Raises:
        PermanentError: a source cannot be used, or the request is impossible.
        RetryableError: a source does not exist (yet).
    """
    job, work = context.job, context.work
    sources = _sources_of(job)
    facts = {name: probe_source(work.tools, work.storage, work.settings, key) for name, key in sources.items()}
    work.storage.start_work(job.id, f"{job.type} of {job.target}")
    opened: dict[SourceName, OpenedSource] = {}
    for name, key in sources.items():
        if found := open_in_place(key, facts[name], work):
            opened[name] = found
    if len(opened) == len(sources):
        return _plan_opened(job, facts, opened, work)
    copied = {name: key for name, key in sources.items() if name not in opened}
    size_bytes = sum(work.storage.size_bytes(key) for key in copied.values())
    longest_s = work.settings.podjobs_max_duration_s
    coding_s = sum(expect_cost(facts[name], work.storage.size_bytes(key), longest_s)[0] for name, key in copied.items())
    log = tuple(
        f"The {name} ({facts[name].format_name}) cannot be seeked reliably, so it is repackaged first."
        for name in copied
    )
    return Plan(stages=(named(repackage_stage(size_bytes, coding_s), job),), log=log)


def plan_repackaged(context: StudioContext) -> Plan:
    """Repackage the sources that need it, then plan the rest of the job. Raises like `plan_job`."""
    job, work = context.job, context.work
    facts: dict[SourceName, MediaFacts] = {}
    opened: dict[SourceName, OpenedSource] = {}
    for name, key in _sources_of(job).items():
        facts[name] = probe_source(work.tools, work.storage, work.settings, key)
        opened[name] = open_in_place(key, facts[name], work) or open_copy(key, copy_folder(name), work)
    return _plan_opened(job, facts, opened, work)


def _sources_of(job: StudioJob) -> dict[SourceName, Key]:
    sources: dict[SourceName, Key] = {}
    if job.presentation is not None:
        sources["presentation"] = job.presentation
    if job.presenter is not None:
        sources["presenter"] = job.presenter
    if not sources:
        raise InvalidRequestError("The recording has neither a presentation nor a presenter. Record it again.")
    return sources


def _plan_opened(
    job: StudioJob, facts: Mapping[SourceName, MediaFacts], opened: Mapping[SourceName, OpenedSource], work: Workspace
) -> Plan:
    """Plan the rest of the job.

    Args:
        job: what was requested.
        facts: of the sources, as uploaded.
        opened: the sources, as they are read.
        work: the step's workspace.
    """
    placed = place_sources({name: (facts[name].start_s, one.key, one.examined.facts) for name, one in opened.items()})
    for name, one in placed.items():
        if one.end_s is None:
            path = work.storage.pod_path(one.key)
            detail = f"The length of the {name} {path!r} cannot be determined. Convert it and upload it again."
            raise PermanentError(detail, kind=FailureKind.DAMAGED)
    recipe = write_recipe(job, placed, work.settings)
    check_length(f"{work.storage.pod_path(job.output)} as composed", recipe.duration_s, work.settings)
    recipe = _find_first_frame(_cut_into_chunks(recipe, work), work)
    said = [sentence for one in opened.values() for sentence in one.examined.log]
    log = cut_log(dict.fromkeys((*_tell_sources(job, facts, placed, work), *said, *recipe.log)))
    recipe = recipe.model_copy(update={"log": log})
    sizes = (work.storage.size_bytes(key) for key in job.sources)
    return Plan(
        shared=recipe.model_dump(mode="json"),
        stages=stages_of(recipe, job),
        log=log,
        media_s=recipe.duration_s,
        source_bytes=sum(sizes),
    )


def _cut_into_chunks(recipe: StudioRecipe, work: Workspace) -> StudioRecipe:
    """Divide the time line into chunks that begin soon after key frames of the picture that costs most to decode."""
    settings, duration_s = work.settings, recipe.duration_s
    shortest_s = math.ceil(duration_s / MOST_CHUNKS)
    longest_s = max(shortest_s, settings.podjobs_chunk_max_s)
    chunk_s = choose_chunk_s(
        duration_s,
        max(shortest_s, settings.podjobs_chunk_min_s),
        longest_s,
        settings.podjobs_chunks_per_video,
        GRID_S,
    )
    costly = max(recipe.pictures, key=lambda one: one.video.width_px * one.video.height_px * one.video.frame_rate)
    keys_s = _find_keys(costly, range(chunk_s, math.ceil(duration_s), chunk_s), work)
    starts_s = choose_starts(duration_s, (chunk_s, longest_s), keys_s, costly.preroll_s)
    return recipe.model_copy(update={"starts_s": starts_s})


def choose_starts(
    duration_s: float, chunk_s: tuple[int, int], keys_s: Sequence[float], preroll_s: float
) -> tuple[float, ...]:
    """Choose where chunks begin. Browsers write few key frames, some only one: then there are fewer chunks. Pure.

    Args:
        duration_s: of the time line.
        chunk_s: wanted and longest length of a chunk, in seconds.
        keys_s: key frames on the time line; none: they are not known.
        preroll_s: how far before a chunk to seek.

    Returns:
        The beginnings, 0 first.
    """
    wanted_s, longest_s = chunk_s
    preferred_s = preferred_starts(keys_s, preroll_s, GRID_S)
    while True:
        starts_s = place_boundaries(duration_s, wanted_s, preferred_s)
        leads_s = [
            start_s - max((key_s for key_s in keys_s if key_s <= start_s), default=start_s) for start_s in starts_s
        ]
        share = sum(leads_s) / duration_s
        limit_s = longest_s if share <= MOST_DECODED_TWICE else LONGEST_CHUNK_S
        if share <= DECODED_TWICE or 2 * wanted_s > limit_s:
            return starts_s
        wanted_s *= 2


def _find_keys(picture: Picture, wanted_s: Sequence[int], work: Workspace) -> list[float]:
    """The last key frame before each of these times, on the output's time line; none if looking is too dear."""
    file = work.storage.input_of(picture.source)
    size_bytes = work.storage.size_bytes(picture.source)
    if most_places(file, size_bytes, picture.facts.duration_s, len(wanted_s)) < len(wanted_s):
        return []
    seeks_s = [picture.origin_s + time_s - picture.preroll_s for time_s in wanted_s]
    found_s = find_key_frames(picture.source, picture.video.index, seeks_s, work)
    return [time_s - picture.origin_s for time_s in found_s]


def _find_first_frame(recipe: StudioRecipe, work: Workspace) -> StudioRecipe:
    """A picture that keeps its own frames may begin within one."""
    if recipe.frame_rate is not None:
        return recipe
    picture = recipe.pictures[0]
    if picture.origin_s <= picture.video.start_s:
        return recipe
    span_s = picture.origin_s, picture.origin_s + recipe.duration_s
    pts_s = find_first_frame_pts(picture.source, picture.video.index, span_s, work)
    changed = picture.model_copy(update={"first_frame_pts_s": pts_s, "preroll_s": choose_preroll_s(picture.video)})
    return recipe.model_copy(update={"pictures": (changed,)})


def _tell_sources(
    job: StudioJob, facts: Mapping[SourceName, MediaFacts], placed: Mapping[SourceName, Placed], work: Workspace
) -> list[str]:
    """A sentence about each source: what was read."""
    return [
        f"The {name}: {work.storage.pod_path(key)!r}, {placed[name].describe(facts[name])}."
        for name, key in _sources_of(job).items()
    ]
