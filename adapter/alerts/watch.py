"""Sees what administrators are to be told of, and keeps it in the outbox."""

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Protocol

import structlog
from redis.exceptions import RedisError

from adapter.alerts.occurrences import Kind, Occurrence
from adapter.alerts.outbox import Outbox
from adapter.steps.entries import ClaimedStep
from adapter.steps.history import AttemptOutcome
from adapter.steps.observer import AttemptEnd, JobEnd
from podjobs.contract.errors import OperatorNeededError, Problem, ShutOutError
from podjobs.contract.job_states import JobState
from podjobs.contract.jobs import Job
from podjobs.contract.steps import Step

logger = structlog.get_logger(__name__)

LOOK_S = 5.0
WAITING = 10_000
"""Occurrences in memory while Redis does not answer; of more, the oldest are dropped."""
UNSEEN_S = 60.0
"""A queue is read again if no adapter has seen for so long that it is closed: the one that has told so is gone."""
SHUT_OUT = frozenset({401, 403})
_OPERATOR_NEEDED = frozenset({OperatorNeededError.title, ShutOutError.title})


class Numbers(Protocol):
    """Reads the adapter's numbers."""

    async def read(self) -> dict[str, float]:
        """See Gauges.read. Raises RedisError."""


class Door(Protocol):
    """Something that reads one of Pod's queues."""

    queue: str
    obstacle: str


class Statements(Protocol):
    """Something that delivers statements."""

    @property
    def trouble(self) -> Problem | None:
        """Why the latest delivery failed; None if it did not."""


class AlertWatch:
    """Watches one adapter; an observer of its steps."""

    def __init__(self, outbox: Outbox, numbers: Numbers, doors: Sequence[Door], backlog_s: float) -> None:
        """Watch.

        Args:
            outbox: where occurrences are kept.
            numbers: reads how long something has waited.
            doors: one for each queue that is read.
            backlog_s: how long something may wait; 0: however long.
        """
        self.statements: Statements | None = None
        """Delivers statements; None: their queue is not read."""
        self._outbox = outbox
        self._numbers = numbers
        self._doors = doors
        self._backlog_s = backlog_s
        self._events: deque[Occurrence] = deque(maxlen=WAITING)
        self._lasting: dict[str, Occurrence] = {}
        """Conditions that this adapter sees now."""
        self._over: dict[str, Occurrence] = {}
        """Those that it sees no more, or is not sure of."""

    # What an observer is told.

    def attempt_began(self, step: ClaimedStep, request: Step) -> None:
        """Nothing to tell."""

    def attempt_ended(self, end: AttemptEnd) -> None:
        """Functions say by their answers whether an operator is needed."""
        function = end.step.function
        if end.outcome is AttemptOutcome.DONE:
            self._ends(f"{Kind.OPERATOR_NEEDED}:{function}", Kind.OPERATOR_NEEDED, function)
            self._ends(f"{Kind.SHUT_OUT}:{function}", Kind.SHUT_OUT, function)
        elif end.problem is not None and end.problem.title in _OPERATOR_NEEDED:
            self._lasts(f"{Kind.OPERATOR_NEEDED}:{function}", Kind.OPERATOR_NEEDED, function, end.problem.detail)
        elif end.problem is not None and end.problem.status in SHUT_OUT:
            self._lasts(f"{Kind.SHUT_OUT}:{function}", Kind.SHUT_OUT, function, end.problem.detail)

    def job_ended(self, end: JobEnd) -> None:
        """A job fails for good once; that it has reported so is no news."""
        if end.state == JobState.FAILING:
            reason = end.problem.detail if end.problem else ""
            self._events.append(_failed(end.job, reason))

    # What is looked at.

    async def run(self) -> None:
        """Look, and keep what was seen, until cancelled."""
        while True:
            try:
                await self.look()
            except RedisError as error:
                logger.warning("What administrators are to be told cannot be kept yet.", error=str(error))
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Look once. Raises RedisError: what is not kept is kept the next time."""
        self._look_at_doors()
        self._look_at_statements()
        await self._look_at_backlog()
        while self._events:
            await self._outbox.put(self._events[0])
            self._events.popleft()
        for condition, occurrence in list(self._lasting.items()):
            await self._outbox.put(occurrence, condition)
        known = await self._outbox.conditions()
        self._end_unseen(known)
        for condition, occurrence in list(self._over.items()):
            if condition in known:
                await self._outbox.end(condition, occurrence)
            self._over.pop(condition, None)

    def _look_at_doors(self) -> None:
        for door in self._doors:
            condition = f"{Kind.QUEUE_CLOSED}:{door.queue}"
            if door.obstacle:
                self._lasts(condition, Kind.QUEUE_CLOSED, door.queue, door.obstacle)
            elif condition in self._lasting:
                self._ends(condition, Kind.QUEUE_CLOSED, door.queue)

    def _end_unseen(self, known: Mapping[str, float]) -> None:
        """End what an adapter has told that was killed since, or started anew."""
        for door in self._doors:
            condition = f"{Kind.QUEUE_CLOSED}:{door.queue}"
            if not door.obstacle and known.get(condition, 0.0) > UNSEEN_S:
                self._ends(condition, Kind.QUEUE_CLOSED, door.queue)

    def _look_at_statements(self) -> None:
        trouble = self.statements.trouble if self.statements else None
        if trouble is not None and (trouble.is_shut_out or trouble.status in SHUT_OUT):
            self._lasts(Kind.LRS_REFUSES, Kind.LRS_REFUSES, "xapi", trouble.detail)
        elif trouble is None and self.statements:
            self._ends(Kind.LRS_REFUSES, Kind.LRS_REFUSES, "xapi")

    async def _look_at_backlog(self) -> None:
        if not self._backlog_s:
            return
        waited_s = (await self._numbers.read())["oldest_waiting_s"]
        if waited_s > self._backlog_s:
            values = {"waited_s": f"{waited_s:.0f}", "limit_s": f"{self._backlog_s:.0f}"}
            self._lasts(Kind.BACKLOG, Kind.BACKLOG, "backlog", values=values)
        else:
            self._ends(Kind.BACKLOG, Kind.BACKLOG, "backlog")

    def _lasts(
        self, condition: str, kind: Kind, about: str, reason: str = "", values: dict[str, str] | None = None
    ) -> None:
        self._over.pop(condition, None)
        self._lasting.setdefault(condition, Occurrence(kind, about, reason, time.time(), values or {}))

    def _ends(self, condition: str, kind: Kind, about: str) -> None:
        self._lasting.pop(condition, None)
        # another adapter may have told of it
        self._over.setdefault(condition, Occurrence(Kind.OVER, about, "", time.time(), {"kind": kind}))


def _failed(job: Job, reason: str) -> Occurrence:
    return Occurrence(Kind.JOB_FAILED, job.id, reason, time.time(), {"target": job.target, "type": job.type})
