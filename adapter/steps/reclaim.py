"""Reclaims steps: those whose wait is over, and those whose adapter is gone."""

from collections.abc import Callable, Collection

import structlog

from adapter.redis import keys
from adapter.redis.idle_entries import IdleEntries
from adapter.redis.streams import Entry, PendingEntry, Streams
from adapter.settings import FunctionSettings
from adapter.steps.records import Records
from adapter.steps.versions import NewerRecordError
from podjobs.contract.errors import Problem
from podjobs.contract.jobs import Job

logger = structlog.get_logger(__name__)


Failed = Callable[[Job | None, str, Problem], None]
"""Is told of a job (None: its record is gone), the outcome of Records.fail, and why its step failed."""


class StepReclaimer:
    """Reclaims the steps of one function."""

    def __init__(
        self, function: FunctionSettings, streams: Streams, records: Records, lease_s: float, failed: Failed
    ) -> None:
        """Watch one function.

        Args:
            function: whose stream, and how its steps are retried.
            streams: this adapter's streams.
            records: the job records.
            lease_s: seconds without a heartbeat after which an adapter's steps are reclaimed.
            failed: is told of steps that have no attempts left.
        """
        self._failed = failed
        self._function = function
        self._stream = keys.steps(function.name)
        self._streams = streams
        self._records = records
        self._idle = IdleEntries(self._stream, streams, function.retries, lease_s)

    async def reclaim(self, count: int, claimed: Collection[str]) -> list[tuple[Entry, int]]:
        """Claim idle entries; a step without attempts left fails.

        Args:
            count: how many at most.
            claimed: ids of the entries this adapter works on.

        Returns:
            Entries with the number of the attempt that begins now.
        """
        wanted: list[PendingEntry] = []
        for entry in await self._idle.find(claimed):
            if self._function.retries.exhausted(self._streams.next_attempt(entry) - 1):
                await self._give_up(entry)
            elif len(wanted) < count:
                wanted.append(entry)
        await self._idle.remove_gone_consumers()
        return await self._idle.claim(wanted)

    async def _give_up(self, entry: PendingEntry) -> None:
        """Fail a step that has no attempts left: its last one ended when the adapter or the function did."""
        fields = await self._streams.fields(self._stream, entry.entry_id)
        if fields is None:
            return
        step = await self._records.read_entry(self._function.name, entry.entry_id, fields, entry.attempts)
        if step is None:
            return
        trouble = await self._records.trouble(step.job_id)
        detail = (
            f"The step {step.spec.id} was tried {entry.attempts} times without success. "
            f"{trouble or 'Each time the function or the adapter ended before it answered.'}"
        )
        problem = Problem(title="The step failed too often.", status=500, detail=detail)
        try:
            outcome = await self._records.fail(step, problem)
            job = await self._records.job(step.job_id)
        except NewerRecordError as error:
            logger.error(str(error), job_id=step.job_id)  # noqa: TRY400 - not a fault of ours
            return
        self._failed(job, outcome, problem)
        logger.error("A step has used up its attempts.", job_id=step.job_id, step_id=step.spec.id, reason=detail)
