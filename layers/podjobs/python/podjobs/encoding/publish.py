"""Publishes what was packaged: files are moved into place, info_video.json last, then old files are removed.

Also cleans up after a job that has failed, was superseded, or whose video was deleted.
"""

import json
import posixpath
import re
import time
from collections.abc import Iterable, Sequence
from typing import Any

from podjobs.contract.errors import PermanentError, Problem, RetryableError, StepError
from podjobs.contract.jobs import EncodingJob
from podjobs.contract.media_paths import Key
from podjobs.contract.plans import Plan, Result
from podjobs.contract.ports import Storage
from podjobs.encoding import info
from podjobs.encoding.completeness import find_faults, find_missing, find_missing_sound
from podjobs.encoding.context import EncodingContext
from podjobs.encoding.playlist import MASTER, master_playlist
from podjobs.encoding.recipe import Recipe
from podjobs.encoding.results import PackageResult, PublishResult
from podjobs.encoding.steps import AUDIO_FOLDER, IMAGES_FOLDER, SUBTITLES_FOLDER, package_id, stages_of
from podjobs.media.source_watch import SourceWatch

OURS = re.compile(
    r"(\d+p\.(mp4|m3u8|ts)|livestream\d*\.m3u8|audio_\d+k\.(mp3|m4a)|thumbnail_\d+\.png|overview\.(png|vtt)"
    r"|subtitle_.*\.vtt)"
)
"""Files that an encoder leaves in a video's folder: a new encode removes those that it does not replace."""


def publish(context: EncodingContext) -> Plan | Result:
    """Move the files of a job into place; safe to repeat at any point.

    Returns:
        A result; or, if the packaged renditions do not verify, the plan to encode the source once more in one piece.

    Raises:
        PermanentError: even that did not verify.
        SourceGoneError: the source was moved or deleted meanwhile: what Pod would import must not be left here.
        RetryableError: a work file does not exist.
    """
    job, storage = context.job, context.work.storage
    source = SourceWatch(storage, job.source, job.id)
    if not storage.has_work(job.id) and (published := _find_published(job, storage)):
        storage.remove_work(job.id)
        return _result_of(published).reply(("The files were published before.",))
    recipe, packages = context.recipe, context.results.packages
    faults = find_faults(context.results, packages)
    if faults and recipe.facts.video is not None and not recipe.generation:
        return _plan_again(recipe, job, faults)
    if serious := [fault for package in packages for fault in package.faults]:
        raise PermanentError("The encoded files did not verify: " + " ".join(serious))

    files = _work_files(context, packages)
    if packages:
        storage.write(_place(job, MASTER), master_playlist(recipe.renditions, packages).encode())
    for name, work_file in files.items():
        source.check()  # a move to another file system takes its time
        _take_place(work_file, _place(job, name), storage)
    log = (
        *faults,
        *find_missing(recipe, packages),
        *find_missing_sound(recipe, context.results.audio.duration_s),
    )
    source.check()
    written = info.success_info(context, list(files), log)
    storage.write(_place(job, info.NAME), info.dump(written))
    keep = {*files, info.NAME} | ({MASTER} if packages else set())
    _remove_stale(job, keep, storage)
    storage.remove_work(job.id)
    return _result_of(written, keep).reply(log)


def report_failure(context: EncodingContext) -> Result:
    """Write the reason for a failure where Pod looks for the result, and remove the work files.

    Where Pod looks depends on the path that it is notified with. So if nothing can be written at the video, as its
    folder lies behind a link that is not followed, the report is left at another place, which the notification names.

    Returns:
        `video_path`: the path to notify Pod with, if that is not the video's own; `published_at`: when a report was
        left, seconds since the epoch.

    Raises:
        StepError: the report cannot be left at either place; the error is that of the first one.
    """
    job, step, storage = context.job, context.step, context.work.storage
    problem = step.failure or Problem(title="The job failed.", status=500, detail="No reason was given.")
    values: dict[str, Any] = {}
    sentence = "The failure was reported in info_video.json."
    try:
        if _find_published(job, storage).get("error_encoding") is False:
            # what failed is the notification, or what came after the files
            sentence = "The files stay: they had been published before the job failed."
        else:
            _write_report(job, problem, context)
            values["published_at"] = time.time()
    except StepError as error:
        spare = job.spare
        values["video_path"] = storage.pod_path(spare.source)
        sentence = f"The failure was reported in {storage.pod_path(_place(spare, info.NAME))!r}: {error.detail}"
        also = f"{problem.detail} (Nothing can be left at the video: {error.detail})"
        try:
            _write_report(spare, problem.model_copy(update={"detail": also}), context)
        except StepError:
            raise error from None
        values["published_at"] = time.time()
    storage.remove_work(job.id)
    return Result(values=values, log=(sentence,))


