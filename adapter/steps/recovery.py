"""Recovery: what nobody needs any more in the media storage, as after a loss of Redis's data, is found and removed.

Only functions touch media, and only the adapter knows the jobs: so it sends the ids of all that have not ended, and
the function compares (podjobs/media/abandoned_work.py). It does so four times a day, and soon after Redis has lost its
data: with them goes the key that says when it was done. An operator has it done at once (operator/clean_command.py).
"""

import asyncio
import time
import uuid

import structlog
from redis.exceptions import RedisError

from adapter.redis import keys
from adapter.redis.connections import RedisClient
from adapter.steps.records import Records
from podjobs.contract.jobs import RecoveryJob
from podjobs.contract.reply_to import Nobody

logger = structlog.get_logger(__name__)

CHECK_S = 60.0
"""Between two looks whether it is due; the first comes that long after the adapter's start."""
EVERY_S = 6 * 3600
DAY_S = 86_400
KNOWN_LIMIT = 1500
"""Ids that travel in a step, of some 36 bytes each. With more jobs in work than that, Redis has lost nothing."""


class Recovery:
    """Starts recovery jobs, one at a time, whichever adapter comes first."""

    def __init__(
        self, redis: RedisClient, records: Records, result_days: float | None = None, check_s: float = CHECK_S
    ) -> None:
        """Create it; `run` does the work.

        Args:
            redis: the jobs' database, a client that returns text.
            records: where the job is stored.
            result_days: days for which results are kept that clients of the runner API fetch; None: they are left.
            check_s: seconds between two looks.
        """
        self._redis = redis
        self._records = records
        self._result_days = result_days
        self._check_s = check_s

    async def run(self) -> None:
        """Look whether it is due until cancelled."""
        while True:
            await asyncio.sleep(self._check_s)
            try:
                await self.start_if_due()
            except RedisError as error:
                logger.warning("The work of lost jobs cannot be looked for.", error=str(error))

    async def start_if_due(self) -> bool:
        """Start a recovery job if none was started lately. Raises RedisError."""
        if not await self._redis.set(keys.RECOVERY, "", nx=True, ex=EVERY_S):
            return False
        job = await new_recovery(self._redis, self._result_days)
        if job is None:
            logger.info("The work of lost jobs is looked for later: there are many jobs.")
            return False
        await self._records.accept([job])
        return True


async def new_recovery(
    redis: RedisClient, result_days: float | None = None, *, dry_run: bool = False
) -> RecoveryJob | None:
    """A job that compares what is in the media storage with the jobs that are in work now.

    Args:
        redis: the jobs' database, a client that returns text.
        result_days: as for `Recovery`.
        dry_run: it only reports, and supersedes none that removes.

    Returns:
        The job, which is not stored yet; None: there are too many jobs to be named in one.
    """
    # the time comes first: a job that is accepted after it is known, or its folder is younger
    known_at = time.time()
    known = sorted(await redis.smembers(keys.LIVE))
    if len(known) > KNOWN_LIMIT:
        return None
    return RecoveryJob(
        id=f"recovery-{uuid.uuid4().hex}",
        target="work (dry run)" if dry_run else "work",
        known=tuple(known),
        known_at=known_at,
        results_before=None if result_days is None else known_at - result_days * DAY_S,
        dry_run=dry_run,
        reply_to=Nobody(),
    )
