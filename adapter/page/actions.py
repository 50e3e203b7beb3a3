"""What administrators change on the page."""

from collections.abc import Sequence
from dataclasses import replace

from adapter.inspection.job_filter import JobFilter
from adapter.inspection.job_reader import JobReader
from adapter.inspection.job_record import JobRecord
from adapter.redis import keys
from adapter.redis.connections import RedisClient
from adapter.steering.selection import CANCELLABLE, RETRYABLE, BulkOutcome, cancel_all, retry_all, select_jobs
from adapter.steering.steering import Steering

BY = "the web page"
ACTIONS = {"retry": RETRYABLE, "cancel": CANCELLABLE}
"""What is done with jobs → the states in which it can be."""
MOST = 500
"""Jobs that are changed at once: more would not fit into the page that lists them."""


class Actions:
    """Changes jobs, functions and adapters. All methods raise RedisError."""

    def __init__(self, redis: RedisClient, steering: Steering) -> None:
        """Use the jobs' database."""
        self._redis = redis
        self._steering = steering

    async def choose(self, action: str, wanted: JobFilter) -> list[JobRecord]:
        """The jobs that a bulk action would change, newest first.

        Args:
            action: `retry` or `cancel`.
            wanted: which; of those only the ones with which it can be done.
        """
        possible = ACTIONS[action]
        states = wanted.states & possible if wanted.states else possible
        return await select_jobs(self._redis, replace(wanted, states=states)) if states else []

    async def choose_one(self, action: str, job_id: str) -> list[JobRecord]:
        """That job, if the action can be done with it."""
        record = await JobReader(self._redis).job(job_id)
        return [record] if record and record.state in ACTIONS[action] else []

    async def change_jobs(self, action: str, job_ids: Sequence[str], reason: str) -> BulkOutcome:
        """Retry or cancel jobs."""
        if action == "retry":
            return await retry_all(self._steering, job_ids[:MOST])
        return await cancel_all(self._steering, job_ids[:MOST], BY, reason)

    async def change_function(self, action: str, function: str) -> None:
        """Pause or resume a function, or `all`. Raises SteeringError: there is none of that name."""
        name = keys.ALL_FUNCTIONS if function == "all" else function
        if action == "pause":
            await self._steering.pause(name, BY)
        else:
            await self._steering.resume(name)

    async def drain(self, adapter_id: str) -> bool:
        """Let an adapter finish what it has. False: there is no such adapter."""
        return await self._steering.drain(adapter_id)
