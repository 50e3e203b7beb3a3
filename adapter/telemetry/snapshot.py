"""What is read from Redis for the metrics: two questions at most, and no more than once a second, whoever asks.

The number of commands does not depend on how many jobs there are. Only the ids of the jobs that have not ended are
listed; the type of each is asked for once, as it never changes.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from redis.exceptions import RedisError

from adapter.about import SILENT_LEASES
from adapter.redis import keys
from adapter.redis.connections import RedisClient
from adapter.steps.history import read_running
from podjobs.contract.workflows import all_functions, step_functions

KEPT_S = 1.0
"""How long a reading is good for."""
LIMIT_S = 3.0
SILENT = "silent"
UNKNOWN = "unknown"
_TYPES = """
-- The types of jobs: KEYS[1] is the beginning of their keys, ARGV are their ids.
local types = {}
for i, job in ipairs(ARGV) do types[i] = redis.call('HGET', KEYS[1] .. job, 'type') or '' end
return types
"""
_TYPES_AT_ONCE = 2000
_DEAD_LOOKED_AT = 1000
_DEAD_KINDS = """
-- The kinds of the newest dead letters (KEYS[1]), ARGV[1] at most: kinds and how many there are, in turn.
local counted = {}
for _, entry in ipairs(redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', ARGV[1])) do
  local kind = 'unknown'
  for i = 1, #entry[2], 2 do
    if entry[2][i] == 'kind' then kind = entry[2][i + 1] break end
  end
  counted[kind] = (counted[kind] or 0) + 1
end
local flat = {}
for kind, number in pairs(counted) do flat[#flat + 1] = kind flat[#flat + 1] = number end
return flat
"""


class Door(Protocol):
    """Something that reads one of Pod's queues."""

    queue: str

    async def waiting(self) -> int:
        """Count the messages that are still on Pod's queue. Raises RedisError."""


@dataclass(frozen=True, slots=True)
class FunctionNumbers:
    """One function that performs steps."""

    waiting: int
    running: int
    held: int
    oldest_turn_s: float
    oldest_step_s: float
    """0: there is none."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The numbers in Redis at one moment."""

    jobs: Mapping[tuple[str, ...], int]
    """(type, `running` or `waiting`) → how many jobs that have not ended."""
    functions: Mapping[str, FunctionNumbers]
    totals: Mapping[str, float]
    """As in keys.py."""
    paused: Mapping[str, bool]
    messages: Mapping[str, int]
    """Queue → how many messages wait; without those whose Redis does not answer."""
    statements: int
    oldest_statement_s: float
    dead: dict[str, int]
    """Kind → how many."""
    adapters: dict[str, int]
    """State → how many."""
    took_s: float


@dataclass
class _Held:
    """What is kept from one reading to the next."""

    at_s: float = float("-inf")
    snapshot: Snapshot | None = None
    types: dict[str, str] = field(default_factory=dict)
    """Job → type."""
    dead_seen: tuple[int, str] = (0, "")
    dead: dict[str, int] = field(default_factory=dict)


class SnapshotReader:
    """Reads the numbers."""

    def __init__(self, jobs: RedisClient, doors: Sequence[Door], lease_s: float) -> None:
        """Create it.

        Args:
            jobs: the jobs' database; returns text.
            doors: one per queue that is read.
            lease_s: PODJOBS_LEASE_S.
        """
        self._jobs = jobs
        self._doors = doors
        self._lease_s = lease_s
        self._types = jobs.register_script(_TYPES)
        self._dead_kinds = jobs.register_script(_DEAD_KINDS)
        self._held = _Held()
        self._lock = asyncio.Lock()
        self.readings = 0
        """How often Redis was asked."""

    async def read(self) -> Snapshot | None:
        """The numbers as they are, or were less than a second ago; None: Redis does not answer."""
        async with self._lock:  # who comes meanwhile gets the same
            if time.monotonic() - self._held.at_s >= KEPT_S:
                self.readings += 1
                try:
                    async with asyncio.timeout(LIMIT_S):
                        self._held.snapshot = await self._read()
                except (RedisError, TimeoutError):
                    self._held.snapshot = None
                self._held.at_s = time.monotonic()
            return self._held.snapshot

    async def _read(self) -> Snapshot:
        began_s = time.perf_counter()
        functions = [function.name for function in step_functions()]
        async with self._jobs.pipeline(transaction=False) as pipeline:
            pipeline.time()
            pipeline.smembers(keys.LIVE)
            pipeline.hgetall(keys.TOTALS)
            pipeline.hgetall(keys.PAUSED)
            pipeline.xlen(keys.STATEMENTS)
            pipeline.xrange(keys.STATEMENTS, count=1)
            pipeline.xlen(keys.DEAD)
            pipeline.xrevrange(keys.DEAD, count=1)
            pipeline.zrange(keys.ADAPTERS, 0, -1, withscores=True)
            for function in functions:
                pipeline.hgetall(keys.running(function))
                pipeline.hget(keys.turns_clock(function), "steps")
                pipeline.zrange(keys.turns_since(function), 0, 0, withscores=True)
                pipeline.xlen(keys.steps(function))
                pipeline.xrange(keys.steps(function), count=1)
            time_, live, totals, paused, statements, first, dead, last, heard, *about = await pipeline.execute()
        now_s = time_[0] + time_[1] / 1e6
        per = len(about) // len(functions)
        parts = [about[start : start + per] for start in range(0, len(about), per)]
        waiting = await asyncio.gather(*(door.waiting() for door in self._doors), return_exceptions=True)
        return Snapshot(
            jobs=await self._count_jobs(live, {step.job_id for part in parts for step in read_running("", part[0])}),
            functions={name: _function(part, now_s) for name, part in zip(functions, parts, strict=True)},
            totals={name: float(number) for name, number in totals.items()},
            paused={one.name: one.name in paused or keys.ALL_FUNCTIONS in paused for one in all_functions()},
            messages={
                door.queue: number
                for door, number in zip(self._doors, waiting, strict=True)
                if not isinstance(number, BaseException)
            },
            statements=statements,
            oldest_statement_s=_age_of(first, now_s),
            dead=await self._count_dead(dead, last[0][0] if last else ""),
            adapters=await self._count_adapters(dict(heard)),
            took_s=time.perf_counter() - began_s,
        )

    async def _count_jobs(self, live: set[str], running: set[str]) -> Mapping[tuple[str, ...], int]:
        known = self._held.types
        new = [job for job in live if job not in known]
        for start in range(0, len(new), _TYPES_AT_ONCE):
            some = new[start : start + _TYPES_AT_ONCE]
            types = await self._types(keys=[keys.job("")], args=some)
            known.update({job: type_ for job, type_ in zip(some, types, strict=True) if type_})
        if len(known) > len(live):
            self._held.types = known = {job: known[job] for job in live if job in known}
        return Counter((known.get(job, UNKNOWN), "running" if job in running else "waiting") for job in live)

    async def _count_dead(self, count: int, newest: str) -> dict[str, int]:
        if self._held.dead_seen != (count, newest):
            flat = await self._dead_kinds(keys=[keys.DEAD], args=[_DEAD_LOOKED_AT])
            found = dict(zip(flat[::2], map(int, flat[1::2]), strict=True))
            older = count - sum(found.values())
            self._held.dead = found | ({"older": older} if older > 0 else {})
            self._held.dead_seen = (count, newest)
        return self._held.dead

    async def _count_adapters(self, heard: Mapping[str, float]) -> dict[str, int]:
        texts = await self._jobs.mget([keys.about(name) for name in heard]) if heard else []
        oldest_s = time.time() - SILENT_LEASES * self._lease_s
        return Counter(
            json.loads(text)["state"] if heard[name] >= oldest_s else SILENT
            for name, text in zip(heard, texts, strict=True)
            if text
        )


def _function(answers: Sequence[Any], now_s: float) -> FunctionNumbers:
    running, waiting, since, taken, first = answers
    return FunctionNumbers(
        waiting=int(waiting or 0),
        running=len(running),
        held=max(0, taken - len(running)),
        oldest_turn_s=max(0.0, now_s - since[0][1]) if since else 0.0,
        oldest_step_s=_age_of(first, now_s),
    )


def _age_of(first: Sequence[tuple[str, Any]], now_s: float) -> float:
    """How long the first entry of a stream has been there; 0: there is none, or the server's clock was set back."""
    return max(0.0, now_s - int(first[0][0].partition("-")[0]) / 1000) if first else 0.0
