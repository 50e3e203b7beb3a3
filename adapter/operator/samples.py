"""The adapter's numbers once a minute, kept in Redis for two days: what pages show of the last day.

    waiting      messages on Pod's queues, and steps that wait for their turn
    running      steps in work, on hold or between two attempts
    jobs_live    jobs that have not ended
    statements   xAPI statements in Redis
    dead         dead letters
    done, failed, cancelled   jobs that have ended so, ever since they are counted

Each minute is told by the adapter that comes first.
"""

import asyncio

import structlog
from redis.exceptions import RedisError, ResponseError

from adapter.operator.gauges import Gauges
from adapter.operator.health import REDIS_LIMIT_S
from adapter.redis import keys
from adapter.redis.connections import RedisClient
from podjobs.contract.job_states import JobState

logger = structlog.get_logger(__name__)

INTERVAL_S = 60
KEPT = 2 * 24 * 60
"""Minutes."""
_COUNTED = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


class Samples:
    """Writes the samples."""

    def __init__(self, jobs: RedisClient, gauges: Gauges) -> None:
        """Create them.

        Args:
            jobs: the jobs' database.
            gauges: reads the numbers.
        """
        self._jobs = jobs
        self._gauges = gauges

    async def run(self) -> None:
        """Write a sample for each minute until cancelled; a minute in which Redis does not answer has none."""
        while True:
            try:
                async with asyncio.timeout(REDIS_LIMIT_S):
                    seconds, _ = await self._jobs.time()
                    await self._write(int(seconds) // INTERVAL_S * INTERVAL_S)
            except (RedisError, TimeoutError) as error:
                logger.warning("The numbers of this minute cannot be stored.", error=str(error))
                seconds = 0
            await asyncio.sleep(INTERVAL_S - int(seconds) % INTERVAL_S)

    async def _write(self, minute_s: int) -> None:
        numbers = await self._gauges.read()
        totals = await self._jobs.hgetall(keys.TOTALS)
        ended = {
            state.value: sum(int(count) for name, count in totals.items() if name.startswith(f"{state}:"))
            for state in _COUNTED
        }
        sample = {
            "waiting": numbers["messages_waiting"] + numbers["steps_waiting"],
            "running": numbers["steps_taken"],
            "jobs_live": numbers["jobs_live"],
            "statements": numbers["statements_held"],
            "dead": numbers["dead_letters"],
            **ended,
        }
        try:
            await self._jobs.xadd(
                keys.SAMPLES,
                {name: str(number) for name, number in sample.items()},
                id=f"{minute_s * 1000}-0",
                maxlen=KEPT,
                approximate=True,
            )
        except ResponseError as error:
            if "equal or smaller" not in str(error):  # another adapter was first
                raise
