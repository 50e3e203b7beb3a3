"""Dispatches statements: gathers them into batches, delivers these to the function `xapi`, and clears the stream.

    stream ──batcher──▶ fresh batch ──┐
                                      ├──slot──▶ attempt (attempts.py) ──▶ settled
    ┌── leftovers (leftovers.py) ─────┘             │
    └───────────────────────────────────────────────┘ what is left

Leftovers use three of four slots at most, and suspects two: whatever fails, however slowly, fresh statements go on, and
what may succeed. What an adapter has in memory is bounded: where there is no room for another suspect, one waits in the
stream.
"""

import asyncio
from typing import Any

import structlog
from redis.exceptions import RedisError

from adapter.cancellation import cancel_and_wait
from adapter.counts import REDIS_ERRORS
from adapter.delivery import Delivery
from adapter.redis import keys
from adapter.redis.streams import Streams
from adapter.redis_retry import retry_until_redis_answers
from adapter.settings import DispatchTiming, FunctionSettings
from adapter.statements.attempts import StatementAttempts
from adapter.statements.batcher import StatementBatcher
from adapter.statements.bisection import SubBatch
from adapter.statements.circuit_breaker import CircuitBreaker
from adapter.statements.leftovers import Leftovers
from adapter.statements.store import StatementStore
from podjobs.contract.errors import Problem
from podjobs.contract.statements import BatchReport, StatementBatch

logger = structlog.get_logger(__name__)

REDIS_AWAY_WAIT_S = 0.5
SUSPECT_LIMIT = 5000
"""Suspects in memory: each fails for three minutes before it is given up, so this is 28 of them a second."""
MEMORY_BYTES = 64 * 1024 * 1024
"""Of the statements in memory, as JSON, above which suspects are not kept there."""


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
        self._timing = timing
        self._breaker = CircuitBreaker(timing.busy_cap_s)
        self._attempts = StatementAttempts(delivery, statements, batcher, self._breaker)
        self._leftovers = Leftovers(timing.busy_cap_s)
        self._slots = asyncio.Semaphore(function.concurrency)
        self._leftover_limit = max(function.concurrency * 3 // 4, 1)
        self._suspect_limit = max(function.concurrency // 2, 1)
        self.suspects_in_memory = SUSPECT_LIMIT
        """How many suspects wait here; the others wait in the stream."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._leftover_tasks: dict[asyncio.Task[None], bool] = {}
        """Those that deliver leftovers, and whether of a suspect."""
        self._finishing = False
        self._changed = asyncio.Event()

    @property
    def claimed(self) -> tuple[str, ...]:
        """Ids of the entries this adapter works on."""
        return self._batcher.claimed

    @property
    def trouble(self) -> Problem | None:
        """Why the latest delivery failed; None if it did not."""
        return self._attempts.trouble

    @property
    def is_held_up(self) -> bool:
        """Whether the latest delivery failed, so that others wait (circuit_breaker.py)."""
        return self._breaker.is_open

    async def describe(self) -> dict[str, Any]:
        """What it is doing, in numbers. Raises RedisError."""
        new, taken = await self._streams.counts(self.stream)
        trouble = self._attempts.trouble
        return {
            "concurrency": self.function.concurrency,
            "running_here": len(self._attempts.running),
            "on_hold_here": len(self._tasks - self._attempts.running) + self._leftovers.sub_batches,
            "suspects_here": self._leftovers.suspects,
            "statements_not_taken": new,
            "statements_taken": taken,
            "trouble": trouble.detail if trouble else "",
            "next_attempt_s": round(self._breaker.wait_s, 1),
        }

    async def run(self) -> None:
        """Gather and deliver batches until cancelled; deliveries in flight then continue until `finish`."""
        lanes = [asyncio.create_task(lane) for lane in (self._deliver_fresh(), self._deliver_leftovers())]
        try:
            ended, _ = await asyncio.wait(lanes, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await cancel_and_wait(lanes)
        for lane in ended:
            lane.result()  # neither ends but by an error of ours

    async def finish(self, grace_s: float | None) -> None:
        """Let deliveries in flight end within the grace time (None: any), then abandon them; those on hold at once."""
        self._finishing = True
        running = self._attempts.running
        await cancel_and_wait(self._tasks - running)
        if running:
            await asyncio.wait(running, timeout=grace_s)
        await cancel_and_wait(self._tasks)

    async def _deliver_fresh(self) -> None:
        while True:
            try:
                await self._streams.ensure_group(self.stream)
                while True:
                    while not self._may_gather():
                        await self._next_change(None)
                    entries = await self._batcher.next_batch()
                    await self._wait_while_paused()
                    await self._slots.acquire()
                    self._start(SubBatch(entries, successes_seen=self._attempts.successes))
            except RedisError as error:
                REDIS_ERRORS.add("statements")
                logger.warning("Statements cannot be read from Redis.", error=str(error))
                await asyncio.sleep(REDIS_AWAY_WAIT_S)

    def _may_gather(self) -> bool:
        """Whether another batch may be gathered: not while enough waits here that may succeed."""
        if self._breaker.is_open:
            # a batch at a time if only suspects are left here: others must show whether it is their fault
            return not self._leftovers.statements and not self._tasks - self._leftover_tasks.keys()
        return self._leftovers.statements < self.function.concurrency * self._batcher.limits.statements

    async def _deliver_leftovers(self) -> None:
        while True:
            if len(self._leftover_tasks) >= self._leftover_limit:
                await self._next_change(None)
                continue
            with_suspects = sum(self._leftover_tasks.values()) < self._suspect_limit
            next_s = self._leftovers.next_s(with_suspects=with_suspects)
            if next_s != 0:
                await self._next_change(next_s)
                continue
            await self._wait_while_paused()
            await self._slots.acquire()
            sub_batch = self._leftovers.take(with_suspects=with_suspects)
            if sub_batch is None:
                self._slots.release()
                continue
            self._leftover_tasks[self._start(sub_batch)] = sub_batch.is_suspect

    async def _wait_while_paused(self) -> None:
        """Wait while operators want nothing to be delivered; without an answer, nothing is delivered either."""
        question = "find out whether the function is paused"
        while await retry_until_redis_answers(self._statements.is_paused, question):  # noqa: ASYNC110
            await asyncio.sleep(self._timing.sweep_s)

    async def _next_change(self, timeout_s: float | None) -> None:
        """Wait until a delivery has ended, but no longer than this (None: however long)."""
        self._changed.clear()
        try:
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        except TimeoutError:
            return

    def _start(self, sub_batch: SubBatch) -> asyncio.Task[None]:
        """Start a delivery in the slot that was acquired for it."""
        task = asyncio.create_task(self._deliver(sub_batch))
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._leftover_tasks.pop(task, None)
        self._slots.release()
        self._changed.set()

    async def _deliver(self, sub_batch: SubBatch) -> None:
        left = await self._attempts.deliver(sub_batch)
        if self._finishing:
            return
        self._leftovers.put(left)
        while self._leftovers.suspects > self.suspects_in_memory or self._batcher.claimed_bytes > MEMORY_BYTES:
            if not await self._park_suspect():
                break

    async def _park_suspect(self) -> bool:
        """Leave a suspect to the stream, from where it comes back after a while. False: there is none."""
        suspect = self._leftovers.drop_suspect()
        if suspect is None:
            return False
        entry_ids = [entry.entry_id for entry in suspect.entries]
        self._batcher.forget(frozenset(entry_ids))
        await retry_until_redis_answers(lambda: self._streams.park(self.stream, entry_ids), "park a statement")
        return True
