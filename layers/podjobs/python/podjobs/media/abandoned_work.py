"""Finds what jobs have left in the media storage that nobody knows any more, as after a loss of Redis's data.

Source: docs/decisions/0033, which explains why nothing that is still needed is removed.
"""

import structlog

from podjobs.contract.jobs import RecoveryJob
from podjobs.contract.plans import Result
from podjobs.contract.ports import Storage

logger = structlog.get_logger(__name__)

ABANDONED_S = 24 * 3600
"""Without a change, after which the work folder of an unknown job is removed."""
CLOCKS_S = 60
"""How much the clocks of the adapter and of the storage may differ."""


def remove_abandoned(job: RecoveryJob, storage: Storage) -> Result:
    """Report the work folders of unknown jobs, and remove those that have not changed for a day.

    Args:
        job: knows the jobs that have not ended.
        storage: where all jobs have their work folders.
    """
    known = frozenset(job.known)
    log: list[str] = []
    for work in storage.list_work():
        unchanged_s = job.known_at - work.changed_at
        if work.job_id in known or unchanged_s < CLOCKS_S:
            continue
        sentence = (
            f"The job {work.job_id} ({work.about or 'nobody knows of what'}) has a work folder, but Redis does not "
            "know it: it was lost. If Pod still shows it in progress, request it again there."
        )
        if unchanged_s >= ABANDONED_S:
            storage.remove_work(work.job_id)
            sentence += " The folder was removed."
        else:
            sentence += " The folder is removed when it has not changed for a day."
        log.append(sentence)
        logger.warning(sentence, lost_job_id=work.job_id, about=work.about)
    return Result(log=tuple(log) or ("There is no work folder of an unknown job.",))
