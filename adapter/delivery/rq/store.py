"""The commands to Redis for the jobs of one queue; what changes several keys is in rq.lua."""

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from adapter.delivery.rq.jobs import RqJob
from adapter.delivery.rq.sightings import JobSight

RedisClient = Any
"""A redis.asyncio.Redis that returns text."""

_SCRIPT = Path(__file__).with_name("rq.lua").read_text(encoding="utf-8")
_RESULTS = "rq:results:"
_FIRST = "0-0"


class RqStore:
    """The jobs of one queue."""

    def __init__(self, redis: RedisClient, queue: str, adapter_id: str) -> None:
        """Store what all commands need.

        Args:
            redis: returns text.
            queue: the queue's name.
            adapter_id: of the adapter that waits for answers.
        """
        self._redis = redis
        self._queue = queue
        self._bell = f"podjobs:rq:{queue}:bell:{adapter_id}"
        self._heard = _FIRST
        """The latest ring of the bell."""
        self._script = redis.register_script(_SCRIPT)

    async def add(self, job: RqJob) -> str:
        """Add a job, or find one of an earlier attempt that is of use. Returns the id of the one to wait for."""
        fields = [part for pair in job.fields.items() for part in pair]
        ids = (job.id, *job.earlier)
        return str(await self._run("add", self._bell, len(ids), *ids, *fields))

    async def ring(self) -> None:
        """Have `results` return, as more answers are waited for."""
        await self._redis.xadd(self._bell, {"job": ""}, maxlen=1, approximate=False)

    async def results(self, job_ids: Iterable[str], limit_s: float) -> dict[str, Mapping[str, str]]:
        """Wait until jobs have ended, or until the bell rings.

        Args:
            job_ids: the jobs.
            limit_s: longest time.

        Returns:
            The first result of each job that has one.
        """
        wanted = {self._bell: self._heard} | {_RESULTS + job_id: _FIRST for job_id in job_ids}
        answer = await self._redis.xread(wanted, block=int(limit_s * 1000))
        found: dict[str, Mapping[str, str]] = {}
        for name, entries in answer or ():
            if name == self._bell:
                self._heard = entries[-1][0]
            else:
                found[name.removeprefix(_RESULTS)] = entries[0][1]
        return found

    async def remove(self, job_ids: Collection[str]) -> None:
        """Remove jobs whose answers were taken."""
        if job_ids:
            await self._run("remove", *job_ids)

    async def give_up(self, job_id: str, status: str, worker: str = "") -> bool:
        """Remove a job that is still in a state, and with a worker. False: it is not."""
        return bool(await self._run("give_up", job_id, status, worker))

    async def put_back(self, job_id: str) -> None:
        """Put a job that was taken, and not begun, back to the front of the queue."""
        await self._run("put_back", job_id)

    async def status(self, job_id: str) -> tuple[str | None, str]:
        """The status of a job, None if there is none, and the worker that performs it."""
        status, worker = await self._redis.hmget(f"rq:job:{job_id}", "status", "worker_name")
        return status, worker or ""

    async def stop(self, job_id: str, worker: str) -> None:
        """Tell a worker to stop a job. Source: rq.command.send_stop_job_command."""
        command = {"command": "stop-job", "job_id": job_id}
        await self._redis.publish(f"rq:pubsub:{worker}", json.dumps(command))

    async def look(self, job_ids: Collection[str]) -> dict[str, JobSight]:
        """How jobs are, and whether their workers are at work on them."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.lrange(f"rq:queue:{self._queue}:intermediate", 0, -1)
            for job_id in job_ids:
                pipeline.hmget(f"rq:job:{job_id}", "status", "worker_name")
            between, *jobs = await pipeline.execute()
        at_work = await self._look_at({worker for _, worker in jobs if worker})
        seen: dict[str, JobSight] = {}
        for job_id, (status, worker) in zip(job_ids, jobs, strict=True):
            beat, current = at_work.get(worker or "", (None, None))
            seen[job_id] = JobSight(status, worker or "", beat if current == job_id else None, job_id in between)
        return seen

    async def beats(self) -> dict[str, str | None]:
        """The latest heartbeat of each worker of the queue; None: RQ has forgotten it."""
        keys = await self._redis.smembers(f"rq:workers:{self._queue}")
        found = await self._look_at({key.removeprefix("rq:worker:") for key in keys})
        return {worker: beat for worker, (beat, _) in found.items()}

    async def _look_at(self, workers: Collection[str]) -> dict[str, tuple[str | None, str | None]]:
        """Each worker's latest heartbeat, and its job."""
        if not workers:
            return {}
        async with self._redis.pipeline(transaction=False) as pipeline:
            for worker in workers:
                pipeline.hmget(f"rq:worker:{worker}", "last_heartbeat", "current_job")
            return dict(zip(workers, map(tuple, await pipeline.execute()), strict=True))

    async def close(self) -> None:
        """Release the connections."""
        await self._redis.aclose()

    async def _run(self, operation: str, *arguments: Any) -> Any:
        return await self._script(keys=(), args=(operation, self._queue, *arguments))
