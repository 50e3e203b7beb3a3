"""Keeps a step on hold while its function is busy, and delivers it again.

A function that is busy for one step would be busy for any other: so a step on hold keeps its slot, and no more than the
slots' number of steps are ever in this process, however many wait in Redis.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from adapter.delivery import FunctionBusyError, StepRefusedError
from adapter.redis import keys
from adapter.redis.streams import Streams
from adapter.redis_retry import retry_until_redis_answers
from adapter.retries import busy_wait_s
from adapter.settings import DispatchTiming
from adapter.steps.entries import ClaimedStep
from adapter.steps.open_steps import OpenSteps, StepClosedError
from adapter.steps.records import Records
from podjobs.contract.errors import Problem

logger = structlog.get_logger(__name__)

SHUT_OUT = frozenset({401, 403})
"""Statuses of which only an operator can relieve the steps."""

T = TypeVar("T")


class Holding:
    """Holds the steps of one function."""

    def __init__(self, streams: Streams, records: Records, open_steps: OpenSteps, timing: DispatchTiming) -> None:
        """Create the holding of one dispatch.

        Args:
            streams: this adapter's streams.
            records: the job records.
            open_steps: tells when a step is closed meanwhile.
            timing: the longest waits.
        """
        self.on_hold: set[str] = set()
        """The entries of the steps that are on hold now."""
        self._streams = streams
        self._records = records
        self._open_steps = open_steps
        self._timing = timing

    async def repeat_while_busy(self, step: ClaimedStep, deliver: Callable[[], Awaitable[T]]) -> T:
        """Deliver a step until its function is not busy.

        Raises:
            StepClosedError: the step is no longer open.
            StepRefusedError: the function has said «not now» about this very step for too long.
            DeliveryError: any other than FunctionBusyError that the delivery raises.
        """
        busy = 0
        while True:
            begun_s = time.monotonic()
            try:
                return await deliver()
            except FunctionBusyError as error:
                busy += 1
                await self._hold(step, error, busy, time.monotonic() - begun_s)

    async def _hold(self, step: ClaimedStep, error: FunctionBusyError, busy: int, spent_s: float) -> None:
        """Keep a step on hold until the function may no longer be busy. Raises: see `repeat_while_busy`."""
        limit_s = self._timing.not_now_limit_s
        wait_s = error.retry_after_s
        if wait_s is None:
            wait_s = busy_wait_s(busy, self._timing.busy_cap_s)
        if error.concerns_step:
            wait_s = min(wait_s, limit_s)
        counted_s = spent_s + wait_s if error.concerns_step else 0.0
        trouble = error.problem.model_dump_json()
        owner = self._streams.adapter_id
        cost_s = await retry_until_redis_answers(
            lambda: self._records.hold(step, owner, trouble, counted_s), "put a step on hold"
        )
        if cost_s is None:
            raise StepClosedError
        if error.concerns_step and cost_s - wait_s >= limit_s:
            raise StepRefusedError(_given_up(error.problem, limit_s)) from error
        _log_hold(error.problem, wait_s)
        self.on_hold.add(step.entry_id)
        try:
            await self._open_steps.while_open(step, asyncio.sleep(wait_s))
        finally:
            self.on_hold.discard(step.entry_id)
        await retry_until_redis_answers(
            lambda: self._streams.resume(keys.steps(step.function), step.entry_id, step.attempt),
            "resume a step that was on hold",
        )


def _log_hold(problem: Problem, wait_s: float) -> None:
    is_shut_out = problem.status in SHUT_OUT
    log = logger.error if is_shut_out else logger.warning
    log(
        f"The function {'refuses the adapter' if is_shut_out else 'is busy'}. The step is on hold and will be "
        "delivered again.",
        reason=problem.detail,
        status=problem.status,
        next_attempt_s=round(wait_s, 1),
    )


def _given_up(problem: Problem, limit_s: float) -> Problem:
    detail = (
        f"{problem.detail} (Given up: the function has answered so for {limit_s / 3600:.3g} h, see "
        "PODJOBS_NOT_NOW_LIMIT_S.)"
    )
    return problem.model_copy(update={"detail": detail})
