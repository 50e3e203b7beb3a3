"""Why a job waits, and when it will be ready."""

from dataclasses import asdict, dataclass
from typing import Any

from adapter.inspection.forecast.forecasts import ready_times
from adapter.inspection.forecast.sentences import (
    count_steps,
    explain_ended,
    explain_live,
    explain_ready,
    is_shut_out,
)
from adapter.inspection.forecast.snapshot import read_adapters, read_snapshot
from adapter.inspection.job_reader import JobReader
from adapter.redis import keys
from adapter.redis.connections import RedisClient
from podjobs.contract.workflows import celery_queues, step_functions

PAGE = 500
"""Messages that are looked through at once."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer about one job."""

    job_id: str
    state: str
    """A JobState; `requested` while its message is on Pod's queue; empty: nobody knows the job."""
    sentences: list[str]
    ready_at: float | None = None
    """Seconds since the epoch; None: it depends on people, or the job has ended."""
    progress: float = 0.0
    """Between 0 and 1."""
    steps: int | None = None
    """None: it is not planned."""
    steps_done: int = 0

    def as_json(self) -> dict[str, Any]:
        """As JSON can express it."""
        return asdict(self)


async def explain(redis: RedisClient, job_id: str, broker: RedisClient | None = None) -> Explanation:
    """Explain why a job is not ready, and say when it will be. Raises RedisError.

    Args:
        redis: the jobs' database; returns text.
        job_id: the job's id.
        broker: where Pod's messages are; returns bytes. None: they are not looked through.
    """
    record = await JobReader(redis).job(job_id)
    if record is None:
        return await _explain_message(redis, job_id, broker)
    if "ended_at" in record.fields:
        return Explanation(job_id, record.state, explain_ended(record), progress=record.progress)
    snapshot = await read_snapshot(redis)
    job = snapshot.jobs.get(job_id)
    if job is None:  # it has ended meanwhile
        return await explain(redis, job_id, broker)
    steps = [step for queue in snapshot.functions.values() for step in queue.steps if step.job_id == job_id]
    ready_at = None
    if not is_shut_out(steps, record):
        ready_at = ready_times(snapshot, job_id).get(job_id)
    sentences = [*explain_live(snapshot, job, record), explain_ready(ready_at, snapshot.now_s)]
    total, done = count_steps(job, len(steps))
    return Explanation(job_id, record.state, sentences, ready_at, record.progress, total, done)


async def _explain_message(redis: RedisClient, job_id: str, broker: RedisClient | None) -> Explanation:
    for queue in celery_queues([function.name for function in step_functions()]) if broker else ():
        before = await _find_message(broker, queue, job_id)
        if before is not None:
            return Explanation(job_id, "requested", [await _explain_queue(redis, broker, queue, before)])
    kept = "The record of an ended job is deleted after PODJOBS_JOB_TTL_S."
    return Explanation(job_id, "", [f"There is no job {job_id!r}. {kept}"])


async def _explain_queue(redis: RedisClient, broker: RedisClient, queue: str, before: int) -> str:
    """Why a message is still there."""
    seconds, _ = await redis.time()
    adapters = await read_adapters(redis, seconds)
    place = f"Its message is still on Pod's queue {queue}, behind {before} others"
    if await broker.exists(keys.handed_back(queue)):
        return f"{place}: the queue is handed back to Pod's workers. `podjobs takeover {queue}` reads it again."
    if not adapters:
        return f"{place}: that queue is not read, for no adapter runs. Start one with `podjobs run`, or scripts/up."
    if not any(queue in about.queues for about in adapters):
        return f"{place}: that queue is not read, for no adapter has a function for it. Set its PODJOBS_FUNCTION_URL_…."
    return f"{place}: it is read as soon as there is room. `podjobs status` says whether Redis is full."


async def _find_message(broker: RedisClient, queue: str, message_id: str) -> int | None:
    """How many messages are read before one; None if it is not there. The next one to be read is the last."""
    wanted = f'"{message_id}"'.encode()
    before, end = 0, -1
    while page := await broker.lrange(queue, end - PAGE + 1, end):
        for raw in reversed(page):
            if wanted in raw:
                return before
            before += 1
        end -= PAGE
        if len(page) < PAGE:
            break
    return None
