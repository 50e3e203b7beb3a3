"""Finds what nobody needs any more in the media storage.

That is what jobs have left that nobody knows, as after a loss of Redis's data, uploads that were broken off, and
results that were to be fetched over HTTP for a number of days only.

Source: docs/decisions/0033, which explains why nothing that is still needed is removed, and 0041.
"""

import structlog

from podjobs.contract.errors import OperatorNeededError, StepError
from podjobs.contract.jobs import RecoveryJob
from podjobs.contract.plans import Result
from podjobs.contract.ports.storage import JobWork, Storage
from podjobs.contract.runner_places import FOLDER as RUNNER_FOLDER
from podjobs.contract.runner_places import job_folder

logger = structlog.get_logger(__name__)

ABANDONED_S = 24 * 3600
"""Without a change, after which the work folder of an unknown job is removed; and the age of an unfinished upload after
which it is: no step takes that long."""
MOST_RESULTS = 1000
"""Removed at once: the step must end in time."""
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
    results = _remove_results(job, storage)
    return Result(log=(*uploads, *results, *(folders or ("There is no work folder of an unknown job.",))))


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


def _remove_results(job: RecoveryJob, storage: Storage) -> tuple[str, ...]:
    """Returns what is to be said about them, if anything."""
    if job.results_before is None:
        return ()
    known = frozenset(job.known)
    old = [
        folder.name
        for folder in storage.list_folders(RUNNER_FOLDER)
        if folder.name not in known and folder.changed_at < job.results_before
    ]
    now = [name for name in old[:MOST_RESULTS] if job.dry_run or _remove_result(name, storage)]
    if not now:
        return ()
    what = "The result of one task" if len(now) == 1 else f"The results of {len(now)} tasks"
    verb = "would be" if job.dry_run else "was" if len(now) == 1 else "were"
    more = f" {len(old) - len(now)} more are left for the next time." if len(old) > len(now) else ""
    sentence = f"{what} that had been kept long enough for runner clients {verb} removed.{more}"
    logger.info(sentence)
    return (sentence,)


def _remove_result(job_id: str, storage: Storage) -> bool:
    """Returns whether it could be removed: one that is being read is tried again, and keeps no other one."""
    try:
        storage.remove_tree(job_folder(job_id))
    except StepError as error:
        logger.warning(error.detail, result=job_id)
        return False
    return True


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
