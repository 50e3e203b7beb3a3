"""Dispatches statements: gathers them into batches, delivers these to the function `xapi`, and clears the stream.

The life of a batch in this adapter:

    gathered ──▶ delivered ──report──▶ accepted: removed from the stream
                     │         ├─────▶ refused: a dead letter, with the reason
                     │         └─────▶ kept ──────────────┐
                     ├──FunctionBusyError ───────────────▶┤ stays here and is delivered again: when the circuit
                     ├──StepFailedError ─────────────────▶┤ breaker allows it (circuit_breaker.py), and in halves
                     └──StepRefusedError ────────────────▶┘ where a statement may be the cause (bisection.py)

Nothing is given up because the LRS or the function is unavailable, however long that lasts. What an adapter has in
memory is bounded: `concurrency` batches, one being gathered, and a few statements that fail alone while others succeed.
"""

import asyncio
import time
import uuid
from collections import deque
from collections.abc import Sequence
from typing import Any

import structlog
from redis.exceptions import RedisError

from adapter.cancellation import cancel_and_wait
from adapter.delivery import Delivery, DeliveryError, FunctionBusyError, StepRefusedError
from adapter.redis import keys
from adapter.redis.redis_retry import retry_until_redis_answers
from adapter.redis.streams import Streams
from adapter.retries import busy_wait_s
from adapter.settings import DispatchTiming, FunctionSettings
from adapter.statements.batcher import StatementBatcher
from adapter.statements.bisection import SubBatch, bisect_failed
from adapter.statements.circuit_breaker import CircuitBreaker
from adapter.statements.store import StatementStore
from podjobs.contract.errors import Problem, RetryableError
from podjobs.contract.statements import BatchReport, StatementBatch, StatementEntry

logger = structlog.get_logger(__name__)

REDIS_AWAY_WAIT_S = 0.5
STUCK_LIMIT, STUCK_SUB_BATCHES = 50, 10
"""Extra batches allowed beyond the concurrency, and the most statements left of each, all of which fail alone."""
REASONS_LOGGED = 10
NEEDS_OPERATOR = frozenset({401, 403, 404, 405})
"""Statuses that a wrong address or a missing permission in front of the function causes."""


