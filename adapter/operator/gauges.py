"""The adapter in numbers, as one log line at an interval: for dashboards and alarms that read logs.

    messages_waiting    on Pod's queues
    queues_closed       queues whose messages stay there, for want of room or because of an obstacle
    jobs_live           jobs that have not ended
    steps_waiting       steps that wait for their turn
    steps_taken         steps in work, on hold or between two attempts
    steps_running_here  of them, those that this adapter has delivered and that run now
    statements_held     xAPI statements in Redis
    dead_letters        what could not be processed and waits for an operator
    oldest_waiting_s    the longest of these three:
    oldest_turn_s       a job waits for its next turn: it came then, or had its latest turn
    oldest_step_s       a step was taken and is not done, though it does not run for the first time: it is on hold, or
                        an attempt has failed
    oldest_statement_s  a statement waits for the LRS

All but `steps_running_here`, and steps that other adapters have on hold, is the same whichever adapter says it: take
the maximum over the adapters. Times are differences between times of the Redis server, whose clock stamps what waits.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Protocol

import structlog
from redis.exceptions import RedisError

from adapter.operator.health import REDIS_LIMIT_S, Door, Statements
from adapter.redis import keys
from adapter.redis.connections import RedisClient
from adapter.redis.streams import PendingEntry, Streams
from adapter.settings import FunctionSettings

logger = structlog.get_logger(__name__)

FIRST_ATTEMPT = 1
_TIME = "return redis.call('TIME')"
"""As a script on one of our keys: in a cluster, each server has its own clock, and theirs stamps what waits."""


class StepDispatch(Protocol):
    """Something that invokes one function with steps."""

    @property
    def stream(self) -> str:
        """The key of the function's stream."""

    @property
    def function(self) -> FunctionSettings:
        """The function."""

    @property
    def claimed(self) -> Collection[str]:
        """Ids of the entries it works on."""

    @property
    def held(self) -> Collection[str]:
        """Ids of those among them that are on hold."""


class Gauges:
    """Reads the numbers, and logs them."""

    def __init__(
        self,
        jobs: RedisClient,
        streams: Streams,
        doors: Sequence[Door],
        dispatches: Sequence[StepDispatch],
        statements: Statements | None = None,
    ) -> None:
        """Create the gauges.

        Args:
            jobs: the jobs' database.
            streams: this adapter's streams.
            doors: one per queue that is read.
            dispatches: one per function that performs steps.
            statements: describes the xAPI statements; None: their queue is not read.
        """
        self._jobs = jobs
        self._streams = streams
        self._doors = doors
        self._dispatches = dispatches
        self._statements = statements
        self._time = jobs.register_script(_TIME)

    async def run(self, interval_s: float) -> None:
        """Log the numbers until cancelled; what Redis does not answer in time is not logged.

        Args:
            interval_s: between two lines; 0: none are logged.
        """
        while interval_s:
            try:
                async with asyncio.timeout(REDIS_LIMIT_S):
                    numbers = await self.read()
            except (RedisError, TimeoutError) as error:
                logger.warning("The adapter's numbers cannot be read from Redis.", error=str(error))
            else:
                logger.info("The adapter in numbers.", **numbers)
            await asyncio.sleep(interval_s)

    async def read(self) -> dict[str, float]:
        """Read all numbers; times are in seconds. Raises RedisError."""
        seconds, microseconds = await self._time(keys=[keys.DEAD])
        now_s = int(seconds) + int(microseconds) / 1e6
        pending = [(dispatch, await self._pending(dispatch.stream)) for dispatch in self._dispatches]
        ages = {
            "oldest_turn_s": _age_s(now_s, await self._turns_since_s()),
            "oldest_step_s": _age_s(now_s, _waiting_since_s(pending)),
            "oldest_statement_s": _age_s(now_s, await self._statements_since_s()),
        }
        return {
            "messages_waiting": sum([await door.waiting() for door in self._doors]),
            "queues_closed": sum(bool(door.obstacle) for door in self._doors),
            "jobs_live": await self._jobs.scard(keys.LIVE),
            "steps_waiting": sum([await self._ready(dispatch) for dispatch in self._dispatches]),
            "steps_taken": sum(len(entries) for _, entries in pending),
            "steps_running_here": sum(len(dispatch.claimed) - len(dispatch.held) for dispatch in self._dispatches),
            "statements_held": (await self._statements.describe())["held"] if self._statements else 0,
            "dead_letters": await self._jobs.xlen(keys.DEAD),
            "oldest_waiting_s": max(ages.values()),
            **ages,
        }

    async def _pending(self, stream: str) -> list[PendingEntry]:
        await self._streams.ensure_group(stream)  # the first line may come before the first step is looked for
        return await self._streams.pending(stream)

    async def _ready(self, dispatch: StepDispatch) -> int:
        return int(await self._jobs.hget(keys.turns_clock(dispatch.function.name), "steps") or 0)

    async def _turns_since_s(self) -> list[float]:
        """For each function, since when the job waits for its turn that has waited longest."""
        found: list[float] = []
        for dispatch in self._dispatches:
            first = await self._jobs.zrange(keys.turns_since(dispatch.function.name), 0, 0, withscores=True)
            found += [since_s for _job, since_s in first]
        return found

    async def _statements_since_s(self) -> list[float]:
        if not self._statements:
            return []
        first: list[tuple[str, Any]] = await self._jobs.xrange(keys.STATEMENTS, count=1)
        return [_time_s(entry_id) for entry_id, _ in first]


def _waiting_since_s(pending: Iterable[tuple[StepDispatch, Sequence[PendingEntry]]]) -> list[float]:
    """When the steps were taken that are not done and do not run for the first time."""
    return [
        _time_s(entry.entry_id)
        for dispatch, entries in pending
        for entry in entries
        if entry.owner in keys.NOBODY or entry.attempts > FIRST_ATTEMPT or entry.entry_id in dispatch.held
    ]


def _time_s(entry_id: str) -> float:
    """When an entry of a stream was added, by the server's clock, in seconds since the epoch."""
    return int(entry_id.partition("-")[0]) / 1000


def _age_s(now_s: float, since_s: Sequence[float]) -> float:
    """How long ago the earliest of these times was; 0 if there is none, or the server's clock was set back."""
    return round(max(0.0, now_s - min(since_s, default=now_s)), 3)
