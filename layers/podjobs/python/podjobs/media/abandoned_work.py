"""Finds what nobody needs any more in the media storage.

That is what jobs have left that nobody knows, as after a loss of Redis's data, and uploads that were broken off.

Source: docs/decisions/0033, which explains why nothing that is still needed is removed, and 0041.
"""

import structlog

from podjobs.contract.errors import OperatorNeededError
from podjobs.contract.jobs import RecoveryJob
from podjobs.contract.plans import Result
from podjobs.contract.ports.storage import JobWork, Storage

logger = structlog.get_logger(__name__)

ABANDONED_S = 24 * 3600
"""Without a change, after which the work folder of an unknown job is removed; and the age of an unfinished upload after
which it is: no step takes that long."""
CLOCKS_S = 60
"""How much the clocks of the adapter and of the storage may differ."""


def remove_abandoned(job: RecoveryJob, storage: Storage) -> Result:
    """Report the work folders of unknown jobs, and remove those that have not changed for a day; so for old uploads.

    Args:
        job: knows the jobs that have not ended, and whether anything is removed.
        storage: where all jobs have their work folders.
    """
    # a long log is cut at its end
    uploads = _remove_uploads(job, storage)
    known = frozenset(job.known)
    folders: list[str] = []
    for work in storage.list_work():
        unchanged_s = job.known_at - work.changed_at
        if work.job_id not in known and unchanged_s >= CLOCKS_S:
            folders.append(_remove_folder(job, storage, work, is_old=unchanged_s >= ABANDONED_S))
            logger.warning(folders[-1], lost_job_id=work.job_id, about=work.about)
    return Result(log=(*uploads, *(folders or ("There is no work folder of an unknown job.",))))


def _remove_folder(job: RecoveryJob, storage: Storage, work: JobWork, *, is_old: bool) -> str:
    """Returns what is to be said about it."""
    sentence = (
        f"The job {work.job_id} ({work.about or 'nobody knows of what'}) has a work folder, but Redis does not "
        "know it: it was lost. If Pod still shows it in progress, request it again there."
    )
    if not is_old:
        return f"{sentence} The folder is removed when it has not changed for a day."
    if job.dry_run:
        return f"{sentence} The folder would be removed."
    storage.remove_work(work.job_id)
    return f"{sentence} The folder was removed."


def _remove_uploads(job: RecoveryJob, storage: Storage) -> tuple[str, ...]:
    """Returns what is to be said about them, if anything."""
    try:
        count = storage.remove_unfinished(ABANDONED_S, dry_run=job.dry_run)
    except OperatorNeededError as error:
        # not every server lists them, and not everybody may: that is no reason to leave the work folders
        logger.warning(error.detail)
        return (error.detail,)
    if not count:
        return ()
    what = "One unfinished upload that was" if count == 1 else f"{count} unfinished uploads that were"
    verb = "would be" if job.dry_run else "was" if count == 1 else "were"
    sentence = f"{what} begun more than a day ago {verb} removed."
    logger.warning(sentence)
    return (sentence,)
