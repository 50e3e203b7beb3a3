"""The command that follows jobs until they end."""

import asyncio
import json
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import ExitStack
from typing import Self

import click
from typing_extensions import override

from adapter.inspection.durations import format_seconds
from adapter.inspection.forecast.explanation import explain
from adapter.inspection.forecast.forecasts import forecast_all
from adapter.inspection.job_reader import JobReader
from adapter.inspection.job_record import JobRecord
from adapter.inspection.visible_text import visible_line
from adapter.operator.job_options import find_job
from adapter.operator.name_completion import complete_jobs
from adapter.operator.terminal import EXIT_FAILURE, ask_redis, exit_with, say
from adapter.redis.connections import RedisClient
from podjobs.contract.job_states import JobState

POLL_S = 0.5
APPEARS_S = 30.0
"""How long a message may stay on Pod's queue until that is said."""
FORECAST_S = 5.0
"""Between two forecasts: each plays all queues forward."""
LINE_S = 10.0
"""Between two lines about the same job where there is no terminal, unless its stage changes."""


@click.command()
@click.argument("job_name", metavar="[JOB]", required=False, shell_complete=complete_jobs)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line, whenever a job changes.")
def watch(job_name: str | None, *, as_json: bool) -> None:
    """Follow a job until it ends, or all that have not ended until Ctrl-C.

    The exit status is 0 if the job was done, 1 if it ended otherwise.
    """
    last = follow(job_name, as_json=as_json)
    if last is not None and last.state != JobState.DONE:
        exit_with(f"The job {last.id} is {last.state}. {last.reason}".rstrip(), EXIT_FAILURE)


def follow(name: str | None, *, appears: bool = False, as_json: bool = False) -> JobRecord | None:
    """Show what changes until the job ends.

    Args:
        name: of the job; None: all that have not ended, until Ctrl-C.
        appears: whether it is the id of one that may not be known yet.
        as_json: whether it is for programs.

    Returns:
        The job as it ended; None if there is none.
    """
    return ask_redis(lambda redis: _watch(redis, name, appears=appears, as_json=as_json))


async def _watch(redis: RedisClient, name: str | None, *, appears: bool, as_json: bool) -> JobRecord | None:
    reader = JobReader(redis)
    if name and appears and not await _appears(reader, name):
        return None
    job_id = (await find_job(reader, name)).id if name else None
    forecast = _Forecast(redis, job_id)
    shown: list[JobRecord] = []
    with ExitStack() as opened:
        display: _Display
        if as_json:
            display = _Documents()
        elif sys.stdout.isatty():
            display = opened.enter_context(_Bars())
        else:
            display = _Lines()
        async for shown in _states(reader, job_id):
            display.show(shown, await forecast.ready_at(shown))
    return next(iter(shown), None) if job_id else None


async def _appears(reader: JobReader, job_id: str) -> bool:
    """Wait until a job is known. False: it is not."""
    try:
        async with asyncio.timeout(APPEARS_S):
            while await reader.job(job_id) is None:  # noqa: ASYNC110 - another process stores it
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        return False
    return True


async def _states(reader: JobReader, job_id: str | None) -> AsyncIterator[list[JobRecord]]:
    """The jobs as they are, twice a second; each that ends is among them once more."""
    live: list[JobRecord] = []
    while True:
        if job_id is None:
            before = [record.id for record in live]
            live = await reader.live()
            known = {record.id for record in live}
            ended = await reader.records([one for one in before if one not in known])
            yield [*live, *ended]
        else:
            record = await reader.job(job_id)
            if record is None:
                return
            yield [record]
            if JobState(record.state).is_final and "ended_at" in record.fields:
                return
        await asyncio.sleep(POLL_S)


def _title(record: JobRecord) -> str:
    return visible_line(f"{record.type} {record.target}".rstrip())


