"""Dispatch of statements: gathered into batches, delivered to the function `xapi`, and taken off the stream.

A batch, from the moment this adapter has it:

    gathered ──▶ delivered ──report──▶ accepted: off the stream
                     │         ├─────▶ refused: to `dead`, with the reason
                     │         └─────▶ kept ──────────────┐
                     ├──FunctionBusyError ───────────────▶┤ stays here and is delivered again: after the pause of
                     ├──StepFailedError, kept for a fault▶┤ all deliveries (pause.py), and where the statements may
                     └──StepRefusedError ────────────────▶┘ be the cause in smaller parts (isolation.py)

Nothing is given up because the LRS or the function is away, however long. What an adapter has in memory is bounded:
`concurrency` batches, one more being gathered, and a number of statements that fail alone while others go through.
"""

import asyncio
import time
import uuid
from collections import deque
from collections.abc import Sequence
from typing import Any

import structlog
from redis.exceptions import RedisError

from adapter import keys
from adapter.collector import Collector
from adapter.delivery import Delivery, DeliveryError, FunctionBusyError, StepRefusedError
from adapter.isolation import Part, after_failure
from adapter.patience import until_redis_answers
from adapter.pause import Pause
from adapter.retries import busy_wait_s
from adapter.settings import DispatchTiming, FunctionSettings
from adapter.statements import Statements
from adapter.streams import Streams
from podjobs.contract.errors import Problem, RetryableError
from podjobs.contract.statements import BatchReport, StatementBatch, StatementEntry

logger = structlog.get_logger(__name__)

REDIS_AWAY_WAIT_S = 0.5
STUCK_LIMIT, STUCK_PARTS = 50, 10
"""So many batches may be here beside the others that have come down to so few statements, each of which fails alone."""
REASONS_LOGGED = 10
OF_THE_OPERATOR = frozenset({401, 403, 404, 405})
"""What a wrong address or a missing permission before the function ends with."""


