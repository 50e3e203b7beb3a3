"""Looks into where a job's source is now: Pod moves a video when its owner changes, and deletes it if somebody does.

Source: docs/contract-pod.md; Pod's change_owner moves the video's folder `%04d` and its file, and nothing else.
"""

import json
import posixpath
from typing import Any
from urllib.parse import unquote, urlsplit

from podjobs.contract.errors import StepError
from podjobs.contract.jobs import EncodingJob, Job, StudioJob, TranscriptionJob
from podjobs.contract.media_paths import Key
from podjobs.contract.ports.pod import PodApi
from podjobs.contract.ports.storage import Storage
from podjobs.contract.relocations import Relocation, Whereabouts
from podjobs.contract.reply_to import PodCallback
from podjobs.contract.steps import Step
from podjobs.notification.second_encode import SecondEncode

INFO = "info_video.json"
"""It names every file by its absolute path."""
REPORT = "report"
"""The step that leaves the report of a failure, and says where if that is not at the video."""
DELETED = "Pod no longer knows this {what}: it was deleted, and the job is cancelled."


class VideoDeletedError(Exception):
    """Pod no longer knows the video or recording."""


def deleted(job: Job, storage: Storage) -> Relocation:
    """The reply when Pod no longer knows what the job is for; what the notification itself left there is removed."""
    if isinstance(job, EncodingJob):
        SecondEncode.of(job, storage).forget()
    what = "recording" if isinstance(job, StudioJob) else "video"
    return Relocation(whereabouts=Whereabouts.DELETED, job=job, log=(DELETED.format(what=what),))


def follow(step: Step, reply_to: PodCallback, pod: PodApi, storage: Storage) -> tuple[Step, PodCallback]:
    """Make sure that Pod will find what it is notified of.

    Args:
        step: the notification.
        reply_to: the video, as Pod names it.
        pod: Pod's interface.
        storage: the media.

    Returns:
        The step and the callback, with the video's present place, or the place to which its report had to go.

    Raises:
        VideoDeletedError: there is nobody to notify.
        StepError: Pod does not answer; see the `PodApi` port.
    """
    job = step.job
    if isinstance(job, EncodingJob) and _is_gone(job.source, storage):
        found = locate(job, reply_to, pod, storage)
        if found.whereabouts is Whereabouts.DELETED:
            raise VideoDeletedError
        step = step.model_copy(update={"job": found.job})
        reply_to = found.job.reply_to if isinstance(found.job.reply_to, PodCallback) else reply_to
    if place := step.results.get(REPORT, {}).get("video_path"):
        reply_to = _with_path(reply_to, place)
    return step, reply_to


def _is_gone(source: Key, storage: Storage) -> bool:
    try:
        return not storage.exists(source)
    except StepError:
        return False  # it cannot be told


def _with_path(reply_to: PodCallback, video_path: str) -> PodCallback:
    return reply_to.model_copy(update={"request": {**reply_to.request, "video_path": video_path}})


def locate(job: Job, reply_to: PodCallback, pod: PodApi, storage: Storage) -> Relocation:
    """Ask Pod where a video is, and take along what the job has left at the old place; safe to repeat.

    Args:
        job: whose source is not where the job says.
        reply_to: the video, as Pod names it.
        pod: Pod's interface.
        storage: the media.

    Raises:
        StepError: Pod does not answer; see the `PodApi` port.
    """
    state = pod.video_state(reply_to.video_id)
    if state is None:
        return deleted(job, storage)
    moved = _moved(job, state.file_url, storage)
    if moved is None:
        named = f"as {urlsplit(state.file_url).path!r}" if state.file_url else "but names no file of it"
        sentence = f"Pod still has the video, {named}; the step is tried again."
        return Relocation(whereabouts=Whereabouts.UNCHANGED, job=job, log=(sentence,))
    if isinstance(job, EncodingJob) and isinstance(moved, EncodingJob):
        _take_along(job, moved, storage)
        moved = moved.model_copy(update={"reply_to": _with_path(reply_to, storage.pod_path(moved.source))})
    sentence = f"The video was moved to {storage.pod_path(moved.source)!r}; the job goes on there."
    return Relocation(whereabouts=Whereabouts.MOVED, job=moved, log=(sentence,))


def _moved(job: Job, file_url: str, storage: Storage) -> EncodingJob | TranscriptionJob | None:
    """The job at the place of the video's file; None if that is not another one."""
    match job:
        case EncodingJob(source=source):
            found = find_file(file_url, source, storage)
            # another name is another file: its user has replaced it, and Pod requests a new job for that
            same = found is not None and posixpath.basename(found) == posixpath.basename(source)
            return job.at(found) if found is not None and same and found != source else None
        case TranscriptionJob(source=source):
            video = find_file(file_url, source, storage)
            if video is None:
                return None
            # the sound is in the folder that moves with the video
            folder, name = source.split("/")[-2:] if "/" in source else ("", source)
            sound = posixpath.join(posixpath.dirname(video), folder, name)
            return job.model_copy(update={"source": sound}) if sound != source and storage.exists(sound) else None
    return None


def find_file(file_url: str, source: Key, storage: Storage) -> Key | None:
    """Find the file that Pod serves at a URL: its path ends as the file's key does, after an unknown prefix.

    Args:
        file_url: as Pod names it; empty: it names none.
        source: where the job had its source: it lies no deeper than that by chance.
        storage: the media.

    Returns:
        The longest end of the URL's path that is a file; None if there is none.
    """
    parts = [part for part in unquote(urlsplit(file_url).path).split("/") if part]
    if any(part in {".", ".."} or "\0" in part for part in parts):
        return None
    # a name alone is too little to go by, unless the job had no more
    least = min(2, len(source.split("/")))
    keys = ("/".join(parts[first:]) for first in range(len(parts) - least + 1))
    return next((key for key in keys if storage.exists(key)), None)


def _take_along(job: EncodingJob, moved: EncodingJob, storage: Storage) -> None:
    """Move what was published at the old place after Pod had moved the folder, and correct the paths in the report.

    It is newer than what Pod has moved, which may be from an earlier encode.
    """
    for key in storage.list_files(job.output_folder):
        storage.move(key, posixpath.join(moved.output_folder, posixpath.basename(key)))
    storage.remove_folder(job.output_folder)
    key = posixpath.join(moved.output_folder, INFO)
    if not storage.exists(key):
        return
    with storage.open(key) as file:
        try:
            info = json.load(file)
        except ValueError:
            return
    if isinstance(info, dict) and info.get("job_id") == job.id:
        old, new = (storage.pod_path(posixpath.dirname(place.source)) + "/" for place in (job, moved))
        storage.write(key, json.dumps(_with_prefix(info, old, new), indent=2, ensure_ascii=False).encode())


def _with_prefix(value: Any, old: str, new: str) -> Any:
    """A JSON value whose texts begin with another prefix where they began with the old one."""
    match value:
        case str():
            return new + value.removeprefix(old) if value.startswith(old) else value
        case list():
            return [_with_prefix(item, old, new) for item in value]
        case dict():
            return {name: _with_prefix(item, old, new) for name, item in value.items()}
    return value
