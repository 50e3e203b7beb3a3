"""Many jobs at once: those that a filter finds are cancelled, or run anew."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from adapter.inspection.job_filter import JobFilter
from adapter.inspection.job_reader import JobReader
from adapter.inspection.job_record import JobRecord
from adapter.redis.connections import RedisClient
from adapter.steering.steering import Steering, SteeringError
from adapter.steps.versions import NewerRecordError
from podjobs.contract.job_states import JobState

MOST_JOBS = 100_000
"""More are not chosen at once."""
CANCELLABLE = frozenset({JobState.QUEUED.value, JobState.RUNNING.value})
RETRYABLE = frozenset({JobState.FAILED.value, JobState.CANCELLED.value})
_GONE = "There is no such job any more."


@dataclass(frozen=True, slots=True)
class BulkOutcome:
    """What became of the jobs that were chosen."""

    done: list[str] = field(default_factory=list)
    """The ids of the jobs with which it was done."""
    refused: dict[str, str] = field(default_factory=dict)
    """The ids of the others, and why not."""


async def select_jobs(redis: RedisClient, wanted: JobFilter) -> list[JobRecord]:
    """Find the jobs that an operator means, newest first. Nothing is changed. Raises RedisError."""
    reader = JobReader(redis)
    if wanted.states and wanted.states <= CANCELLABLE:
        # they are few among those that have ended
        return [record for record in reversed(await reader.live()) if wanted.matches(record)][:MOST_JOBS]
    return await reader.jobs(wanted, MOST_JOBS)


async def cancel_all(steering: Steering, job_ids: Iterable[str], by: str, reason: str = "") -> BulkOutcome:
    """Cancel jobs.

    Args:
        steering: changes them.
        job_ids: which.
        by: who wants it.
        reason: why; Pod is told.

    Raises:
        RedisError: some of them may have been cancelled.
    """

    async def cancel(job_id: str) -> str:
        outcome = await steering.cancel(job_id, by, reason)
        if outcome == "cancelled":
            return ""
        return _GONE if outcome == "gone" else f"It is {outcome}: only a job that waits or runs can be cancelled."

    return await _each(job_ids, cancel)


async def retry_all(steering: Steering, job_ids: Iterable[str]) -> BulkOutcome:
    """Run jobs anew, from their beginning: the oldest first, so that the newest request for a video counts.

    Args:
        steering: changes them.
        job_ids: which, newest first.

    Raises:
        RedisError: some of them may have been started.
    """

    async def retry(job_id: str) -> str:
        outcome = (await steering.retry(job_id)).outcome
        if outcome == "accepted":
            return ""
        if outcome == "gone":
            return _GONE
        return f"It is {outcome}: only a job that has failed or was cancelled can be run anew."

    return await _each(reversed(list(job_ids)), retry)


async def _each(job_ids: Iterable[str], change: Callable[[str], Awaitable[str]]) -> BulkOutcome:
    outcome = BulkOutcome()
    for job_id in job_ids:
        try:
            refusal = await change(job_id)
        except (SteeringError, NewerRecordError) as error:
            refusal = str(error)
        if refusal:
            outcome.refused[job_id] = refusal
        else:
            outcome.done.append(job_id)
    return outcome
