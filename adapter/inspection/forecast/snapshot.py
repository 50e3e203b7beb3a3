"""What forecasts need of Redis: the jobs that have not ended, the queues of the functions, and what was learned."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from adapter.about import AdapterAbout, AdapterState
from adapter.inspection.forecast.rates import Rates
from adapter.redis import keys
from adapter.redis.connections import RedisClient
from podjobs.contract.workflows import WORKFLOWS, step_functions

FIELDS = (
    "type", "state", "stage", "share", "weight_total", "weight_done", "accepted_at", "outline", "took_s", "expected_s",
    "attempts", "missed",
)  # fmt: skip
BATCH = 500
"""Jobs that are read at once: other clients wait meanwhile."""
PENDING = 100_000
SILENT_LEASES = 2
"""An adapter that has not been heard of for so many leases is probably gone."""
TAKEN_S = 2.0
"""A step is delivered within this time once an adapter has taken it."""
_SCRIPT = (Path(__file__).parent / "snapshot.lua").read_text(encoding="utf-8")


class LiveJob(NamedTuple):
    """A job that has not ended."""

    id: str
    type: str
    state: str
    stage: str
    share: int
    weight_total: float
    weight_done: float
    accepted_at_s: float
    outline: str
    """Of its plan, as text; empty: it is not planned yet."""
    took_s: float
    expected_s: float
    attempts: int
    misses_source: bool
    """It waits until the place of its source is known."""
    stages_left: int
    """Behind the current one."""
    ready: Mapping[str, int]
    """How many steps wait for each function's turn."""


@dataclass(frozen=True, slots=True)
class StepInStream:
    """A step whose turn has come: it runs, is on hold, or waits for its next attempt."""

    function: str
    entry_id: str
    job_id: str
    step: str
    action: str
    weight: float
    owner: str
    attempts: int
    """How often it was delivered."""
    idle_s: float
    """Since its owner or its attempts changed."""
    since_s: float | None
    """When the attempt that runs began; None: none does."""

    @property
    def is_waiting(self) -> bool:
        """Whether no adapter works on it."""
        return self.owner in keys.NOBODY

    @property
    def is_on_hold(self) -> bool:
        """Whether its function does not take it now: an adapter has it, and delivers it again."""
        return not self.is_waiting and self.since_s is None and (self.attempts == 0 or self.idle_s > TAKEN_S)


