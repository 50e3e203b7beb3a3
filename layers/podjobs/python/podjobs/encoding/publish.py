"""Publishes what was packaged: files are moved into place, the master playlist and info_video.json last.

Then old files are removed. What a late step of a superseded job does changes nothing: see media/publication.py.

Also cleans up after a job that has failed, was superseded, or whose video was deleted.
"""

import json
import posixpath
import re
import time
from collections.abc import Iterable, Sequence
from typing import Any

from podjobs.contract.errors import FileChangedError, MissingFileError, PermanentError, Problem, StepError
from podjobs.contract.jobs import EncodingJob
from podjobs.contract.media_paths import Key
from podjobs.contract.plans import Plan, Result
from podjobs.contract.ports.storage import Storage
from podjobs.encoding import info
from podjobs.encoding.completeness import find_faults, find_missing, find_missing_sound
from podjobs.encoding.context import EncodingContext
from podjobs.encoding.deliverables import heights_of, is_for_runner, runner_info
from podjobs.encoding.playlist import MASTER, master_playlist
from podjobs.encoding.recipe import Recipe
from podjobs.encoding.results import PackageResult, PublishResult
from podjobs.encoding.runner_result import arrange, write_checksums
from podjobs.encoding.steps import AUDIO_FOLDER, IMAGES_FOLDER, SUBTITLES_FOLDER, package_id, stages_of
from podjobs.media.fetched import remove_fetched
from podjobs.media.publication import Publication
from podjobs.media.source_watch import SourceWatch

OURS = re.compile(
    r"(\d+p\.(mp4|m3u8|ts)|livestream\d*\.m3u8|audio_\d+k\.(mp3|m4a)|thumbnail_\d+\.png|overview\.(png|vtt)"
    r"|subtitle_.*\.vtt)"
)
"""Files that an encoder leaves in a video's folder: a new encode removes those that it does not replace."""
REPORTED = "The failure was reported in info_video.json."
MASTER_FOLDER = "master"
"""In the work folder."""


def publish(context: EncodingContext) -> Plan | Result:
    """Move the files of a job into place; safe to repeat at any point.

    Returns:
        A result; or, if the packaged renditions do not verify, the plan to encode the source once more in one piece.

    Raises:
        PermanentError: even that did not verify.
        SourceGoneError: the source was moved or deleted meanwhile: what Pod would import must not be left here.
        RetryableError: a work file does not exist; or the job has ended or was superseded.
    """
    job, storage = context.job, context.work.storage
    if not storage.has_work(job.id) and (published := _find_published(job, storage)):
        storage.remove_work(job.id)
        remove_fetched(job, storage)
        return _result_of(published).reply(("The files were published before.",))
    recipe, packages = context.recipe, context.results.packages
    faults = find_faults(context.results, packages)
    if faults and recipe.facts.video is not None and not recipe.generation:
        return _plan_again(recipe, job, faults)
    if serious := [fault for package in packages for fault in package.faults]:
        raise PermanentError("The encoded files did not verify: " + " ".join(serious))

    # a move to another file system takes its time
    still_there = SourceWatch(storage, job.source, job.id).check
    publication = Publication(storage, job.id, last=_place(job, info.NAME), also=still_there)
    log = (
        *faults,
        *find_missing(recipe, packages),
        *find_missing_sound(recipe, context.results.audio.duration_s),
    )
    groups = _work_files(context, packages)
    if is_for_runner(job):
        groups = arrange(context, groups, log)
    files = [name for group in groups for name in group]
    has_master = bool(packages) and not is_for_runner(job)
    keep = {*files, info.NAME} | ({MASTER} if has_master else set())
    old = _find_old(job, keep, storage)
    written = runner_info(context, files) if is_for_runner(job) else info.success_info(context, files, log)
    content = info.dump(written)
    if is_for_runner(job):
        write_checksums(context, groups, {info.NAME: content})
    publication.move_all([[(key, _place(job, name)) for name, key in group.items()] for group in groups])
    if has_master:
        publication.move(_write_master(context, packages), _place(job, MASTER))
    publication.conclude(content)
    publication.remove(old)
    storage.remove_work(job.id)
    remove_fetched(job, storage)
    return _result_of(written, keep).reply(log)


def report_failure(context: EncodingContext) -> Result:
    """Write the reason for a failure where Pod looks for the result, and remove the work files.

    Where Pod looks depends on the path that it is notified with. So if nothing can be written at the video, as its
    folder lies behind a link that is not followed, the report is left at another place, which the notification names.

    Returns:
        `video_path`: the path to notify Pod with, if that is not the video's own; `published_at`: when a report was
        left, seconds since the epoch.

    Raises:
        FileChangedError: somebody has written there meanwhile.
        StepError: the report cannot be left at either place; the error is that of the first one.
    """
    job, step, storage = context.job, context.step, context.work.storage
    problem = step.failure or Problem(title="The job failed.", status=500, detail="No reason was given.")
    values: dict[str, Any] = {}
    try:
        sentence = _leave_report(job, problem, context)
    except FileChangedError:
        raise
    except StepError as error:
        spare = job.spare
        values["video_path"] = storage.pod_path(spare.source)
        sentence = f"The failure was reported in {storage.pod_path(_place(spare, info.NAME))!r}: {error.detail}"
        also = f"{problem.detail} (Nothing can be left at the video: {error.detail})"
        try:
            _leave_report(spare, problem.model_copy(update={"detail": also}), context)
        except StepError:
            raise error from None
    if sentence == REPORTED or "video_path" in values:
        values["published_at"] = time.time()
    storage.remove_work(job.id)
    remove_fetched(job, storage)
    return Result(values=values, log=(sentence,))


