"""One attempt to deliver statements: what became of them, what is left, and whether the others should wait.

    delivered ──report──▶ accepted: removed from the stream
        │         ├─────▶ refused: a dead letter, with the reason
        │         └─────▶ kept ──────────────┐
        ├──FunctionBusyError ───────────────▶┤ delivered again: when the circuit breaker allows it
        ├──StepFailedError ─────────────────▶┤ (circuit_breaker.py), and in halves where a statement may be the cause
        └──StepRefusedError ────────────────▶┘ (bisection.py)

Nothing is given up because the LRS or the function is unavailable, however long that lasts.
"""

import asyncio
import uuid
from collections.abc import Sequence

import structlog

from adapter.counts import STATEMENTS
from adapter.delivery import Delivery, DeliveryError, FunctionBusyError, StepFailedError, StepRefusedError
from adapter.redis_retry import retry_until_redis_answers
from adapter.statements.batcher import StatementBatcher
from adapter.statements.bisection import SubBatch, bisect_failed
from adapter.statements.circuit_breaker import CircuitBreaker
from adapter.statements.store import StatementStore
from podjobs.contract.errors import Problem, RetryableError
from podjobs.contract.statements import BatchReport, StatementBatch

logger = structlog.get_logger(__name__)

REASONS_LOGGED = 10
NEEDS_OPERATOR = frozenset({401, 403, 404, 405})
"""Statuses that a wrong address or a missing permission in front of the function causes."""


class StatementAttempts:
    """The attempts of one adapter."""

    def __init__(
        self,
        delivery: Delivery[StatementBatch, BatchReport],
        statements: StatementStore,
        batcher: StatementBatcher,
        breaker: CircuitBreaker,
    ) -> None:
        """Create them.

        Args:
            delivery: invokes the function.
            statements: where statements are stored.
            batcher: learns which entries are settled.
            breaker: the circuit breaker of the function.
        """
        self._delivery = delivery
        self._statements = statements
        self._batcher = batcher
        self._breaker = breaker
        self.running: set[asyncio.Task[None]] = set()
        """The tasks that wait for the function's answer."""
        self.successes = 0
        """How many deliveries have succeeded."""
        self.trouble: Problem | None = None
        """Why nothing can be delivered."""

    async def deliver(self, sub_batch: SubBatch) -> tuple[SubBatch, ...]:
        """Deliver a sub-batch as soon as the circuit breaker allows it. Returns what must be delivered again."""
        async with self._breaker.delivery() as began:
            probe, rest = sub_batch.split_first() if self._breaker.wants_small_probe else (sub_batch, ())
            try:
                left = await self._attempt(probe, began)
            except Exception as error:  # noqa: BLE001 - a bug of ours must cost neither statements nor the dispatch
                left = self._keep(probe, _internal_error(error), began, None)
            return (*rest, *left)

    async def _attempt(self, sub_batch: SubBatch, began: float) -> tuple[SubBatch, ...]:
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
            self.running.add(task)
        try:
            return await self._delivery.deliver(batch)
        except DeliveryError:
            raise
        except Exception as error:
            # A blind catch: a statement that nobody foresaw may be the cause, and the others must not wait for it.
            raise StepFailedError(_internal_error(error)) from error
        finally:
            if task is not None:
                self.running.discard(task)

    async def _apply(self, sub_batch: SubBatch, report: BatchReport, began: float) -> tuple[SubBatch, ...]:
        """Store what the report says about a sub-batch. Returns what must be delivered again."""
        settled = await self._settle(sub_batch, report)
        if report.accepted:  # refusals alone do not prove that the LRS is available
            self.successes += 1
            self.trouble = None
            self._breaker.record_success()
        left = sub_batch.without(settled)
        if not left.entries or (settled and report.trouble is None):
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
        STATEMENTS.add("accepted", number=len(accepted))
        STATEMENTS.add("refused", number=len(refused))
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
        bisection = bisect_failed(failed, self.successes, is_refusal=is_refusal)
        if bisection.poison:
            detail = f"{problem.detail} (Given up: {failed.attempt} attempts failed while other statements succeeded.)"
            await self._store((), [(bisection.poison.entry_id, problem.model_copy(update={"detail": detail}))])
            logger.error("A statement has become a dead letter; `dead list` shows it.", reason=detail)
            return ()
        if not bisection.others_succeed:
            self.trouble = problem
            next_attempt_s = self._breaker.record_failure(began, retry_after_s, may_be_content=True)
            if next_attempt_s:  # the last one before a wait
                _log_standing(failed, problem, next_attempt_s, needs_operator=False)
        elif failed.attempt == 1:  # not for each of its parts
            logger.warning(
                "Statements cannot be delivered while others can.", reason=problem.detail, count=len(failed.entries)
            )
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
        self.trouble = problem
        next_attempt_s = self._breaker.record_failure(began, retry_after_s)
        _log_standing(sub_batch, problem, next_attempt_s, needs_operator=needs_operator)
        return (sub_batch.next_attempt(),)


def _log_standing(failed: SubBatch, problem: Problem, next_attempt_s: float, *, needs_operator: bool) -> None:
    log = logger.error if needs_operator or problem.status in NEEDS_OPERATOR else logger.warning
    log(
        "Statements cannot be delivered now. All are kept and will be delivered again.",
        reason=problem.detail,
        status=problem.status,
        count=len(failed.entries),
        next_attempt_s=round(next_attempt_s, 1),
    )


def _internal_error(error: Exception) -> Problem:
    logger.error("Internal error in the adapter. The statements will be delivered again.", exc_info=error)
    return _fault(f"Internal error in the adapter: {type(error).__name__}: {error}")


def _fault(detail: str) -> Problem:
    return Problem(title="The statements were not delivered.", status=int(RetryableError.status), detail=detail)
