"""The command that follows jobs until they end."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Self

import click

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
def watch(job_name: str | None) -> None:
    """Follow a job until it ends, or all that have not ended until Ctrl-C.

    The exit status is 0 if the job was done, 1 if it ended otherwise.
    """
    last = follow(job_name)
    if last is not None and last.state != JobState.DONE:
        exit_with(f"The job {last.id} is {last.state}. {last.reason}".rstrip(), EXIT_FAILURE)


def follow(name: str | None, *, appears: bool = False) -> JobRecord | None:
    """Show what changes until the job ends.

    Args:
        name: of the job; None: all that have not ended, until Ctrl-C.
        appears: whether it is the id of one that may not be known yet.

    Returns:
        The job as it ended; None if there is none.
    """
    return ask_redis(lambda redis: _watch(redis, name, appears=appears))


async def _watch(redis: RedisClient, name: str | None, *, appears: bool) -> JobRecord | None:
    reader = JobReader(redis)
    if name and appears and not await _appears(reader, name):
        return None
    job_id = (await find_job(reader, name)).id if name else None
    forecast = _Forecast(redis, job_id)
    shown: list[JobRecord] = []
    if sys.stdout.isatty():
        with _Bars() as bars:
            async for shown in _states(reader, job_id):
                bars.show(shown, await forecast.left(shown))
    else:
        lines = _Lines()
        async for shown in _states(reader, job_id):
            lines.show(shown, await forecast.left(shown))
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
    """The jobs as they are, twice a second; the last time when the named one has ended."""
    while True:
        if job_id is None:
            yield await reader.live()
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
    """How long jobs still take, computed anew every few seconds."""

    def __init__(self, redis: RedisClient, job_id: str | None) -> None:
        self._redis = redis
        self._job_id = job_id
        self._next_s = 0.0
        self._ready_at: dict[str, float] = {}

    async def left(self, records: Iterable[JobRecord]) -> dict[str, str]:
        """For the jobs that have not ended, as far as it is known, such as «12 min left». Raises RedisError."""
        live = [record.id for record in records if record.is_live]
        if live and time.monotonic() >= self._next_s:
            self._ready_at = await self._forecast()
            self._next_s = time.monotonic() + FORECAST_S
        now_s = time.time()
        known = {job_id: self._ready_at[job_id] for job_id in live if job_id in self._ready_at}
        return {job_id: f"{format_seconds(max(0.0, at_s - now_s))} left" for job_id, at_s in known.items()}

    async def _forecast(self) -> dict[str, float]:
        if self._job_id is None:
            return await forecast_all(self._redis)
        ready_at = (await explain(self._redis, self._job_id)).ready_at
        return {} if ready_at is None else {self._job_id: ready_at}


class _Bars:
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

    def show(self, records: Iterable[JobRecord], left: Mapping[str, str]) -> None:
        known = set()
        for record in records:
            known.add(record.id)
            if record.id not in self._tasks:
                self._tasks[record.id] = self._progress.add_task(_title(record), total=1, doing="", left="")
            doing = record.fields.get("stage", "") if record.is_live else record.state
            still = left.get(record.id, "")
            self._progress.update(self._tasks[record.id], completed=record.progress, doing=doing, left=still)
        for job_id in [job_id for job_id in self._tasks if job_id not in known]:
            self._progress.remove_task(self._tasks.pop(job_id))


class _Lines:
    """A line for what changes, for logs and pipes."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[str, float]] = {}

    def show(self, records: Iterable[JobRecord], left: Mapping[str, str]) -> None:
        for record in records:
            doing = f"{record.state} {record.fields.get('stage', '')}".rstrip()
            said, at_s = self._said.get(record.id, ("", 0.0))
            if doing == said and time.monotonic() < at_s + LINE_S:
                continue
            self._said[record.id] = (doing, time.monotonic())
            age = format_seconds(max(0.0, time.time() - record.accepted_at_s))
            parts = [record.id, _title(record), doing, f"{record.progress:.0%}", f"accepted {age} ago"]
            say("  ".join([*parts, *([left[record.id]] if record.id in left else [])]))
