"""Files that were fetched for one job alone: they go when the job no longer needs them."""

import posixpath

from podjobs.contract.jobs import Job
from podjobs.contract.ports.storage import Storage


def remove_fetched(job: Job, storage: Storage) -> None:
    """Remove what was fetched for a job, and the folder that it was in; safe to repeat.

    Args:
        job: says what was fetched; nothing, unless its sender shares no folder.
        storage: where it is.
    """
    for remote in job.fetch:
        storage.delete(remote.key)
    # the deepest first
    for folder in sorted({posixpath.dirname(remote.key) for remote in job.fetch}, key=len, reverse=True):
        storage.remove_folder(folder)


def needs_no_source(job: Job, storage: Storage) -> bool:
    """Whether a job that fetched its source has published already: then an attempt that was repeated finds none."""
    return bool(job.fetch) and not storage.has_work(job.id)