def withdraw(context: EncodingContext) -> Result:
    """Remove all files of a job whose video was deleted: Pod has removed the folder, but perhaps too early."""
    job, storage = context.job, context.work.storage
    storage.remove_work(job.id)
    remove_fetched(job, storage)
    for place in (job, job.spare):
        if _is_newer(_read_info(place, storage), context):
            continue
        for key in _list_ours(place, storage):
            storage.delete(key)
        storage.remove_folder(place.output_folder)
    storage.remove_folder(posixpath.dirname(job.spare.source))
    return Result(log=("The video was deleted; all files of this job were removed.",))


def discard(context: EncodingContext) -> Result:
    """Remove the work files of a job that a newer one has superseded."""
    context.work.storage.remove_work(context.job.id)
    remove_fetched(context.job, context.work.storage)
    return Result(log=("A newer job superseded this one; its work files were removed.",))


def _plan_again(recipe: Recipe, job: EncodingJob, faults: Sequence[str]) -> Plan:
    again = recipe.model_copy(update={"generation": recipe.generation + 1})
    log = (*faults, "The chunks did not verify; the source is encoded once more in one piece.")
    return Plan(shared=again.model_dump(mode="json"), stages=stages_of(again, job), log=log)


def _leave_report(place: EncodingJob, problem: Problem, context: EncodingContext) -> str:
    """Report a failure at a place, unless something better is there. Returns a sentence about it.

    A job that fails early has no work folder that could tell whether it was superseded: what is there has to.
    """
    job, storage = context.job, context.work.storage
    key = _place(place, info.NAME)
    version = storage.version(key)
    found = _read_info(place, storage)
    if _is_newer(found, context):
        return "A newer job has published its result meanwhile: it stays."
    if found.get("job_id") == job.id and found.get("error_encoding") is False:
        # what failed is the notification, or what came after the files
        return "The files stay: they had been published before the job failed."
    language = context.work.settings.language
    content = info.failure_info(job, storage.pod_path, context.step.accepted_at, problem, language)
    storage.replace(key, info.dump(content), version)
    return REPORTED


def _place(job: EncodingJob, name: str) -> Key:
    return posixpath.join(job.output_folder, name)


def _read_info(job: EncodingJob, storage: Storage) -> dict[str, Any]:
    """The info_video.json in a job's folder, whoever wrote it; empty: there is none."""
    try:
        with storage.open(_place(job, info.NAME)) as file:
            found = json.load(file)
    except (MissingFileError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _find_published(job: EncodingJob, storage: Storage) -> dict[str, Any]:
    """The info_video.json that this job has published; empty: there is none."""
    found = _read_info(job, storage)
    return found if found.get("job_id") == job.id else {}


def _is_newer(found: dict[str, Any], context: EncodingContext) -> bool:
    """Whether an info_video.json is that of a job that was accepted later."""
    accepted_at = found.get("accepted_at")
    is_other = found.get("job_id") != context.job.id
    return is_other and isinstance(accepted_at, int | float) and accepted_at > context.step.accepted_at


def _result_of(written: dict[str, Any], files: Iterable[str] = ()) -> PublishResult:
    """What the notification must know of a published info_video.json."""
    duration_s = int(written["duration"])
    return PublishResult(files=tuple(sorted(files)), duration_s=duration_s, heights_px=heights_of(written))


def _work_files(context: EncodingContext, packages: Sequence[PackageResult]) -> list[dict[str, Key]]:
    """The work file of each file to publish, by name, in groups; a playlist comes right after its stream.

    Until then, the old playlist lists byte ranges of the new stream: for as short a time as can be.
    """
    recipe, results = context.recipe, context.results
    in_folders: list[tuple[str, Sequence[str]]] = [
        (package_id(recipe, rendition), sorted(package.files, key=lambda name: name.endswith(".m3u8")))
        for rendition, package in zip(recipe.renditions, packages, strict=True)
    ]
    # the others are tracks, which have been packaged
    in_folders.append((AUDIO_FOLDER, [name for name in results.audio.files if name.startswith("audio_")]))
    in_folders.append((SUBTITLES_FOLDER, [file.name for file in results.subtitles.files]))
    in_folders.append((IMAGES_FOLDER, (*results.images.thumbnails, *results.images.overview)))
    return [{name: context.work.key(f"{folder}/{name}") for name in names} for folder, names in in_folders]


def _write_master(context: EncodingContext, packages: Sequence[PackageResult]) -> Key:
    """Write the master playlist into the work folder, from where it is moved like the others. Returns its key."""
    with context.work.writing(MASTER_FOLDER) as folder:
        (folder / MASTER).write_text(master_playlist(context.recipe.renditions, packages), encoding="utf-8")
    return context.work.key(f"{MASTER_FOLDER}/{MASTER}")


def _list_ours(job: EncodingJob, storage: Storage) -> list[Key]:
    """What encoders have left in a job's folder."""
    keys = storage.list_files(job.output_folder)
    return [key for key in keys if (name := posixpath.basename(key)) == info.NAME or OURS.fullmatch(name)]


def _find_old(job: EncodingJob, keep: set[str], storage: Storage) -> dict[Key, str | None]:
    """The versions of the files of an earlier encode that this one does not replace."""
    old = (key for key in _list_ours(job, storage) if posixpath.basename(key) not in keep)
    return {key: storage.version(key) for key in old}