def withdraw(context: EncodingContext) -> Result:
    """Remove all files of a job whose video was deleted: Pod has removed the folder, but perhaps too early."""
    job, storage = context.job, context.work.storage
    storage.remove_work(job.id)
    for folder in (job.output_folder, job.spare.output_folder):
        for key in storage.list_files(folder):
            name = posixpath.basename(key)
            if name == info.NAME or OURS.fullmatch(name):
                storage.delete(key)
        storage.remove_folder(folder)
    storage.remove_folder(posixpath.dirname(job.spare.source))
    return Result(log=("The video was deleted; all files of this job were removed.",))


def discard(context: EncodingContext) -> Result:
    """Remove the work files of a job that a newer one has superseded."""
    context.work.storage.remove_work(context.job.id)
    return Result(log=("A newer job superseded this one; its work files were removed.",))


def _plan_again(recipe: Recipe, job: EncodingJob, faults: Sequence[str]) -> Plan:
    again = recipe.model_copy(update={"generation": recipe.generation + 1})
    log = (*faults, "The chunks did not verify; the source is encoded once more in one piece.")
    return Plan(shared=again.model_dump(mode="json"), stages=stages_of(again, job), log=log)


def _write_report(place: EncodingJob, problem: Problem, context: EncodingContext) -> None:
    storage = context.work.storage
    content = info.failure_info(context.job, storage.pod_path, context.step.accepted_at, problem)
    storage.write(_place(place, info.NAME), info.dump(content))


def _place(job: EncodingJob, name: str) -> Key:
    return posixpath.join(job.output_folder, name)


def _find_published(job: EncodingJob, storage: Storage) -> dict[str, Any]:
    """The info_video.json that this job has published; empty: there is none."""
    key = _place(job, info.NAME)
    if not storage.exists(key):
        return {}
    with storage.open(key) as file:
        try:
            published = json.load(file)
            return dict(published) if published.get("job_id") == job.id else {}
        except (ValueError, AttributeError):
            return {}


def _result_of(written: dict[str, Any], files: Iterable[str] = ()) -> PublishResult:
    """What the notification must know of a published info_video.json."""
    heights_px = tuple(sorted(int(name) for name in written["list_hls_files"]))
    return PublishResult(files=tuple(sorted(files)), duration_s=int(written["duration"]), heights_px=heights_px)


def _work_files(context: EncodingContext, packages: Sequence[PackageResult]) -> dict[str, Key]:
    """The work file of each file to publish, by name; a playlist comes after the stream it describes."""
    recipe, results = context.recipe, context.results
    in_folders: list[tuple[str, Sequence[str]]] = [
        (package_id(recipe, rendition), sorted(package.files, key=lambda name: name.endswith(".m3u8")))
        for rendition, package in zip(recipe.renditions, packages, strict=True)
    ]
    # the others are tracks, which have been packaged
    in_folders.append((AUDIO_FOLDER, [name for name in results.audio.files if name.startswith("audio_")]))
    in_folders.append((SUBTITLES_FOLDER, [file.name for file in results.subtitles.files]))
    in_folders.append((IMAGES_FOLDER, (*results.images.thumbnails, *results.images.overview)))
    return {name: context.work.key(f"{folder}/{name}") for folder, names in in_folders for name in names}


def _take_place(source: Key, target: Key, storage: Storage) -> None:
    if storage.exists(source):
        storage.move(source, target)
    elif not storage.exists(target):
        raise RetryableError(f"The work file {source!r} is missing, but was not published.")


def _remove_stale(job: EncodingJob, keep: set[str], storage: Storage) -> None:
    for key in storage.list_files(job.output_folder):
        if posixpath.basename(key) not in keep and OURS.fullmatch(posixpath.basename(key)):
            storage.delete(key)
