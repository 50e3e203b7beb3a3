"""Everything at a glance: queues, functions, adapters, and what has become of jobs lately."""

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from adapter.about import SILENT_LEASES, AdapterAbout
from adapter.plurals import Plural, plural
from adapter.redis import keys
from adapter.redis.connections import RedisClient
from adapter.steps.history import read_running
from podjobs.contract.job_states import JobState
from podjobs.contract.workflows import Function, all_functions, step_functions

DAY_S = 86400

NO_ADAPTER = "No adapter runs: jobs wait. Start one with `podjobs run`, or scripts/up."
SILENT_ADAPTER = "The adapter %(adapter)s was not heard of for %(silent_s)s s. If it was killed, others do its steps."
PAUSED_FUNCTION = Plural(
    "The function %(function)s is paused: %(count)s step waits. `podjobs resume %(function)s` lets it go on.",
    "The function %(function)s is paused: %(count)s steps wait. `podjobs resume %(function)s` lets it go on.",
)
QUEUE_AWAY = "The Redis of the queue %(queue)s does not answer."
QUEUE_HANDED_BACK = "The queue %(queue)s is handed back to Pod's workers. `podjobs takeover %(queue)s` begins again."
DEAD_LETTERS = Plural(
    "%(count)s dead letter waits for a decision: `podjobs dead list`.",
    "%(count)s dead letters wait for a decision: `podjobs dead list`.",
)
FAILED_JOBS = Plural(
    "%(count)s job has failed in the last 24 hours: `podjobs jobs --state failed`.",
    "%(count)s jobs have failed in the last 24 hours: `podjobs jobs --state failed`.",
)


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence for operators, apart from what it is about, so that it can be translated."""

    text: str
    """With places for the values, as `%(name)s`."""
    values: dict[str, Any] = field(default_factory=dict)
    many: str = ""
    """The sentence instead, if the value `count` is not one; empty: it counts nothing."""

    @classmethod
    def counting(cls, texts: Plural, count: int, **values: Any) -> Self:
        """A sentence about a number of things, which is its value `count`."""
        return cls(texts.one, {"count": count, **values}, texts.many)

    def __str__(self) -> str:
        """The sentence in English."""
        text = plural(self.values["count"], self.text, self.many) if self.many else self.text
        return text % self.values


@dataclass(frozen=True, slots=True)
class QueueOverview:
    """One of Pod's queues."""

    name: str
    waiting: int
    """Messages on it; -1: its Redis does not answer."""
    readers: int
    """Adapters that read it."""
    is_handed_back: bool = False


@dataclass(frozen=True, slots=True)
class FunctionOverview:
    """One function."""

    name: str
    slots: int
    """Steps that all adapters together deliver to it at once; 0: no adapter knows it."""
    running: int
    waiting: int
    """Steps that wait for their turn."""
    between_attempts: int
    """Steps that wait for another attempt."""
    oldest_s: float
    """How long the job has waited that has waited longest for its turn; 0: none waits."""
    median_s: float | None
    """Of how long its latest attempts took; None: there was none."""
    p95_s: float | None
    paused_since: float | None
    """Seconds since the epoch."""
    paused_as: str = ""
    """By which name it is paused: its own, or `all`."""


@dataclass(frozen=True, slots=True)
class AdapterOverview:
    """One adapter."""

    name: str
    state: str
    version: str
    silent_s: float
    """How long it has not been heard of, by this machine's clock and its own."""
    is_silent: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """What there is."""

    queues: list[QueueOverview] = field(default_factory=list)
    functions: list[FunctionOverview] = field(default_factory=list)
    adapters: list[AdapterOverview] = field(default_factory=list)
    jobs_live: int = 0
    jobs_running: int = 0
    """Jobs with steps that run now."""
    last_day: dict[str, int] = field(default_factory=dict)
    """State → how many jobs have ended so in the last 24 hours, or since they are counted."""
    statements: int = 0
    dead: int = 0

    @property
    def attention(self) -> list[Remark]:
        """What needs an operator, with the remedy."""
        silent = [one for one in self.adapters if one.is_silent]
        found = [] if len(silent) < len(self.adapters) else [Remark(NO_ADAPTER)]
        found += [Remark(SILENT_ADAPTER, {"adapter": one.name, "silent_s": round(one.silent_s)}) for one in silent]
        found += [
            Remark.counting(PAUSED_FUNCTION, one.waiting, function=one.name)
            for one in self.functions
            if one.paused_since is not None
        ]
        found += [Remark(QUEUE_AWAY, {"queue": one.name}) for one in self.queues if one.waiting < 0]
        found += [Remark(QUEUE_HANDED_BACK, {"queue": one.name}) for one in self.queues if one.is_handed_back]
        if self.dead:
            found.append(Remark.counting(DEAD_LETTERS, self.dead))
        if failed := self.last_day.get(JobState.FAILED, 0):
            found.append(Remark.counting(FAILED_JOBS, failed))
        return found

    def as_fields(self) -> dict[str, Any]:
        """As JSON can express it."""
        return asdict(self) | {"attention": [str(remark) for remark in self.attention]}


