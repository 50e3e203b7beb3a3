"""Retention: once an hour, what is older than it is kept is removed from Redis, and the log says what that was.

    dead letters            PODJOBS_DEAD_TTL_S after they came; those of jobs that have not ended stay
    ended jobs, their logs  PODJOBS_JOB_TTL_S after they ended: Redis forgets them by itself; what is removed here are
                            their names in the list of jobs, and those that ended while a longer time was set
    drains                  of adapters that are gone

All else is bounded where it is written, or expires: see keys.py. What lies in the media storage is looked after by
recovery.py.
"""

import asyncio
import time
from collections import Counter

import structlog
from redis.exceptions import RedisError

from adapter.redis import keys
from adapter.redis.connections import RedisClient
from adapter.steps.records import Records

logger = structlog.get_logger(__name__)

CHECK_S = 60.0
"""Between two looks whether it is due."""
EVERY_S = 3600
JOBS_AT_ONCE = 100
"""As in lua/retention.lua."""
TOLD = 20
"""So many of each kind are named in the log; the others are counted."""
DRAIN_S = 7 * 86_400


class Retention:
    """Removes what is older than it is kept, whichever adapter comes first."""

    def __init__(self, redis: RedisClient, records: Records, dead_ttl_s: int, check_s: float = CHECK_S) -> None:
        """Create it; `run` does the work.

        Args:
            redis: the jobs' database, a client that returns text.
            records: the job records there.
            dead_ttl_s: seconds for which dead letters are kept; 0: for ever.
            check_s: seconds between two looks.
        """
        self._redis = redis
        self._script = records.script
        self._dead_ttl_s = dead_ttl_s
        self._check_s = check_s

    async def run(self) -> None:
        """Look whether it is due until cancelled."""
        while True:
            await asyncio.sleep(self._check_s)
            try:
                await self.trim_if_due()
            except RedisError as error:
                logger.warning("What is older than it is kept cannot be removed yet.", error=str(error))

    async def trim_if_due(self) -> bool:
        """Remove what is too old, unless that was done lately. Raises RedisError: it is done again in an hour."""
        if not await self._redis.set(keys.RETENTION, "", nx=True, ex=EVERY_S):
            return False
        if self._dead_ttl_s:
            await self._trim_dead()
        await self._trim_jobs()
        await self._trim_drains()
        return True

    async def _trim_dead(self) -> None:
        count: Counter[str] = Counter()
        named: dict[str, list[str]] = {}
        after, first = "", ""
        while True:
            after, *removed = await self._script.run("trim_dead", after=after, dead_ttl_s=self._dead_ttl_s)
            for kind, about, letter_id in zip(removed[::3], removed[1::3], removed[2::3], strict=True):
                first = first or letter_id
                count[kind] += 1
                if len(named.setdefault(kind, [])) < TOLD:
                    named[kind].append(about)
            if not after:
                break
        if count:
            logger.warning(
                "Dead letters were removed, as nobody has replayed them in time (PODJOBS_DEAD_TTL_S).",
                removed=dict(count),
                oldest=time.strftime("%Y-%m-%d", time.localtime(int(first.partition("-")[0]) / 1000)),
                about=named,
            )

    async def _trim_jobs(self) -> None:
        seen, gone, skip = JOBS_AT_ONCE, 0, 0
        while seen == JOBS_AT_ONCE:
            seen, removed = await self._script.run("trim_jobs", skip=skip)
            gone, skip = gone + removed, skip + seen - removed
        if gone:
            logger.info("Jobs that ended long ago are no longer known (PODJOBS_JOB_TTL_S).", removed=gone)

    async def _trim_drains(self) -> None:
        """An adapter that is killed while it is drained leaves its entry."""
        old_s = time.time() - DRAIN_S
        for adapter_id, since in (await self._redis.hgetall(keys.DRAINS)).items():
            if float(since) < old_s and not await self._redis.exists(keys.about(adapter_id)):
                await self._redis.hdel(keys.DRAINS, adapter_id)