class _Forecast:
    """When jobs will be ready, computed anew every few seconds."""

    def __init__(self, redis: RedisClient, job_id: str | None) -> None:
        self._redis = redis
        self._job_id = job_id
        self._next_s = 0.0
        self._ready_at: dict[str, float] = {}

    async def ready_at(self, records: Iterable[JobRecord]) -> dict[str, float]:
        """For the jobs that have not ended, as far as it is known, in seconds since the epoch. Raises RedisError."""
        live = [record.id for record in records if record.is_live]
        if live and time.monotonic() >= self._next_s:
            self._ready_at = await self._forecast()
            self._next_s = time.monotonic() + FORECAST_S
        return {job_id: self._ready_at[job_id] for job_id in live if job_id in self._ready_at}

    async def _forecast(self) -> dict[str, float]:
        if self._job_id is None:
            return await forecast_all(self._redis)
        ready_at = (await explain(self._redis, self._job_id)).ready_at
        return {} if ready_at is None else {self._job_id: ready_at}


def _left(ready_at: float | None) -> str:
    """How long a job still takes, such as «12 min left»; empty: it is not known."""
    return "" if ready_at is None else f"{format_seconds(max(0.0, ready_at - time.time()))} left"


class _Display(ABC):
    """Shows jobs, again and again."""

    @abstractmethod
    def show(self, records: Iterable[JobRecord], ready_at: Mapping[str, float]) -> None:
        """Show them as they are.

        Args:
            records: the jobs.
            ready_at: job → when it will be ready, in seconds since the epoch, as far as it is known.
        """


class _Bars(_Display):
    """Bars in a terminal."""

    def __init__(self) -> None:
        from rich.progress import (  # noqa: PLC0415
            BarColumn,
            Progress,
            TaskID,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
        )

        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[doing]}", markup=False),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    @override
    def show(self, records: Iterable[JobRecord], ready_at: Mapping[str, float]) -> None:
        known = set()
        for record in records:
            known.add(record.id)
            if record.id not in self._tasks:
                self._tasks[record.id] = self._progress.add_task(_title(record), total=1, doing="", left="")
            doing = record.fields.get("stage", "") if record.is_live else record.state
            still = _left(ready_at.get(record.id))
            self._progress.update(self._tasks[record.id], completed=record.progress, doing=doing, left=still)
        for job_id in [job_id for job_id in self._tasks if job_id not in known]:
            self._progress.remove_task(self._tasks.pop(job_id))


class _Lines(_Display):
    """A line for what changes, for logs and pipes."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[str, float]] = {}

    @override
    def show(self, records: Iterable[JobRecord], ready_at: Mapping[str, float]) -> None:
        for record in records:
            doing = f"{record.state} {record.fields.get('stage', '')}".rstrip()
            said, at_s = self._said.get(record.id, ("", 0.0))
            if doing == said and time.monotonic() < at_s + LINE_S:
                continue
            self._said[record.id] = (doing, time.monotonic())
            age = format_seconds(max(0.0, time.time() - record.accepted_at_s))
            parts = [record.id, _title(record), doing, f"{record.progress:.0%}", f"accepted {age} ago"]
            left = _left(ready_at.get(record.id))
            say("  ".join([*parts, *([left] if left else [])]))


class _Documents(_Display):
    """A JSON object a line for each job that has changed, for programs."""

    def __init__(self) -> None:
        self._said: dict[str, dict[str, object]] = {}

    @override
    def show(self, records: Iterable[JobRecord], ready_at: Mapping[str, float]) -> None:
        for record in records:
            changing = {
                "state": record.state,
                "stage": record.fields.get("stage", ""),
                "progress": round(record.progress, 4),
                "reason": record.reason,
            }
            if self._said.get(record.id) == changing:
                continue
            self._said[record.id] = changing
            about = {"id": record.id, "type": record.type, "target": record.target}
            times = {"accepted_at": record.accepted_at_s, "ready_at": ready_at.get(record.id)}
            click.echo(json.dumps(about | changing | times))
