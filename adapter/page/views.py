"""What the page shows, read from Redis: no more than a document can hold, however many jobs there are."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from redis.exceptions import RedisError

from adapter.inspection.cost import Prices, cost_of, describe
from adapter.inspection.job_filter import JobFilter
from adapter.inspection.job_reader import JobReader
from adapter.inspection.job_record import JobRecord
from adapter.inspection.overview import Overview, OverviewReader, QueueOverview
from adapter.page.attention import Notice, find_notices
from adapter.page.forecasts import Forecast, Forecasts
from adapter.page.pictures import Point, Row
from adapter.page.shortening import latest_that_fit
from adapter.page.steps_picture import Frame, lay_out_steps
from adapter.redis import keys
from adapter.redis.connections import RedisClient
from adapter.steering.selection import CANCELLABLE, RETRYABLE
from adapter.steps.history import Attempt, RunningStep
from podjobs.contract.job_states import JobState
from podjobs.contract.workflows import step_functions

RUNNING_SHOWN, WAITING_SHOWN, FAILED_SHOWN, LISTED, ATTEMPTS_SHOWN, LOG_SHOWN = 30, 25, 15, 100, 50, 200
FEW_JOBS = 500
LOG_BYTES, SENTENCE_BYTES = 15_000, 1_000
FAILED_AMONG = 1000
"""Of the newest jobs, those that failed are looked for among so many."""
SOUGHT_S = 15.0
"""They are looked for at least so often."""
DAY_S, QUARTER_S = 86400, 900
ENDED_BADLY = frozenset({JobState.FAILED.value, JobState.FAILING.value, JobState.CANCELLED.value})


class Share(Protocol):
    """Who else reads a queue."""

    advice: str
    """What an operator should know; empty: nothing."""


class Door(Protocol):
    """Something that reads one of Pod's queues."""

    queue: str

    obstacle: str
    """Why messages stay on it; empty: they are read."""

    @property
    def share(self) -> Share:
        """Who else reads it."""

    async def waiting(self) -> int:
        """Count the messages that are still on Pod's queue. Raises RedisError."""


@dataclass(frozen=True, slots=True)
class JobLine:
    """A job in a list."""

    record: JobRecord
    steps: tuple[str, ...] = ()
    """Those that run."""
    silent_s: float | None = None
    """How long the adapter of one of them has been silent, which is gone; 0: not known. None: all are there."""
    ready_at: float = 0.0
    """When it will be ready, in seconds since the epoch; 0: not known."""
    why: str = ""
    """What it waits for; empty: its turn."""

    @property
    def may_be_cancelled(self) -> bool:
        """Whether there is anything to cancel."""
        return self.record.state in CANCELLABLE

    @property
    def may_be_retried(self) -> bool:
        """Whether it may be run anew."""
        return self.record.state in RETRYABLE


@dataclass(frozen=True, slots=True)
class FrontView:
    """The first page."""

    overview: Overview
    notices: list[Notice]
    running: list[JobLine]
    waiting: list[JobLine]
    waiting_more: int
    """Jobs that wait, too, and are not listed."""
    failed: list[JobLine]
    day: list[Point]


@dataclass(frozen=True, slots=True)
class JobView:
    """A job's page."""

    line: JobLine
    running: list[RunningStep]
    gone: Mapping[str, float]
    """See JobReader.gone_owners."""
    attempts: list[Attempt]
    """The latest, newest first."""
    attempts_total: int
    rows: list[Row]
    length_s: float
    log: list[str]
    """Its latest sentences."""
    log_total: int
    why: list[str] = field(default_factory=list)
    """What it waits for, in sentences."""
    ready_at: float = 0.0
    """See JobLine."""
    cost: str = ""
    """What it has cost; empty: not known."""


