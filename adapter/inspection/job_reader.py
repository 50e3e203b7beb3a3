"""The job records as operators see them: jobs, their progress and their logs."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from adapter.redis import keys
from adapter.redis.connections import RedisClient
from adapter.steps.records import problem_detail
from podjobs.contract.job_states import JobState

PAGE = 200


@dataclass(frozen=True, slots=True)
class JobRecord:
    """The current record of a job."""

    id: str
    fields: dict[str, str]
    """The hash, see keys.py."""

    @property
    def state(self) -> str:
        """One of the values of JobState."""
        return self.fields.get("state", "")

    @property
    def progress(self) -> float:
        """Between 0 and 1."""
        if self.state == JobState.DONE:
            return 1.0
        total = float(self.fields.get("weight_total") or 0)
        return min(1.0, float(self.fields.get("weight_done") or 0) / total) if total else 0.0

    @property
    def reason(self) -> str:
        """Why it failed, or why its latest attempt did; empty while all is well."""
        return problem_detail(self.fields.get("error") or self.fields.get("trouble") or "")


class JobReader:
    """Reads the job records."""

    def __init__(self, redis: RedisClient) -> None:
        """Use a client of the jobs' database that returns text."""
        self._redis = redis

    async def jobs(self, states: frozenset[str], limit: int) -> list[JobRecord]:
        """List jobs, newest first.

        Args:
            states: only jobs in these states; empty: all.
            limit: how many at most.
        """
        found: list[JobRecord] = []
        async for job_id in self._newest_ids():
            fields = await self._redis.hgetall(keys.job(job_id))
            if fields and (not states or fields.get("state") in states):
                found.append(JobRecord(job_id, fields))
            if len(found) == limit:
                break
        return found

    async def _newest_ids(self) -> AsyncIterator[str]:
        start = 0
        while ids := await self._redis.zrevrange(keys.JOBS, start, start + PAGE - 1):
            for job_id in ids:
                yield job_id
            start += PAGE

    async def job(self, job_id: str) -> JobRecord | None:
        """Look up a job; None if it is unknown, or no longer known."""
        fields = await self._redis.hgetall(keys.job(job_id))
        return JobRecord(job_id, fields) if fields else None

    async def log(self, job_id: str) -> list[str]:
        """The sentences of a job's log, oldest first."""
        return list(await self._redis.lrange(keys.job_log(job_id), 0, -1))
