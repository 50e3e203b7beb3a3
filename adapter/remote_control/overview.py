"""The jobs that have not ended, as Celery's commands sort them: those that have begun, and those that wait."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from redis.exceptions import ResponseError

from adapter.inspection.job_reader import JobReader
from adapter.inspection.job_record import JobRecord
from adapter.redis import keys
from adapter.redis.connections import RedisClient
from adapter.retries import RetryPolicy
from adapter.steps.history import RunningStep
from podjobs.contract.job_states import JobState

LISTED = 1000
"""How many jobs, or messages, of one kind are named at most."""
_SCRIPT = Path(__file__).with_name("overview.lua").read_text(encoding="utf-8")
_FIELDS = (
    *("type", "target", "params", "state", "stage", "weight_total", "weight_done"),
    *("accepted_at", "started_at", "ended_at", "restarts", "error", "trouble", "cancelled_by"),
)
"""What is read of a record: not what its steps share, which may be long."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Steps of a job wait for their next attempts."""

    steps: int
    next_at_s: float
    """When the first of them begins, in seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Overview:
    """The jobs that have not ended."""

    begun: tuple[JobRecord, ...]
    """In the order in which they were accepted, as the others."""
    waiting: tuple[JobRecord, ...]
    counts: Mapping[str, int]
    """How many wait, by type: all of them, not only those that are named."""
    running: Mapping[str, Sequence[RunningStep]]
    """Of the jobs of which steps run: these, longest first."""
    retries: Mapping[str, Retry]

    def holder(self, job_id: str) -> str:
        """The adapter in whose hands a job is: that of the step which has run longest; empty if none runs."""
        steps = self.running.get(job_id)
        return steps[0].owner if steps else ""


class OverviewReader:
    """Reads what commands ask for. All methods raise RedisError."""

    def __init__(self, jobs: RedisClient, policies: Mapping[str, RetryPolicy]) -> None:
        """Use the jobs' database.

        Args:
            jobs: a client that returns text.
            policies: how steps are retried, by the functions' names.
        """
        self._jobs = jobs
        self._policies = policies
        self._reader = JobReader(jobs)
        self._script = jobs.register_script(_SCRIPT)

    async def read(self, waiting_limit: int) -> Overview:
        """Look at all jobs that have not ended, and name so many of each type that wait."""
        arguments = [keys.job(""), JobState.QUEUED.value, LISTED, waiting_limit]
        begun, waiting, flat = await self._script(keys=[keys.LIVE], args=arguments)
        records = {record.id: record for record in await self.records([*begun, *waiting])}
        running: dict[str, list[RunningStep]] = {}
        for step in await self._reader.running():
            running.setdefault(step.job_id, []).append(step)
        return Overview(
            begun=tuple(records[job_id] for job_id in begun if job_id in records),
            waiting=tuple(records[job_id] for job_id in waiting if job_id in records),
            counts=dict(zip(flat[::2], map(int, flat[1::2]), strict=True)),
            running=running,
            retries=await self._retries(),
        )

    async def records(self, ids: Collection[str]) -> list[JobRecord]:
        """Look up jobs; those that are unknown are left out."""
        async with self._jobs.pipeline(transaction=False) as pipeline:
            for job_id in ids:
                pipeline.hmget(keys.job(job_id), _FIELDS)
            answers = await pipeline.execute() if ids else []
        rows = [
            {name: value for name, value in zip(_FIELDS, values, strict=True) if value is not None}
            for values in answers
        ]
        return [JobRecord(job_id, fields) for job_id, fields in zip(ids, rows, strict=True) if fields]

    async def changed_since(self, since_s: float) -> list[str]:
        """The ids of jobs that were accepted, or have ended, since then (seconds since the epoch), newest first."""
        found = await self._jobs.zrevrangebyscore(keys.JOBS, "+inf", since_s, start=0, num=LISTED)
        return list(found)

    async def _retries(self) -> dict[str, Retry]:
        """The steps that wait for their next attempts, by their jobs."""
        found: dict[str, Retry] = {}
        for function, policy in self._policies.items():
            stream = keys.steps(function)
            try:
                waiting = await self._jobs.xpending_range(
                    stream, keys.GROUP, min="-", max="+", count=LISTED, consumername=keys.WAITING
                )
            except ResponseError as error:
                if not str(error).startswith("NOGROUP"):  # it has never had a step
                    raise
                continue
            async with self._jobs.pipeline(transaction=False) as pipeline:
                for row in waiting:
                    pipeline.xrange(stream, min=row["message_id"], max=row["message_id"])
                entries = await pipeline.execute() if waiting else []
            for row, entry in zip(waiting, entries, strict=True):
                job_id = entry[0][1].get("job", "") if entry else ""
                left_s = policy.wait_s(row["times_delivered"]) - row["time_since_delivered"] / 1000
                at_s = time.time() + max(0.0, left_s)
                before = found.get(job_id, Retry(0, at_s))
                found[job_id] = Retry(before.steps + 1, min(before.next_at_s, at_s))
        return found
