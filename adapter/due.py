"""The steps of one function that are due again: their wait is over, or the adapter that had them is gone."""

import time
from collections.abc import Container

import structlog

from adapter import keys
from adapter.records import Records
from adapter.retries import Ownership, PendingStep
from adapter.settings import FunctionSettings
from adapter.streams import Entry, Streams
from podjobs.contract.errors import Problem

logger = structlog.get_logger(__name__)


class DueSteps:
    """Looks through what was read from a function's stream and is not committed."""

    def __init__(self, function: FunctionSettings, streams: Streams, records: Records, lease_s: float) -> None:
        """Watch one function.

        Args:
            function: whose stream, and how its steps are retried.
            streams: of this adapter.
            records: the jobs.
            lease_s: seconds without a sign of life after which an adapter's steps are taken over.
        """
        self._function = function
        self._streams = streams
        self._records = records
        self._lease_s = lease_s
        self._tidy_at = 0.0

    async def claim(self, count: int, held: Container[str]) -> list[tuple[Entry, int]]:
        """Take over entries that are due; a step that had its last attempt fails.

        Args:
            count: how many at most.
            held: ids of the entries this adapter works on.

        Returns:
            Entries with the number of the attempt that begins now.
        """
        policy = self._function.retries
        shortest_s = min(policy.base_s, self._lease_s)
        others = [
            step for step in await self._streams.pending(self._function.name, shortest_s) if step.entry_id not in held
        ]
        owners = [step.owner for step in others]
        alive = await self._streams.alive(owners)
        ownership = Ownership(self._streams.adapter_id, keys.WAITING, alive, self._lease_s)
        wanted: list[tuple[PendingStep, float]] = []
        for step in others:
            required_s = ownership.required_idle_s(step, policy)
            if required_s is None or step.idle_s < required_s:
                continue
            if policy.exhausted(step.attempts):
                await self._give_up(step)
            elif len(wanted) < count:
                wanted.append((step, required_s))
        await self._tidy()
        return await self._streams.claim(self._function.name, wanted) if wanted else []

    async def _give_up(self, pending: PendingStep) -> None:
        """Fail a step whose attempts are used up: the last one ended with whoever had it."""
        fields = await self._streams.fields(self._function.name, pending.entry_id)
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

    async def _tidy(self) -> None:
        """Now and then, remove adapters that are gone from the group."""
        if time.monotonic() < self._tidy_at:
            return
        self._tidy_at = time.monotonic() + self._lease_s
        for owner in await self._streams.idle_consumers(self._function.name):
            await self._records.forget_consumer(self._function.name, owner)
