"""Sees to it that Pod sees what it is to import before it is told, and that it has uploaded what it requests.

Pod reads the media through a mount of its own: NFS, or a bucket mounted as a folder. Such a mount may show new files
late, and of a replaced one the old content; Pod would skip the ones and import the other. Pod's web server reads the
same mount, so it is asked.

    info_video.json as in the storage, all files there ─────────▶ Pod is told
      ├── not yet, or the server cannot be asked ───────────────▶ the step waits, until `limit_s` after publishing
      │                                                            then Pod is told, and the job's log says so
      └── the server refuses, or does not even show the source ─▶ likewise, but at once: waiting would not help

In the other direction, a mount may upload what Pod has written after Pod has requested a job for it: `check_source`.

Why: docs/decisions/0040-what-pod-must-see-is-checked.md.
"""

import json
import posixpath
import time
from collections.abc import Iterator
from dataclasses import dataclass

import structlog

from podjobs.contract.errors import MissingFileError, NotNowError, StepError
from podjobs.contract.jobs import EncodingJob, Job, StudioJob, TranscriptionJob
from podjobs.contract.media_paths import Key
from podjobs.contract.ports.pod import PodMedia, SeenFile, Sight
from podjobs.contract.ports.storage import Storage
from podjobs.contract.steps import Step
from podjobs.notification.locate import INFO, REPORT

logger = structlog.get_logger(__name__)

SOONEST_S, LATEST_S = 2.0, 30.0
"""Between two looks, in seconds."""
PATIENCE = 0.25
"""The next look comes after this share of the time for which it was waited."""


@dataclass(frozen=True)
class PodView:
    """What Pod's web server must show before Pod is told."""

    media: PodMedia
    limit_s: float
    """How long Pod's side may differ from the storage, in seconds."""

    def check(self, step: Step, storage: Storage) -> tuple[str, ...]:
        """Compare what a job has published with what Pod's web server shows.

        Args:
            step: the notification, with the present place of the video.
            storage: where the job has published.

        Returns:
            Sentences for the job's log: what is not shown although Pod is told now; none: all is.

        Raises:
            NotNowError: not all is shown yet; the step waits, and counts no attempt.
            StepError: the storage cannot be read.
        """
        published_at = _published_at(step)
        if published_at is None:
            return ()
        fault = next(self._faults(step, storage), None)
        if fault is None:
            return ()
        name, seen = fault
        what = f"Pod's web server does not show {name!r} as it was published: {seen.reason}."
        if seen.sight is Sight.REFUSED:
            return _told_nevertheless(f"{what} Let it serve this folder to the functions, or correct POD_MEDIA_URL.")
        if seen.sight is Sight.MISSING and self._lacks_source(step.job, storage):
            return _told_nevertheless(f"{what} It does not show the job's source either: is POD_MEDIA_URL right?")
        self._wait(published_at, f"{what} Pod is told as soon as it does, or {self.limit_s:g} s after publishing.")
        return _told_nevertheless(
            f"{what} After {self.limit_s:g} s (PODJOBS_POD_MEDIA_WAIT_S), Pod was told nevertheless. Shorten the "
            "caches of the folder that Pod reads, see docs/object-storage.md."
        )

    def check_source(self, step: Step, storage: Storage) -> None:
        """Wait for a source that Pod's side has and the storage has not: it may be on its way into the bucket.

        Raises NotNowError while that is so, and the job is not older than the limit.
        """
        for source in _sources_of(step.job):
            if storage.exists(source) or self.media.look(source).sight is not Sight.SHOWN:
                continue
            self._wait(
                step.accepted_at,
                f"Pod's web server shows the source {source!r}, which is not in the media storage yet: the folder that "
                f"Pod writes to may still be uploading it. It is waited for, {self.limit_s:g} s from the request on.",
            )

    def _wait(self, since: float, why: str) -> None:
        """Raise NotNowError, unless the limit is over.

        Args:
            since: seconds since the epoch, by the clock of another machine. Where the two clocks differ, a time in the
                future is no reason to wait for long.
            why: a sentence.
        """
        waited_s = abs(time.time() - since)
        if waited_s < self.limit_s:
            raise NotNowError(why, retry_after_s=min(LATEST_S, max(SOONEST_S, PATIENCE * waited_s)))

    def _faults(self, step: Step, storage: Storage) -> Iterator[tuple[Key, SeenFile]]:
        """What is not shown, one after the other, with the reason."""
        match step.job:
            case EncodingJob() as job:
                folder = _place(step, job).output_folder
                yield from self._content_faults(posixpath.join(folder, INFO), storage)
                for values in step.results.values():
                    for name in values.get("files", ()):
                        if name != INFO:
                            yield from self._size_faults(posixpath.join(folder, name), storage)
            case TranscriptionJob(captions=captions):
                yield from self._size_faults(captions, storage)
            case StudioJob(output=output):
                yield from self._size_faults(output, storage)

    def _content_faults(self, key: Key, storage: Storage) -> Iterator[tuple[Key, SeenFile]]:
        try:
            with storage.open(key) as file:
                content = file.read()
        except MissingFileError:
            return  # there is nothing to be shown
        seen = self.media.read(key)
        if seen.sight is not Sight.SHOWN:
            yield key, seen
        elif seen.content != content:
            yield key, SeenFile(Sight.UNKNOWN, f"it shows {_described(seen.content)}")

    def _size_faults(self, key: Key, storage: Storage) -> Iterator[tuple[Key, SeenFile]]:
        try:
            size_bytes = storage.size_bytes(key)
        except MissingFileError:
            return  # Pod deletes what it has imported
        seen = self.media.look(key)
        if seen.sight is not Sight.SHOWN:
            yield key, seen
        elif seen.size_bytes not in {None, size_bytes}:
            yield key, SeenFile(Sight.UNKNOWN, f"it shows {seen.size_bytes} bytes instead of {size_bytes}")

    def _lacks_source(self, job: Job, storage: Storage) -> bool:
        """Whether not even the source is shown, which Pod itself has put there."""
        for source in _sources_of(job):
            try:
                is_there = storage.exists(source)
            except StepError:
                continue
            if is_there and self.media.look(source).sight in {Sight.MISSING, Sight.REFUSED}:
                return True
        return False


def _sources_of(job: Job) -> tuple[Key, ...]:
    """The files that Pod has put there."""
    match job:
        case EncodingJob(source=source) | TranscriptionJob(source=source):
            return (source,)
        case StudioJob(sources=sources):
            return sources
    return ()


def _published_at(step: Step) -> float | None:
    """When the job has published, seconds since the epoch; None: it has published nothing that Pod must see."""
    times = [values["published_at"] for values in step.results.values() if "published_at" in values]
    return float(max(times)) if times else None


def _place(step: Step, job: EncodingJob) -> EncodingJob:
    """The job where its report was left."""
    return job.spare if step.results.get(REPORT, {}).get("video_path") else job


def _described(content: bytes) -> str:
    """Whose info_video.json it is, as far as it says so."""
    try:
        job_id = json.loads(content)["job_id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "something else"
    return f"that of the job {str(job_id)[:128]!r}"


def _told_nevertheless(sentence: str) -> tuple[str, ...]:
    logger.warning(sentence)
    return (sentence,)