class OverviewReader:
    """Reads the overview: a fixed number of questions, however many jobs there are. Raises RedisError."""

    def __init__(self, jobs: RedisClient, lease_s: float) -> None:
        """Use the jobs' database.

        Args:
            jobs: a client that returns text.
            lease_s: PODJOBS_LEASE_S.
        """
        self._jobs = jobs
        self._lease_s = lease_s

    async def read(self, queues: Sequence[QueueOverview] = ()) -> Overview:
        """Read all of it.

        Args:
            queues: those of Pod, which are in other databases.
        """
        now_s = time.time()
        async with self._jobs.pipeline(transaction=False) as pipeline:
            pipeline.scard(keys.LIVE)
            pipeline.xlen(keys.DEAD)
            pipeline.xlen(keys.STATEMENTS)
            pipeline.hgetall(keys.PAUSED)
            pipeline.hgetall(keys.TOTALS)
            pipeline.xrange(keys.SAMPLES, min=f"{int((now_s - DAY_S) * 1000)}-0", count=1)
            pipeline.zrange(keys.ADAPTERS, 0, -1, withscores=True)
            for function in step_functions():
                _ask_about(pipeline, function)
            live, dead, statements, paused, totals, samples, heard, *about_functions = await pipeline.execute()
        adapters = await self._adapters(dict(heard), now_s)
        slots = _slots([about for about, overview in adapters if not overview.is_silent])
        parts = _chunks(about_functions, _QUESTIONS)
        functions = [
            _function(function, part, slots.get(function.name, 0), paused, now_s)
            for function, part in zip(step_functions(), parts, strict=True)
        ]
        return Overview(
            queues=[_with_readers(queue, adapters) for queue in queues],
            functions=functions,
            adapters=[overview for _, overview in adapters],
            jobs_live=live,
            jobs_running=len({job for part in parts for job in _jobs_of(part[0])}),
            last_day=_last_day(totals, samples[0][1] if samples else {}),
            statements=statements,
            dead=dead,
        )

    async def _adapters(self, heard: Mapping[str, float], now_s: float) -> list[tuple[AdapterAbout, AdapterOverview]]:
        texts = await self._jobs.mget([keys.about(name) for name in heard]) if heard else []
        found = []
        for name, text in zip(heard, texts, strict=True):
            if not text:
                continue
            about = AdapterAbout.of_fields(json.loads(text))
            silent_s = max(0.0, now_s - heard[name])
            is_silent = silent_s > SILENT_LEASES * self._lease_s
            found.append((about, AdapterOverview(name, about.state, about.version, round(silent_s, 1), is_silent)))
        return found


_QUESTIONS = 5


def _ask_about(pipeline: Any, function: Function) -> None:
    """Ask the questions that `_function` reads the answers of."""
    pipeline.hgetall(keys.running(function.name))
    pipeline.hget(keys.turns_clock(function.name), "steps")
    pipeline.zrange(keys.turns_since(function.name), 0, 0, withscores=True)
    pipeline.lrange(keys.recent(function.name), 0, -1)
    pipeline.xlen(keys.steps(function.name))


def _function(
    function: Function, answers: Sequence[Any], slots: int, paused: Mapping[str, str], now_s: float
) -> FunctionOverview:
    running, waiting, first, recent, taken = answers
    times_s = sorted(float(text) for text in recent)
    pause = paused.get(function.name) or paused.get(keys.ALL_FUNCTIONS)
    return FunctionOverview(
        name=function.name,
        slots=slots,
        running=len(running),
        waiting=int(waiting or 0),
        between_attempts=max(0, taken - len(running)),
        oldest_s=round(max(0.0, now_s - first[0][1]), 1) if first else 0.0,
        median_s=_quantile(times_s, 0.5),
        p95_s=_quantile(times_s, 0.95),
        paused_since=float(json.loads(pause)["since"]) if pause else None,
        paused_as="" if not pause else "all" if keys.ALL_FUNCTIONS in paused else function.name,
    )


def _quantile(ordered: Sequence[float], share: float) -> float | None:
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else None


def _jobs_of(running: Mapping[str, str]) -> set[str]:
    return {step.job_id for step in read_running("", running)}


def _chunks(flat: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [flat[start : start + size] for start in range(0, len(flat), size)]


def _slots(adapters: Sequence[AdapterAbout]) -> dict[str, int]:
    names = {function.name for function in all_functions()}
    return {name: sum(about.slots.get(name, 0) for about in adapters) for name in names}


def _with_readers(queue: QueueOverview, adapters: Sequence[tuple[AdapterAbout, AdapterOverview]]) -> QueueOverview:
    readers = [about for about, overview in adapters if not overview.is_silent and queue.name in about.queues]
    return replace(queue, readers=len(readers))


def _last_day(totals: Mapping[str, str], before: Mapping[str, str]) -> dict[str, int]:
    """How many jobs have ended in each state since a sample was taken."""
    ended = {}
    for state in (JobState.DONE, JobState.FAILED, JobState.CANCELLED):
        total = sum(int(count) for name, count in totals.items() if name.startswith(f"{state}:"))
        ended[state.value] = max(0, total - int(float(before.get(state, 0))))
    return ended
