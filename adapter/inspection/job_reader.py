"""Reads the job records, their logs, and how their steps go."""

import time
from collections.abc import AsyncIterator, Iterable, Sequence

from adapter.about import SILENT_LEASES
from adapter.inspection.job_filter import JobFilter
from adapter.inspection.job_record import JobRecord
from adapter.redis import keys
from adapter.redis.connections import RedisClient
from adapter.steps.history import Attempt, RunningStep, read_attempts, read_running
from podjobs.contract.workflows import step_functions

PAGE = 200


class JobReader:
    """Reads what is stored about jobs. All methods raise RedisError."""

    def __init__(self, redis: RedisClient) -> None:
        """Use a client of the jobs' database that returns text."""
        self._redis = redis

    async def jobs(self, wanted: JobFilter, limit: int, among: int | None = None) -> list[JobRecord]:
        """List jobs, newest first.

        Args:
            wanted: which.
            limit: how many at most.
            among: only among so many of the newest; None: among all.
        """
        found: list[JobRecord] = []
        async for page in self._newest(wanted.states, among):
            found += [record for record in page if wanted.matches(record)]
            if len(found) >= limit:
                break
        return found[:limit]

    async def live_ids(self) -> list[str]:
        """The ids of all jobs that have not ended."""
        return sorted(await self._redis.smembers(keys.LIVE))

    async def next_waiting(self, function: str, count: int) -> list[str]:
        """The ids of the jobs that have the next turns of a function, in that order."""
        return list(await self._redis.zrange(keys.turns(function), 0, count - 1))

    async def records(self, job_ids: Sequence[str]) -> list[JobRecord]:
        """Look up jobs; those that are unknown are left out."""
        return await self._records(job_ids)

    async def live(self) -> list[JobRecord]:
        """All jobs that have not ended, in the order in which they were accepted."""
        ids = await self.live_ids()
        found: list[JobRecord] = []
        for start in range(0, len(ids), PAGE):
            found += await self._records(ids[start : start + PAGE])
        return sorted(found, key=lambda record: record.accepted_at_s)

    async def job(self, job_id: str) -> JobRecord | None:
        """Look up a job; None if it is unknown, or no longer known."""
        if ":" in job_id:  # no id has one: it would name a part of a job, which is no record
            return None
        fields = await self._redis.hgetall(keys.job(job_id))
        return JobRecord(job_id, fields) if fields else None

    async def of_target(self, target: str) -> JobRecord | None:
        """The newest job for a target, such as the number of a video; None if there is none."""
        async for page in self._newest():
            for record in page:
                if record.target == target:
                    return record
        return None

    async def ids_beginning(self, beginning: str) -> list[str]:
        """The ids of the jobs that begin so, newest first."""
        ids = await self._redis.zrevrange(keys.JOBS, 0, -1)
        return [job_id for job_id in ids if beginning and job_id.startswith(beginning)]

    async def log(self, job_id: str) -> list[str]:
        """The sentences of a job's log, oldest first."""
        return list(await self._redis.lrange(keys.job_log(job_id), 0, -1))

    async def attempts(self, job_id: str) -> list[Attempt]:
        """The attempts of a job's steps that have ended, in that order; they are kept for PODJOBS_HISTORY_TTL_S."""
        return read_attempts(await self._redis.lrange(keys.job_attempts(job_id), 0, -1))

    async def running(self) -> list[RunningStep]:
        """The attempts that run, longest first; those of adapters that are gone among them, until others take over."""
        functions = [function.name for function in step_functions()]
        async with self._redis.pipeline(transaction=False) as pipeline:
            for function in functions:
                pipeline.hgetall(keys.running(function))
            answers = await pipeline.execute()
        found = [
            step for function, fields in zip(functions, answers, strict=True) for step in read_running(function, fields)
        ]
        return sorted(found, key=lambda step: step.since_s)

    async def gone_owners(self, steps: Iterable[RunningStep], lease_s: float) -> dict[str, float]:
        """The adapters of steps that are gone, so that these do not run, whatever was noted.

        Args:
            steps: as `running` returns them.
            lease_s: PODJOBS_LEASE_S.

        Returns:
            Adapter → how long it has been silent, in seconds; 0: it has ended, or that is not known.
        """
        owners = sorted({step.owner for step in steps if step.owner})
        heard = await self._redis.zmscore(keys.ADAPTERS, owners) if owners else []
        now_s = time.time()
        silent = {owner: now_s - at_s if at_s else None for owner, at_s in zip(owners, heard, strict=True)}
        return {
            owner: silent_s or 0.0
            for owner, silent_s in silent.items()
            if silent_s is None or silent_s > SILENT_LEASES * lease_s
        }

    async def _newest(
        self, states: frozenset[str] = frozenset(), among: int | None = None
    ) -> AsyncIterator[list[JobRecord]]:
        """Pages of jobs in some states (empty: in all), newest first."""
        start = 0
        while among is None or start < among:
            ids = await self._redis.zrevrange(keys.JOBS, start, start + PAGE - 1)
            if not ids:
                return
            yield await self._records(await self._in(states, ids) if states else ids)
            start += PAGE

    async def _in(self, states: frozenset[str], ids: Sequence[str]) -> list[str]:
        """Those of these jobs that are in some states: whole records are long."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            for job_id in ids:
                pipeline.hget(keys.job(job_id), "state")
            found = await pipeline.execute()
        return [job_id for job_id, state in zip(ids, found, strict=True) if state in states]

    async def _records(self, ids: Sequence[str]) -> list[JobRecord]:
        async with self._redis.pipeline(transaction=False) as pipeline:
            for job_id in ids:
                pipeline.hgetall(keys.job(job_id))
            answers: Iterable[dict[str, str]] = await pipeline.execute()
        return [JobRecord(job_id, fields) for job_id, fields in zip(ids, answers, strict=True) if fields]
