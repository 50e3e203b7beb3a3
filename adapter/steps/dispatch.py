"""Dispatches the steps of one function: takes those whose turn it is, delivers them, and stores the outcome.

The life of a step and its entry in this adapter:

    take ──join──▶ delivered ──reply──────────▶ commit           the job goes on
      │                ├──StepRefusedError────▶ fail             the job goes on to report its failure, or without
      │                │                                         the step, if that is dispensable
      │                ├──StepFailedError─────▶ schedule_retry   nobody owns it until its wait is over (reclaim.py)
      │                │  └─its source is gone▶ SourceInquiry    likewise, while a step is added that looks into it
      │                ├──FunctionBusyError───▶ hold             stays here and keeps its slot; delivered again later,
      │                │                                         or fails, if it is the step for which it is too busy
      │                └──no longer open──────▶ withdraw         nobody waits for its reply (open_steps.py)
      └──no longer open: dropped (a duplicate, or its job was superseded)
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import structlog
from redis.exceptions import RedisError, ResponseError

from adapter.cancellation import cancel_and_wait
from adapter.counts import REDIS_ERRORS
from adapter.delivery import Delivery, FunctionBusyError, StepFailedError, StepRefusedError
from adapter.redis import keys
from adapter.redis.streams import Streams
from adapter.redis_retry import retry_until_redis_answers
from adapter.settings import DispatchTiming, FunctionSettings
from adapter.steps.entries import ClaimedStep, assemble_step
from adapter.steps.history import AttemptOutcome
from adapter.steps.holding import Holding
from adapter.steps.observation import Observation
from adapter.steps.observer import StepObserver
from adapter.steps.open_steps import OpenSteps, StepClosedError
from adapter.steps.reclaim import StepReclaimer
from adapter.steps.records import Records
from adapter.steps.slots import Slots
from adapter.steps.source_inquiry import SourceInquiry
from adapter.steps.versions import NewerRecordError
from podjobs.contract.errors import OTHER_VERSION, Problem
from podjobs.contract.job_states import JobState
from podjobs.contract.jobs import Job
from podjobs.contract.message_contracts import StepReply
from podjobs.contract.plans import Result
from podjobs.contract.steps import Step
from podjobs.contract.usage import Usage
from podjobs.contract.workflows import DISPENSABLE

logger = structlog.get_logger(__name__)

REDIS_AWAY_WAIT_S = 0.5
DISPENSABLE_ATTEMPTS = 2
"""Of a step without which its job goes on: whoever waits for the job need not wait for more."""


class StepDispatch:
    """Dispatches the steps of one function."""

    def __init__(  # noqa: PLR0913, PLR0917 - each is a different part of the adapter
        self,
        function: FunctionSettings,
        streams: Streams,
        records: Records,
        delivery: Delivery[Step, StepReply],
        timing: DispatchTiming,
        observers: Sequence[StepObserver] = (),
    ) -> None:
        """Create a dispatch; `run` does the work.

        Args:
            function: the function and its limits.
            streams: this adapter's streams.
            records: the job records.
            delivery: invokes the function.
            timing: the intervals.
            observers: who is told of what happens.
        """
        self.function = function
        self.stream = keys.steps(function.name)
        self._streams = streams
        self._records = records
        self._delivery = delivery
        self._timing = timing
        self._observation = Observation(streams.adapter_id, observers)
        self._inquiry = SourceInquiry(records)
        self._reclaimer = StepReclaimer(function, streams, records, timing.lease_s, self._observation.gave_up)
        self._reclaim_at = 0.0
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._open_steps = OpenSteps(records, timing.sweep_s)
        self._holding = Holding(streams, records, self._open_steps, timing)
        self._slots = Slots(function, delivery, timing.sweep_s)

    @property
    def claimed(self) -> tuple[str, ...]:
        """Ids of the entries this adapter works on."""
        return tuple(self._tasks)

    @property
    def held(self) -> frozenset[str]:
        """Ids of those among them that are on hold because the function is busy."""
        return frozenset(self._holding.on_hold)

    @property
    def on_hold(self) -> int:
        """How many of them are on hold."""
        return len(self._holding.on_hold)

    @property
    def slots(self) -> int:
        """How many steps may be in flight."""
        return self._slots.limit

    @property
    def workers(self) -> int | None:
        """How many workers the function has; None: not known."""
        return self._slots.workers

    async def describe(self) -> dict[str, Any]:
        """What it is doing, in numbers. Raises RedisError."""
        new, taken = await self._streams.counts(self.stream)
        return {
            "concurrency": self._slots.limit,
            **({} if self._slots.workers is None else {"workers": self._slots.workers}),
            "running_here": len(self._tasks) - self.on_hold,
            "on_hold_here": self.on_hold,
            "steps_not_taken": new + await self._records.ready_steps(self.function.name),
            "steps_taken": taken,
        }

    async def run(self) -> None:
        """Read and deliver steps until cancelled; running steps then continue until `finish`."""
        await self._slots.count_workers()
        lanes = [asyncio.create_task(lane) for lane in (self._read(), self._slots.run(), self._open_steps.run())]
        try:
            ended, _ = await asyncio.wait(lanes, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await cancel_and_wait(lanes)
        for lane in ended:
            lane.result()  # none ends but by an error of ours

    async def finish(self, grace_s: float | None) -> None:
        """Let running steps end within the grace time (None: any), then abandon them; those on hold at once."""
        await cancel_and_wait([self._tasks[entry_id] for entry_id in self._holding.on_hold])
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=grace_s)
        await cancel_and_wait(self._tasks.values())

    async def _read(self) -> None:
        while True:
            try:
                await self._streams.ensure_group(self.stream)
                while True:
                    await self._take(await self._slots.free(self._tasks))
            except RedisError as error:
                REDIS_ERRORS.add("steps")
                logger.warning("Steps cannot be read from Redis.", function=self.function.name, error=str(error))
                await asyncio.sleep(REDIS_AWAY_WAIT_S)

    async def _take(self, free: int) -> None:
        """Reclaim idle steps, then take those whose turn it is; if there are none, wait until there may be some."""
        now = time.monotonic()
        entries = []
        if now >= self._reclaim_at:
            self._reclaim_at = now + self._timing.sweep_s
            if not await self._records.is_paused(self.function.name):
                entries = await self._reclaimer.reclaim(free, self._tasks)
        if len(entries) < free:
            name = self.function.name
            new, rung = await self._records.take(name, self._streams.adapter_id, free - len(entries))
            entries += [(entry, 1) for entry in new]
            if not entries:
                wait_s = min(self._reclaim_at - now, self._timing.sweep_s)
                await self._streams.wait_for_entry(keys.turns_bell(name), rung, wait_s)
        for (entry_id, fields), attempt in entries:
            step = await self._records.read_entry(self.function.name, entry_id, fields, attempt)
            if step is not None:
                self._start(step)

    def _start(self, step: ClaimedStep) -> None:
        task = asyncio.create_task(self._perform(step), name=f"{step.job_id}/{step.spec.id}")
        self._tasks[step.entry_id] = task
        task.add_done_callback(lambda _: self._ended(step.entry_id))

    def _ended(self, entry_id: str) -> None:
        self._tasks.pop(entry_id, None)
        self._observation.forget(entry_id)
        self._slots.note_freed()

    async def _perform(self, step: ClaimedStep) -> None:
        with structlog.contextvars.bound_contextvars(
            job_id=step.job_id, step_id=step.spec.id, function=step.function, attempt=step.attempt
        ):
            try:
                await self._attempt(step)
            except NewerRecordError as error:
                logger.error(str(error))  # noqa: TRY400 - not a fault of ours

    async def _attempt(self, step: ClaimedStep) -> None:
        """Deliver a step until its function is not busy, and store the outcome."""
        try:
            reply = await self._holding.repeat_while_busy(step, lambda: self._deliver(step))
            if reply is not None:
                await self._commit(step, reply)
        except StepClosedError:
            self._observation.ended(step, AttemptOutcome.DROPPED)
            logger.info("A step was let go: it is no longer open.")
        except StepRefusedError as error:
            await self._fail(step, error.problem, error.usage)
        except StepFailedError as error:
            await self._schedule_retry(step, error.problem, error.usage)
        except NewerRecordError:
            raise
        except Exception as error:
            # The only blind catch: a bug of ours must cost one attempt of one step, not the dispatch.
            logger.exception("Internal error in the adapter. The step will be retried.")
            detail = f"Internal error in the adapter: {type(error).__name__}: {error}"
            await self._schedule_retry(step, Problem(title="Internal error in the adapter.", status=500, detail=detail))

    async def _deliver(self, step: ClaimedStep) -> StepReply | None:
        """Invoke the function; None if the step is no longer open."""
        owner = self._streams.adapter_id
        (joined,) = await retry_until_redis_answers(lambda: self._records.join([step], owner), "read a step's data")
        if joined is None:
            logger.info("A step that is no longer open was dropped.")
            return None
        try:
            event = assemble_step(step, joined)
        except ValueError as error:  # pydantic's ValidationError is one
            detail = f"The job's record does not match this version: {error}. Request it again in Pod."
            raise StepRefusedError(Problem(title="The record is not valid.", status=400, detail=detail)) from error
        self._observation.began(step, event)
        if event.job.refusal is not None and event.failure is None:
            raise StepRefusedError(event.job.refusal)
        try:
            return await self._open_steps.while_open(step, self._delivery.deliver(event))
        except StepClosedError:
            await self._delivery.withdraw(event)
            raise
        except FunctionBusyError as error:
            self._observation.ended(step, AttemptOutcome.BUSY, error.problem)
            raise
        except StepRefusedError as error:
            if error.problem.type != OTHER_VERSION or not await self._restart(step, event.job, error.problem):
                raise
            return None

    async def _restart(self, step: ClaimedStep, job: Job, problem: Problem) -> bool:
        """Begin the job anew, planned by another version than its function is of now. False if it has to fail."""
        is_restarted = await retry_until_redis_answers(
            lambda: self._records.restart(step, job, problem), "begin a job anew"
        )
        if is_restarted:
            logger.warning("A job begins anew: another version planned it.", reason=problem.detail)
        return is_restarted

    async def _commit(self, step: ClaimedStep, reply: StepReply) -> None:
        note = self._observation.note(step, usage=reply.usage)
        try:
            committed = await retry_until_redis_answers(
                lambda: self._records.commit(step, reply, note), "store a step's reply"
            )
        except ResponseError as error:
            detail = f"The function's reply cannot be stored: {error}"
            raise StepFailedError(Problem(title="The step was not done.", status=502, detail=detail)) from error
        self._observation.committed(step, committed, reply.usage)
        log = logger.bind(outcome=committed.outcome)
        match committed.outcome:
            case JobState.DONE | JobState.FAILED | JobState.SUPERSEDED | JobState.CANCELLED:
                log.info("A job has ended.", age_s=round(committed.age_s, 3))
            case "duplicate":
                log.info("A step's reply was dropped: the step is no longer open.")
            case _:
                log.debug("A step was committed.")

    async def _schedule_retry(self, step: ClaimedStep, problem: Problem, usage: Usage | None = None) -> None:
        policy = self.function.retries
        if await self._inquiry.begin(step, problem, is_last=policy.exhausted(step.attempt)):
            self._observation.ended(step, AttemptOutcome.RETRIED, problem, usage)
            return
        if policy.exhausted(step.attempt) or (step.spec.action in DISPENSABLE and step.attempt >= DISPENSABLE_ATTEMPTS):
            times = f"after {step.attempt} attempts" if step.attempt > 1 else "at its only attempt"
            last = problem.model_copy(update={"detail": f"{problem.detail} (Given up {times}.)"})
            await self._fail(step, last, usage)
            return
        trouble, note = problem.model_dump_json(), self._observation.note(step, problem.detail, usage)
        self._observation.ended(step, AttemptOutcome.RETRIED, problem, usage)
        if not await retry_until_redis_answers(
            lambda: self._records.schedule_retry(step, trouble, note), "schedule a step's retry"
        ):
            logger.info("A step whose attempt failed was dropped: it is no longer open.", reason=problem.detail)
            return
        logger.warning(
            "A step has failed. It will be retried.",
            reason=problem.detail,
            status=problem.status,
            attempts_left=policy.limit - step.attempt,
            next_attempt_s=round(policy.wait_s(step.attempt), 1),
        )

    async def _fail(self, step: ClaimedStep, problem: Problem, usage: Usage | None = None) -> None:
        if await self._inquiry.give_up(step, problem):
            return
        if step.spec.action in DISPENSABLE:
            sentence = f"The step {step.spec.id!r} was given up, and the job goes on without: {problem.detail}"
            await self._commit(step, Result(log=(sentence,), usage=usage))
            return
        note = self._observation.note(step, problem.detail, usage)
        outcome = await retry_until_redis_answers(lambda: self._records.fail(step, problem, note), "store a failure")
        self._observation.failed(step, outcome, problem, usage)
        logger.error("A step has failed for good.", outcome=outcome, reason=problem.detail, status=problem.status)