class BatchDispatch:
    """Moves statements to the function."""

    stream = keys.STATEMENTS

    def __init__(  # noqa: PLR0913, PLR0917 - each is another part of the adapter
        self,
        function: FunctionSettings,
        streams: Streams,
        statements: Statements,
        collector: Collector,
        delivery: Delivery[StatementBatch, BatchReport],
        timing: DispatchTiming,
    ) -> None:
        """Prepare; `run` does the work.

        Args:
            function: the function and its limits.
            streams: of this adapter.
            statements: where they are kept.
            collector: gathers the batches.
            delivery: the way to the function.
            timing: the adapter's times.
        """
        self.function = function
        self._streams = streams
        self._statements = statements
        self._collector = collector
        self._delivery = delivery
        self._timing = timing
        self._pause = Pause(timing.busy_cap_s)
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking: set[asyncio.Task[None]] = set()
        self._stuck: set[asyncio.Task[None]] = set()
        self._finishing = False
        self._successes = 0
        self._trouble: Problem | None = None
        self._slot_freed = asyncio.Event()

    @property
    def held(self) -> tuple[str, ...]:
        """Ids of the entries this adapter works on: their claims are renewed."""
        return self._collector.held

    async def describe(self) -> dict[str, Any]:
        """What it does, in numbers. Raises RedisError."""
        new, taken = await self._streams.counts(self.stream)
        return {
            "concurrency": self.function.concurrency,
            "running_here": len(self._asking),
            "parked_here": len(self._tasks - self._asking),
            "statements_not_taken": new,
            "statements_taken": taken,
            "trouble": self._trouble.detail if self._trouble else "",
            "next_attempt_s": round(self._pause.left_s, 1),
        }

    async def run(self) -> None:
        """Gather and deliver batches until cancelled; running deliveries go on then, until `finish`."""
        while True:
            try:
                await self._streams.ensure_group(self.stream)
                while True:
                    await self._free_slot()
                    self._start(await self._collector.collect())
            except RedisError as error:
                logger.warning("Statements cannot be read from Redis.", error=str(error))
                self._collector.look_later(self._timing.lease_s)
                await asyncio.sleep(REDIS_AWAY_WAIT_S)

    async def finish(self, grace_s: float) -> None:
        """Let running deliveries end for a while, then abandon them; what waits is abandoned at once."""
        self._finishing = True
        for task in self._tasks - self._asking:
            task.cancel()
        if self._asking:
            await asyncio.wait(self._asking, timeout=grace_s)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _free_slot(self) -> None:
        while len(self._tasks) - min(len(self._stuck), STUCK_LIMIT) >= self.function.concurrency:
            self._slot_freed.clear()
            await self._slot_freed.wait()

    def _start(self, entries: tuple[StatementEntry, ...]) -> None:
        task = asyncio.create_task(self._perform(entries))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._stuck.discard(task)
        self._slot_freed.set()

    async def _perform(self, entries: tuple[StatementEntry, ...]) -> None:
        """Deliver a batch until nothing is left of it."""
        parts = deque([Part(entries, successes_seen=self._successes)])
        while parts and not self._finishing:
            self._note_stuck(parts)
            part = parts.popleft()
            if part.is_suspect:
                await asyncio.sleep(busy_wait_s(part.failures, self._timing.busy_cap_s))
            try:
                left = await self._deliver(part)
            except Exception as error:
                # The one blind catch: a fault of ours must not cost statements, nor the dispatch.
                logger.exception("The adapter has a fault. The statements are delivered again.")
                detail = f"The adapter has a fault: {type(error).__name__}: {error}"
                left = self._keep(part, _fault(detail), time.monotonic(), None)
            # what fails alone comes after what may go through
            for again in left:
                parts.append(again) if again.is_suspect else parts.appendleft(again)

    def _note_stuck(self, parts: "deque[Part]") -> None:
        """A batch that has come down to a few statements which fail alone makes room for another one."""
        task = asyncio.current_task()
        if task is not None and len(parts) <= STUCK_PARTS and all(part.is_suspect for part in parts):
            self._stuck.add(task)
            self._slot_freed.set()

    async def _deliver(self, part: Part) -> tuple[Part, ...]:
        """Deliver a part when it may be. Returns what of it is to be delivered again."""
        async with self._pause.turn() as began:
            try:
                report = await self._ask(part)
            except FunctionBusyError as error:
                return self._keep(part, error.problem, began, error.retry_after_s)
            except DeliveryError as error:
                is_refusal = isinstance(error, StepRefusedError)
                return await self._isolate(part, error.problem, began, is_refusal=is_refusal)
            return await self._take_note(part, report, began)

    async def _ask(self, part: Part) -> BatchReport:
        batch = StatementBatch(batch_id=uuid.uuid4().hex, entries=part.entries, attempt=part.attempt)
        task = asyncio.current_task()
        if task is not None:
            self._asking.add(task)
        try:
            return await self._delivery.deliver(batch)
        finally:
            if task is not None:
                self._asking.discard(task)

    async def _take_note(self, part: Part, report: BatchReport, began: float) -> tuple[Part, ...]:
        """Store what became of a part. Returns what is left of it."""
        settled = await self._settle(part, report)
        left = part.without(settled)
        if not left.entries or (settled and report.trouble is None):
            if report.accepted:  # refusals alone do not tell that the LRS is there
                self._successes += 1
                self._trouble = None
                self._pause.end()
            return (left,) if left.entries else ()
        trouble = report.trouble or _fault("The function's report tells the fate of no statement.")
        if trouble.status == RetryableError.status:
            return await self._isolate(left, trouble, began, retry_after_s=report.retry_after_s)
        return self._keep(left, trouble, began, report.retry_after_s, needs_operator=report.needs_operator)

    async def _settle(self, part: Part, report: BatchReport) -> frozenset[str]:
        """Take off the stream what the report tells the fate of. Returns the entries' ids."""
        known = {entry.entry_id for entry in part.entries}
        accepted = [entry_id for entry_id in report.accepted if entry_id in known]
        refused = [(one.entry_id, one.problem) for one in report.refused if one.entry_id in known]
        if accepted or refused:
            await self._store(accepted, refused)
            logger.info("Statements are settled.", accepted=len(accepted), refused=len(refused))
        for _, problem in refused[:REASONS_LOGGED]:
            logger.error("A statement was put aside; `dead list` shows it.", reason=problem.detail)
        return frozenset(accepted) | frozenset(entry_id for entry_id, _ in refused)

    async def _store(self, accepted: Sequence[str], refused: Sequence[tuple[str, Problem]]) -> None:
        await until_redis_answers(lambda: self._statements.settle(accepted, refused), "store the fate of statements")
        self._collector.let_go(frozenset(accepted) | frozenset(entry_id for entry_id, _ in refused))

    async def _isolate(
        self,
        part: Part,
        problem: Problem,
        began: float,
        *,
        is_refusal: bool = False,
        retry_after_s: float | None = None,
    ) -> tuple[Part, ...]:
        """Go on with a part that may itself be the cause. Returns what is to be delivered."""
        isolated = after_failure(part, self._successes, is_refusal=is_refusal)
        if isolated.given_up:
            detail = f"{problem.detail} (Given up: {part.attempt} attempts failed while other statements went through.)"
            await self._store((), [(isolated.given_up.entry_id, problem.model_copy(update={"detail": detail}))])
            logger.error("A statement was put aside; `dead list` shows it.", reason=detail)
            return ()
        if isolated.others_succeed:
            logger.warning("Statements do not go through; others do.", reason=problem.detail, count=len(part.entries))
        else:
            self._stand_by(part, problem, began, retry_after_s)
        return isolated.parts

    def _keep(
        self, part: Part, problem: Problem, began: float, retry_after_s: float | None, *, needs_operator: bool = False
    ) -> tuple[Part, ...]:
        """Keep a part for later; it is not the cause. Returns what is to be delivered."""
        self._stand_by(part, problem, began, retry_after_s, needs_operator=needs_operator)
        return (part.again(),)

    def _stand_by(
        self, part: Part, problem: Problem, began: float, retry_after_s: float | None, *, needs_operator: bool = False
    ) -> None:
        """Let all deliveries wait."""
        self._trouble = problem
        next_attempt_s = self._pause.prolong(began, retry_after_s)
        tell = logger.error if needs_operator or problem.status in OF_THE_OPERATOR else logger.warning
        tell(
            "Statements cannot be delivered now. All are kept and delivered again.",
            reason=problem.detail,
            status=problem.status,
            count=len(part.entries),
            next_attempt_s=round(next_attempt_s, 1),
        )


def _fault(detail: str) -> Problem:
    return Problem(title="The statements were not delivered.", status=int(RetryableError.status), detail=detail)