class StatementDispatch:
    """Dispatches statements to the function."""

    stream = keys.STATEMENTS

    def __init__(  # noqa: PLR0913, PLR0917 - each is a different part of the adapter
        self,
        function: FunctionSettings,
        streams: Streams,
        statements: StatementStore,
        batcher: StatementBatcher,
        delivery: Delivery[StatementBatch, BatchReport],
        timing: DispatchTiming,
    ) -> None:
        """Create a dispatch; `run` does the work.

        Args:
            function: the function and its limits.
            streams: this adapter's streams.
            statements: where they are stored.
            batcher: gathers the batches.
            delivery: invokes the function.
            timing: the intervals.
        """
        self.function = function
        self._streams = streams
        self._statements = statements
        self._batcher = batcher
        self._delivery = delivery
        self._timing = timing
        self._breaker = CircuitBreaker(timing.busy_cap_s)
        self._tasks: set[asyncio.Task[None]] = set()
        self._delivering: set[asyncio.Task[None]] = set()
        self._stuck: set[asyncio.Task[None]] = set()
        self._finishing = False
        self._successes = 0
        self._trouble: Problem | None = None
        self._slot_freed = asyncio.Event()

    @property
    def claimed(self) -> tuple[str, ...]:
        """Ids of the entries this adapter works on."""
        return self._batcher.claimed

    async def describe(self) -> dict[str, Any]:
        """What it is doing, in numbers. Raises RedisError."""
        new, taken = await self._streams.counts(self.stream)
        return {
            "concurrency": self.function.concurrency,
            "running_here": len(self._delivering),
            "on_hold_here": len(self._tasks - self._delivering),
            "statements_not_taken": new,
            "statements_taken": taken,
            "trouble": self._trouble.detail if self._trouble else "",
            "next_attempt_s": round(self._breaker.wait_s, 1),
        }

    async def run(self) -> None:
        """Gather and deliver batches until cancelled; deliveries in flight then continue until `finish`."""
        while True:
            try:
                await self._streams.ensure_group(self.stream)
                while True:
                    await self._free_slot()
                    self._start(await self._batcher.next_batch())
            except RedisError as error:
                logger.warning("Statements cannot be read from Redis.", error=str(error))
                await asyncio.sleep(REDIS_AWAY_WAIT_S)

    async def finish(self, grace_s: float) -> None:
        """Let deliveries in flight end within the grace time, then abandon them; abandon those on hold at once."""
        self._finishing = True
        await cancel_and_wait(self._tasks - self._delivering)
        if self._delivering:
            await asyncio.wait(self._delivering, timeout=grace_s)
        await cancel_and_wait(self._tasks)

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
        sub_batches = deque([SubBatch(entries, successes_seen=self._successes)])
        while sub_batches and not self._finishing:
            self._note_stuck(sub_batches)
            sub_batch = sub_batches.popleft()
            if sub_batch.is_suspect:
                await asyncio.sleep(busy_wait_s(sub_batch.failures, self._timing.busy_cap_s))
            try:
                left = await self._deliver(sub_batch)
            except Exception as error:
                # The only blind catch: a bug of ours must cost neither statements nor the dispatch.
                logger.exception("Internal error in the adapter. The statements will be delivered again.")
                detail = f"Internal error in the adapter: {type(error).__name__}: {error}"
                left = self._keep(sub_batch, _fault(detail), time.monotonic(), None)
            # what fails alone goes after what may succeed
            for again in left:
                sub_batches.append(again) if again.is_suspect else sub_batches.appendleft(again)

    def _note_stuck(self, sub_batches: "deque[SubBatch]") -> None:
        """Free the slot of a batch of which only a few statements are left, all failing alone."""
        task = asyncio.current_task()
        if task is not None and len(sub_batches) <= STUCK_SUB_BATCHES and all(one.is_suspect for one in sub_batches):
            self._stuck.add(task)
            self._slot_freed.set()

    async def _deliver(self, sub_batch: SubBatch) -> tuple[SubBatch, ...]:
        """Deliver a sub-batch as soon as the circuit breaker allows it. Returns what must be delivered again."""
        async with self._breaker.delivery() as began:
            try:
                report = await self._invoke(sub_batch)
            except FunctionBusyError as error:
                return self._keep(sub_batch, error.problem, began, error.retry_after_s)
            except DeliveryError as error:
                is_refusal = isinstance(error, StepRefusedError)
                return await self._bisect(sub_batch, error.problem, began, is_refusal=is_refusal)
            return await self._apply(sub_batch, report, began)

    async def _invoke(self, sub_batch: SubBatch) -> BatchReport:
        batch = StatementBatch(batch_id=uuid.uuid4().hex, entries=sub_batch.entries, attempt=sub_batch.attempt)
        task = asyncio.current_task()
        if task is not None:
            self._delivering.add(task)
        try:
            return await self._delivery.deliver(batch)
        finally:
            if task is not None:
                self._delivering.discard(task)

    async def _apply(self, sub_batch: SubBatch, report: BatchReport, began: float) -> tuple[SubBatch, ...]:
        """Store what the report says about a sub-batch. Returns what must be delivered again."""
        settled = await self._settle(sub_batch, report)
        left = sub_batch.without(settled)
        if not left.entries or (settled and report.trouble is None):
            if report.accepted:  # refusals alone do not prove that the LRS is available
                self._successes += 1
                self._trouble = None
                self._breaker.record_success()
            return (left,) if left.entries else ()
        trouble = report.trouble or _fault("The function's report does not say what became of any statement.")
        if trouble.status == RetryableError.status:
            return await self._bisect(left, trouble, began, retry_after_s=report.retry_after_s)
        return self._keep(left, trouble, began, report.retry_after_s, needs_operator=report.needs_operator)

    async def _settle(self, sub_batch: SubBatch, report: BatchReport) -> frozenset[str]:
        """Remove from the stream what the report accepts or refuses. Returns the entries' ids."""
        known = {entry.entry_id for entry in sub_batch.entries}
        accepted = [entry_id for entry_id in report.accepted if entry_id in known]
        refused = [(one.entry_id, one.problem) for one in report.refused if one.entry_id in known]
        if accepted or refused:
            await self._store(accepted, refused)
            logger.info("Statements are settled.", accepted=len(accepted), refused=len(refused))
        for _, problem in refused[:REASONS_LOGGED]:
            logger.error("A statement has become a dead letter; `dead list` shows it.", reason=problem.detail)
        return frozenset(accepted) | frozenset(entry_id for entry_id, _ in refused)

    async def _store(self, accepted: Sequence[str], refused: Sequence[tuple[str, Problem]]) -> None:
        await retry_until_redis_answers(lambda: self._statements.settle(accepted, refused), "settle statements")
        self._batcher.forget(frozenset(accepted) | frozenset(entry_id for entry_id, _ in refused))

    async def _bisect(
        self,
        failed: SubBatch,
        problem: Problem,
        began: float,
        *,
        is_refusal: bool = False,
        retry_after_s: float | None = None,
    ) -> tuple[SubBatch, ...]:
        """Continue with a sub-batch that may itself be the cause. Returns what must be delivered."""
        bisection = bisect_failed(failed, self._successes, is_refusal=is_refusal)
        if bisection.poison:
            detail = f"{problem.detail} (Given up: {failed.attempt} attempts failed while other statements succeeded.)"
            await self._store((), [(bisection.poison.entry_id, problem.model_copy(update={"detail": detail}))])
            logger.error("A statement has become a dead letter; `dead list` shows it.", reason=detail)
            return ()
        if bisection.others_succeed:
            logger.warning(
                "Statements cannot be delivered while others can.", reason=problem.detail, count=len(failed.entries)
            )
        else:
            self._stand_by(failed, problem, began, retry_after_s)
        return bisection.sub_batches

    def _keep(
        self,
        sub_batch: SubBatch,
        problem: Problem,
        began: float,
        retry_after_s: float | None,
        *,
        needs_operator: bool = False,
    ) -> tuple[SubBatch, ...]:
        """Keep a sub-batch that is not the cause for later. Returns what must be delivered."""
        self._stand_by(sub_batch, problem, began, retry_after_s, needs_operator=needs_operator)
        return (sub_batch.next_attempt(),)

    def _stand_by(
        self,
        failed: SubBatch,
        problem: Problem,
        began: float,
        retry_after_s: float | None,
        *,
        needs_operator: bool = False,
    ) -> None:
        """Open the circuit breaker: all deliveries wait."""
        self._trouble = problem
        next_attempt_s = self._breaker.record_failure(began, retry_after_s)
        log = logger.error if needs_operator or problem.status in NEEDS_OPERATOR else logger.warning
        log(
            "Statements cannot be delivered now. All are kept and will be delivered again.",
            reason=problem.detail,
            status=problem.status,
            count=len(failed.entries),
            next_attempt_s=round(next_attempt_s, 1),
        )


def _fault(detail: str) -> Problem:
    return Problem(title="The statements were not delivered.", status=int(RetryableError.status), detail=detail)