@dataclass(slots=True)
class ViewReader:
    """Reads the views. All methods raise RedisError."""

    jobs: RedisClient
    lease_s: float
    doors: Sequence[Door] = ()
    """Of this adapter: they know its queues."""
    prices: Prices | None = None
    """What a job's cost is computed with; None: it is not shown."""
    forecasts: Forecasts = field(init=False)
    _failed_key: tuple[float, ...] = ()
    _failed_ids: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Forecasts are of the same database."""
        self.forecasts = Forecasts(self.jobs)

    async def front(self) -> FrontView:
        """The first page."""
        reader = JobReader(self.jobs)
        queues = [QueueOverview(door.queue, await _count(door), 0) for door in self.doors]
        overview = await OverviewReader(self.jobs, self.lease_s).read(queues)
        running = await reader.running()
        gone = await reader.gone_owners(running, self.lease_s)
        steps: dict[str, list[RunningStep]] = {}
        for one in running:
            steps.setdefault(one.job_id, []).append(one)
        shown = await reader.records(list(steps)[:RUNNING_SHOWN])
        waiting_ids: dict[str, None] = {}
        for function in step_functions():
            waiting_ids |= dict.fromkeys(await reader.next_waiting(function.name, WAITING_SHOWN + len(steps)))
        if overview.jobs_live <= FEW_JOBS:  # those between two attempts among them
            waiting_ids |= dict.fromkeys(await reader.live_ids())
        ids = [job_id for job_id in waiting_ids if job_id not in steps]
        waiting = await reader.records(ids[:WAITING_SHOWN])
        failed = await self._failed(overview.last_day)
        forecast = await self.forecasts.latest(overview.jobs_live)
        obstacles = {door.queue: door.obstacle or door.share.advice for door in self.doors}
        return FrontView(
            overview=overview,
            notices=find_notices(overview, {name: why for name, why in obstacles.items() if why}, [*shown, *waiting]),
            running=[_line(record, forecast, steps[record.id], gone) for record in shown],
            waiting=[_line(record, forecast) for record in waiting],
            waiting_more=max(0, overview.jobs_live - len(steps) - len(waiting)),
            failed=[JobLine(record) for record in failed],
            day=await self._day(),
        )

    async def listed(self, wanted: JobFilter) -> list[JobLine]:
        """The newest jobs that match."""
        found = await JobReader(self.jobs).jobs(wanted, LISTED)
        return [JobLine(record) for record in sorted(found, key=lambda record: -record.accepted_at_s)]

    async def job(self, job_id: str) -> JobView | None:
        """One job; None if there is none."""
        reader = JobReader(self.jobs)
        record = await reader.job(job_id)
        if record is None:
            return None
        running = [step for step in await reader.running() if step.job_id == job_id]
        attempts = await reader.attempts(job_id)
        log = await reader.log(job_id)
        begin_s = record.accepted_at_s
        end_s = record.number("ended_at") or time.time()
        forecast = await self._forecast() if record.is_live else None
        return JobView(
            why=forecast.sentences(record) if forecast else [],
            ready_at=forecast.ready(job_id) if forecast else 0.0,
            line=JobLine(record),
            running=running,
            gone=await reader.gone_owners(running, self.lease_s),
            attempts=attempts[::-1][:ATTEMPTS_SHOWN],
            attempts_total=len(attempts),
            rows=lay_out_steps(attempts, running, Frame(begin_s, end_s, record.number("stage_at"))),
            length_s=max(0.1, end_s - begin_s),
            log=latest_that_fit(log, LOG_BYTES, LOG_SHOWN, SENTENCE_BYTES),
            log_total=len(log),
            cost=describe(cost_of(record, self.prices)) if self.prices else "",
        )

    async def _failed(self, counted: Mapping[str, int]) -> list[JobRecord]:
        """The newest jobs that have failed; they are looked for when the counters have changed, or now and then."""
        reader = JobReader(self.jobs)
        key = (counted[JobState.FAILED], counted[JobState.CANCELLED], time.monotonic() // SOUGHT_S)
        if key != self._failed_key:
            found = await reader.jobs(JobFilter(states=ENDED_BADLY), FAILED_SHOWN, among=FAILED_AMONG)
            self._failed_key, self._failed_ids = key, [record.id for record in found]
            return found
        return [record for record in await reader.records(self._failed_ids) if record.state in ENDED_BADLY]

    async def _forecast(self) -> Forecast | None:
        return await self.forecasts.latest(await self.jobs.scard(keys.LIVE))

    async def _day(self) -> list[Point]:
        """The last day in quarters of an hour, from the samples of each minute."""
        now_s = time.time()
        since_ms = int((now_s - DAY_S) * 1000)
        samples = await self.jobs.xrange(keys.SAMPLES, min=f"{since_ms}-0")
        return gather_day([(int(entry.partition("-")[0]) / 1000, fields) for entry, fields in samples])


def _line(
    record: JobRecord,
    forecast: Forecast | None,
    running: Sequence[RunningStep] = (),
    gone: Mapping[str, float] = MappingProxyType({}),
) -> JobLine:
    """A job that has not ended, with what is expected of it."""
    steps = tuple(step.step for step in running)
    silent_s = max((gone[step.owner] for step in running if step.owner in gone), default=None)
    if forecast is None:
        return JobLine(record, steps, silent_s)
    # the last sentence is about what is next
    why = "" if steps else "".join(forecast.sentences(record)[-1:])
    return JobLine(record, steps, silent_s, forecast.ready(record.id), why)


async def _count(door: Door) -> int:
    """The messages on a queue; -1: its Redis does not answer."""
    try:
        return await door.waiting()
    except RedisError:
        return -1


def gather_day(samples: list[tuple[float, dict[str, str]]]) -> list[Point]:
    """Gather samples of minutes in quarters of an hour.

    Args:
        samples: when, in seconds since the epoch, and the fields of operator/samples.py; oldest first.
    """
    points: list[Point] = []
    before: dict[str, str] = samples[0][1] if samples else {}
    quarters: dict[int, list[dict[str, str]]] = {}
    for at_s, fields in samples:
        quarters.setdefault(int(at_s // QUARTER_S), []).append(fields)
    for number, inside in sorted(quarters.items()):
        last = inside[-1]
        points.append(
            Point(
                at_s=number * QUARTER_S,
                done=_rise(before, last, "done"),
                failed=_rise(before, last, "failed"),
                waiting=max(float(fields.get("waiting", 0)) for fields in inside),
            )
        )
        before = last
    return points


def _rise(before: dict[str, str], after: dict[str, str], name: str) -> int:
    # Redis may have lost its data in between
    return max(0, int(float(after.get(name, 0))) - int(float(before.get(name, 0))))