@dataclass(frozen=True, slots=True)
class Pause:
    """Who has paused a function, when and why."""

    function: str
    """Its name; keys.ALL_FUNCTIONS: all are paused."""
    since_s: float
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class FunctionQueue:
    """The queue of one function."""

    name: str
    slots: int
    """Of all adapters that take steps."""
    workers: int | None
    """None: there are none to be counted."""
    retries: Sequence[float]
    """Seconds before the second attempt, the factor of the waits, and the longest one."""
    pause: Pause | None
    turns: Sequence[tuple[str, float]]
    """Jobs with ready steps, and when each is due."""
    time: float
    """Of the queue's clock."""
    steps: Sequence[StepInStream]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything."""

    now_s: float
    """By the server's clock, since the epoch."""
    adapters: Sequence[AdapterAbout]
    """Those that live."""
    jobs: Mapping[str, LiveJob]
    functions: Mapping[str, FunctionQueue]
    rates: Rates = field(default_factory=lambda: Rates({}))
    plans: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Outlines of the newest plans of each job type."""
    arrivals: Sequence[tuple[float, str]] = ()
    """When the latest jobs came, and their types; newest first."""


async def read_snapshot(redis: RedisClient) -> Snapshot:
    """Read everything; jobs may change between two parts of it. Raises RedisError.

    Args:
        redis: the jobs' database; returns text.
    """
    names = [function.name for function in step_functions()]
    async with redis.pipeline(transaction=False) as pipeline:
        pipeline.time()
        pipeline.smembers(keys.LIVE)
        pipeline.hgetall(keys.PAUSED)
        pipeline.hgetall(keys.RATES)
        pipeline.lrange(keys.ARRIVALS, 0, -1)
        for job_type in WORKFLOWS:
            pipeline.lrange(keys.plans(job_type), 0, -1)
        (seconds, microseconds), ids, paused, rates, arrivals, *plans = await pipeline.execute()
    now_s = seconds + microseconds / 1e6
    adapters = await read_adapters(redis, now_s)
    queues = await _read_queues(redis, names, adapters, paused)
    return Snapshot(
        now_s=now_s,
        adapters=adapters,
        jobs=await _read_jobs(redis, sorted(ids), names),
        functions=queues,
        rates=Rates(rates),
        plans=dict(zip(WORKFLOWS, plans, strict=True)),
        arrivals=[(float(at), job_type) for at, _, job_type in (text.partition(" ") for text in arrivals)],
    )


async def read_adapters(redis: RedisClient, now_s: float) -> list[AdapterAbout]:
    """The adapters that live: those that have been heard of lately.

    Args:
        redis: the jobs' database.
        now_s: since the epoch.
    """
    heard = await redis.zrange(keys.ADAPTERS, 0, -1, withscores=True)
    if not heard:
        return []
    texts = await redis.mget([keys.about(name) for name, _ in heard])
    found = []
    for (_, at_s), text in zip(heard, texts, strict=True):
        about = AdapterAbout.of_fields(json.loads(text)) if text else None
        if about and now_s - at_s <= SILENT_LEASES * about.lease_s:
            found.append(about)
    return found


async def _read_jobs(redis: RedisClient, ids: Sequence[str], functions: Sequence[str]) -> dict[str, LiveJob]:
    script = redis.register_script(_SCRIPT)
    found: dict[str, LiveJob] = {}
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        wanted = json.dumps({"jobs": batch, "fields": FIELDS, "functions": functions})
        answers = await script(keys=[keys.PREFIX, keys.NEVER], args=[wanted])
        for job_id, answer in zip(batch, answers, strict=True):
            if answer[0] is not None:
                found[job_id] = _job(job_id, answer, functions)
    return found


def _job(job_id: str, answer: Sequence[Any], functions: Sequence[str]) -> LiveJob:
    (job_type, state, stage, share, total, done, accepted_at, outline, took_s, expected_s, attempts, missed) = answer[
        : len(FIELDS)
    ]
    stages_left, *ready = answer[len(FIELDS) :]
    return LiveJob(
        job_id,
        job_type,
        state or "",
        stage or "",
        int(share or 1),
        float(total or 0),
        float(done or 0),
        float(accepted_at or 0),
        outline or "",
        float(took_s or 0),
        float(expected_s or 0),
        int(attempts or 0),
        bool(missed),
        stages_left,
        {name: count for name, count in zip(functions, ready, strict=True) if count},
    )


async def _read_queues(
    redis: RedisClient, names: Sequence[str], adapters: Sequence[AdapterAbout], paused: Mapping[str, str]
) -> dict[str, FunctionQueue]:
    queues = {}
    for name in names:
        async with redis.pipeline(transaction=True) as pipeline:
            pipeline.zrange(keys.turns(name), 0, -1, withscores=True)
            pipeline.hget(keys.turns_clock(name), "time")
            pipeline.hgetall(keys.running(name))
            pipeline.xrange(keys.steps(name))
            # an error as long as there is no such stream
            pipeline.xpending_range(keys.steps(name), keys.GROUP, min="-", max="+", count=PENDING)
            turns, time, running, entries, pending = await pipeline.execute(raise_on_error=False)
        taking = [about for about in adapters if about.state == AdapterState.RUNNING and name in about.slots]
        queues[name] = FunctionQueue(
            name=name,
            slots=sum(about.slots[name] for about in taking),
            workers=max((about.workers[name] for about in taking if name in about.workers), default=None),
            retries=next((about.retries[name] for about in taking if name in about.retries), NO_RETRIES),
            pause=next((_read_pause(one, paused[one]) for one in (name, keys.ALL_FUNCTIONS) if one in paused), None),
            turns=[(job, float(due)) for job, due in turns],
            time=float(time or 0),
            steps=_read_steps(name, entries, pending if isinstance(pending, list) else [], running),
        )
    return queues


NO_RETRIES = (0.0, 1.0, 0.0)


def _read_pause(function: str, text: str) -> Pause:
    found = json.loads(text)
    return Pause(function, float(found["since"]), found["by"], found["reason"])


def _read_steps(
    function: str,
    entries: Sequence[tuple[str, Mapping[str, str]]],
    pending: Sequence[Mapping[str, Any]],
    running: Mapping[str, str],
) -> list[StepInStream]:
    owners = {row["message_id"]: row for row in pending}
    found = []
    for entry_id, fields in entries:
        row = owners.get(entry_id)
        try:
            spec, job_id = json.loads(fields["step"]), fields["job"]
            step, action, weight = spec["id"], spec["action"], float(spec.get("weight", 1))
        except (KeyError, ValueError):
            continue  # not a step: it becomes a dead letter when it is read
        since = json.loads(running[entry_id])["since"] if entry_id in running else None
        found.append(
            StepInStream(
                function=function,
                entry_id=entry_id,
                job_id=job_id,
                step=step,
                action=action,
                weight=weight,
                owner=row["consumer"] if row else keys.RETURNED,  # no owner: records of version 1 have such
                attempts=row["times_delivered"] if row else 0,
                idle_s=row["time_since_delivered"] / 1000 if row else 0.0,
                since_s=since,
            )
        )
    return found
