"""What operators change while adapters run: jobs are cancelled and run anew, functions paused, adapters drained."""

import json
import time
from dataclasses import dataclass

from adapter.about import AdapterAbout
from adapter.inspection.job_reader import JobReader
from adapter.redis import keys
from adapter.redis.connections import RedisClient
from adapter.steps.cancellations import Cancellation
from adapter.steps.interventions import Interventions
from adapter.steps.outcomes import Accepted
from adapter.steps.records import Records
from podjobs.contract.workflows import all_functions, read_job


@dataclass(frozen=True, slots=True)
class Pause:
    """A function is paused, or all are."""

    function: str
    """Its name; keys.ALL_FUNCTIONS: all."""
    since_s: float
    """Seconds since the epoch."""
    by: str
    reason: str


class SteeringError(Exception):
    """What an operator wants cannot be done; the message says why, and what can."""


class Steering:
    """Changes what adapters do. All methods raise RedisError."""

    def __init__(self, redis: RedisClient, records: Records) -> None:
        """Use the jobs' database.

        Args:
            redis: a client that returns text.
            records: the job records there.
        """
        self._redis = redis
        self._reader = JobReader(redis)
        self._interventions = Interventions(records.script)

    async def cancel(self, job_id: str, by: str, reason: str = "") -> str:
        """Cancel a job: what is left of it is dropped, and Pod is told that an administrator has cancelled it.

        Returns:
            `cancelled`, `gone` if there is no such job, or the state that forbids it.
        """
        return await self._interventions.cancel(job_id, Cancellation(by, reason))

    async def revoke(self, job_id: str, by: str, reason: str = "") -> str:
        """Cancel a job, or, if its message is still on Pod's queue, cancel it as soon as that is read.

        Returns:
            `cancelled`, `remembered`, or the state that forbids it.
        """
        return await self._interventions.revoke(job_id, Cancellation(by, reason))

    async def retry(self, job_id: str) -> Accepted:
        """Run a job anew, from its beginning, that has failed or was cancelled; its dead letters are removed.

        Returns:
            Its outcome is `accepted`, `gone`, or the state that forbids it.

        Raises:
            SteeringError: the record was written by another version, which can no longer be read.
        """
        record = await self._reader.job(job_id)
        if record is None:
            return Accepted("gone", "")
        try:
            job = read_job(record.request)
        except ValueError as error:
            detail = f"The job {job_id} does not match this version: {error}. Request it again in Pod."
            raise SteeringError(detail) from error
        return await self._interventions.retry(job)

    async def pause(self, function: str, by: str, reason: str = "") -> None:
        """Deliver nothing more to a function; what runs there ends.

        Args:
            function: its name; keys.ALL_FUNCTIONS: all.
            by: who wants it.
            reason: why.

        Raises:
            SteeringError: there is no such function.
        """
        names = [known.name for known in all_functions()]
        if function not in {*names, keys.ALL_FUNCTIONS}:
            raise SteeringError(f"There is no function {function!r}. The functions are: {', '.join(names)}.")
        pause = {"since": time.time(), "by": by, "reason": reason}
        await self._redis.hsetnx(keys.PAUSED, function, json.dumps(pause))

    async def resume(self, function: str) -> bool:
        """Deliver to a function again. False: it was not paused by its name."""
        if function == keys.ALL_FUNCTIONS:
            return bool(await self._redis.delete(keys.PAUSED))
        return bool(await self._redis.hdel(keys.PAUSED, function))

    async def paused(self) -> dict[str, Pause]:
        """What is paused, by the functions' names."""
        found = {name: json.loads(text) for name, text in (await self._redis.hgetall(keys.PAUSED)).items()}
        return {name: Pause(name, float(pause["since"]), pause["by"], pause["reason"]) for name, pause in found.items()}

    async def drain(self, adapter_id: str) -> bool:
        """Make an adapter take nothing more and finish what it has. False: there is no such adapter."""
        if not await self._redis.exists(keys.about(adapter_id)):
            return False
        await self._redis.hset(keys.DRAINS, adapter_id, str(time.time()))
        return True

    async def adapters(self) -> list[AdapterAbout]:
        """The adapters that have been heard of lately, oldest first; one that was killed is listed for some minutes."""
        names = await self._redis.zrange(keys.ADAPTERS, 0, -1)
        texts = await self._redis.mget([keys.about(name) for name in names]) if names else []
        found = [AdapterAbout.of_fields(json.loads(text)) for text in texts if text]
        return sorted(found, key=lambda about: about.started_at)
