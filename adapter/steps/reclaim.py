"""What is due again in a stream: its wait is over, or the adapter that had it is gone."""

import time
from collections.abc import Container

import structlog

from adapter.redis import keys
from adapter.redis.streams import Entry, Streams
from adapter.retries import Ownership, PendingStep, RetryPolicy
from adapter.settings import FunctionSettings
from adapter.steps.records import Records
from podjobs.contract.errors import Problem

logger = structlog.get_logger(__name__)


class DueEntries:
    """Looks through what was read from a stream and is still there."""

    def __init__(self, stream: str, streams: Streams, policy: RetryPolicy, lease_s: float) -> None:
        """Watch one stream.

        Args:
            stream: its key.
            streams: of this adapter.
            policy: how long an entry that nobody works on waits.
            lease_s: seconds without a sign of life after which an adapter's entries are taken over.
        """
        self._stream = stream
        self._streams = streams
        self._policy = policy
        self._lease_s = lease_s
        self._tidy_at = 0.0

    async def find(self, held: Container[str]) -> list[tuple[PendingStep, float]]:
        """List the entries that are due, the oldest first.

        Args:
            held: ids of the entries this adapter works on.

        Returns:
            Entries, and the idle time in seconds each must still have when it is claimed.
        """
        shortest_s = min(self._policy.base_s, self._lease_s)
        others = [
            entry for entry in await self._streams.pending(self._stream, shortest_s) if entry.entry_id not in held
        ]
        alive = await self._streams.alive([entry.owner for entry in others])
        ownership = Ownership(self._streams.adapter_id, keys.WAITING, alive, self._lease_s)
        wanted = [(entry, ownership.required_idle_s(entry, self._policy)) for entry in others]
        return [
            (entry, required_s) for entry, required_s in wanted if required_s is not None and entry.idle_s >= required_s
        ]

    async def tidy(self) -> None:
        """Now and then, remove adapters that are gone from the group."""
        if time.monotonic() < self._tidy_at:
            return
        self._tidy_at = time.monotonic() + self._lease_s
        for owner in await self._streams.idle_consumers(self._stream):
            await self._streams.forget_consumer(self._stream, owner)


class DueSteps:
    """The steps of one function that are due again."""

    def __init__(self, function: FunctionSettings, streams: Streams, records: Records, lease_s: float) -> None:
        """Watch one function.

        Args:
            function: whose stream, and how its steps are retried.
            streams: of this adapter.
            records: the jobs.
            lease_s: seconds without a sign of life after which an adapter's steps are taken over.
        """
        self._function = function
        self._stream = keys.steps(function.name)
        self._streams = streams
        self._records = records
        self._due = DueEntries(self._stream, streams, function.retries, lease_s)

    async def claim(self, count: int, held: Container[str]) -> list[tuple[Entry, int]]:
        """Take over entries that are due; a step that had its last attempt fails.

        Args:
            count: how many at most.
            held: ids of the entries this adapter works on.

        Returns:
            Entries with the number of the attempt that begins now.
        """
        wanted: list[tuple[PendingStep, float]] = []
        for step, required_s in await self._due.find(held):
            if self._function.retries.exhausted(step.attempts):
                await self._give_up(step)
            elif len(wanted) < count:
                wanted.append((step, required_s))
        await self._due.tidy()
        return await self._streams.claim(self._stream, wanted) if wanted else []

    async def _give_up(self, pending: PendingStep) -> None:
        """Fail a step whose attempts are used up: the last one ended with whoever had it."""
        fields = await self._streams.fields(self._stream, pending.entry_id)
        if fields is None:
            return
        step = await self._records.read_entry(self._function.name, pending.entry_id, fields, pending.attempts)
        if step is None:
            return
        trouble = await self._records.trouble(step.job_id)
        detail = (
            f"The step {step.spec.id} was tried {pending.attempts} times without success. "
            f"{trouble or 'Each time the function or the adapter ended before it answered.'}"
        )
        await self._records.fail(step, Problem(title="The step failed too often.", status=500, detail=detail))
        logger.error("A step had its last attempt.", job_id=step.job_id, step_id=step.spec.id, reason=detail)
