"""The operator's command line: run the adapter, look at jobs, replay what could not be done."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import NoReturn, TypeVar

import click
from redis.exceptions import RedisError
from rich.console import Console
from rich.table import Table

from adapter.operator.job_reader import Archive, DeadEntry, JobRecord
from adapter.operator.replay import ReplayError, ReplayTargets, replay_entry
from adapter.process import STATEMENT_QUEUE, run_adapter
from adapter.redis.connections import RedisClient, open_redis
from adapter.settings import AdapterSettings, RecordSettings
from adapter.statements.store import Statements
from adapter.steps.records import RecordLimits, Records
from podjobs.logs import configure_logs
from podjobs.settings import PodSettings, SettingsError, load_settings

EXIT_FAILURE, EXIT_USAGE = 1, 2
KINDS = ("job", "message", "statement")
STATES = ("queued", "running", "failing", "done", "failed", "superseded")

Settings = TypeVar("Settings", bound=PodSettings)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def adapter() -> None:
    """Moves Pod's jobs from Redis to the functions."""


@adapter.command()
def run() -> None:
    """Run the adapter until SIGTERM."""
    settings = _settings(AdapterSettings)
    configure_logs("adapter", settings.podjobs_log_level)
    try:
        asyncio.run(run_adapter(settings))
    except OSError as error:
        _end(
            f"The adapter cannot serve its health pages: {error}. Set PODJOBS_HEALTH_PORT to a free port.",
            EXIT_FAILURE,
        )


@adapter.command()
@click.option("--state", "states", type=click.Choice(STATES), multiple=True, help="Only jobs in this state.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def jobs(states: tuple[str, ...], limit: int, *, as_json: bool) -> None:
    """List jobs, the newest first."""
    found = _with_archive(lambda archive: archive.jobs(frozenset(states), limit))
    if as_json:
        for record in found:
            click.echo(json.dumps({"id": record.id, **record.fields}))
        return
    table = Table("job", "type", "target", "state", "stage", "%", "accepted", "reason", box=None)
    table.columns[0].no_wrap = True
    for record in found:
        table.add_row(
            record.id,
            record.fields.get("type"),
            record.fields.get("target"),
            record.state,
            record.fields.get("stage"),
            f"{record.progress:.0%}",
            _moment(record.fields.get("accepted_at")),
            record.reason,
        )
    _print(table)


@adapter.command()
@click.argument("job_id")
def job(job_id: str) -> None:
    """Show one job, with its log."""
    record, log = _with_archive(lambda archive: _job_and_log(archive, job_id))
    if record is None:
        _end(f"There is no job {job_id!r}. A job that has ended is forgotten after PODJOBS_JOB_TTL_S.", EXIT_FAILURE)
    table = Table(show_header=False, box=None)
    table.add_row("job", record.id)
    for name in ("type", "target", "state", "stage"):
        table.add_row(name, record.fields.get(name, ""))
    table.add_row("progress", f"{record.progress:.0%}")
    for name in ("accepted_at", "started_at", "ended_at"):
        table.add_row(name.removesuffix("_at"), _moment(record.fields.get(name)))
    if record.reason:
        table.add_row("reason", record.reason)
    table.add_row("asked for", record.fields.get("params", ""))
    _print(table)
    for sentence in log:
        click.echo(f"  {sentence}")


async def _job_and_log(archive: Archive, job_id: str) -> tuple[JobRecord | None, list[str]]:
    return await archive.job(job_id), await archive.log(job_id)


@adapter.group()
def dead() -> None:
    """Look at what could not be done, and replay it."""


kind_option = click.option("--kind", type=click.Choice(KINDS), help="Only these.")


@dead.command("list")
@kind_option
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many at most.")
def dead_list(kind: str | None, limit: int) -> None:
    """List it, the newest first."""
    table = Table("entry", "since", "what", "reason", box=None)
    table.columns[0].no_wrap = True
    for entry in _with_archive(lambda archive: archive.dead(limit, kind)):
        table.add_row(entry.id, _moment(_seconds_of(entry)), entry.what, entry.reason)
    _print(table)


@dead.command("show")
@click.argument("entry_id")
def dead_show(entry_id: str) -> None:
    """Show an entry whole, as JSON."""
    entry = _with_archive(lambda archive: archive.dead_entry(entry_id))
    click.echo(json.dumps(_found(entry, entry_id).fields, indent=2, ensure_ascii=False))


@dead.command("replay")
@click.option("--all", "kind", type=click.Choice(KINDS), help="All entries of a kind.")
@click.argument("entry_ids", metavar="[ENTRY…]", nargs=-1)
def dead_replay(kind: str | None, entry_ids: tuple[str, ...]) -> None:
    """Do it again: jobs from their start, messages through their queue, statements with the next batch."""
    _run(lambda settings: _replay(settings, _chosen(kind, entry_ids)))


@dead.command("drop")
@click.option("--all", "kind", type=click.Choice(KINDS), help="All entries of a kind.")
@click.argument("entry_ids", metavar="[ENTRY…]", nargs=-1)
def dead_drop(kind: str | None, entry_ids: tuple[str, ...]) -> None:
    """Forget entries for good; their jobs' records stay."""
    missing = _with_archive(lambda archive: _drop(archive, _chosen(kind, entry_ids)))
    if missing:
        _end(f"There is no entry {', '.join(missing)}; `dead list` names them.", EXIT_FAILURE)


Choice = Callable[[Archive], Awaitable[list[str]]]
"""Finds the ids of the entries that are meant."""


def _chosen(kind: str | None, entry_ids: tuple[str, ...]) -> Choice:
    """Tell which entries are meant: these, or all of a kind that are there now, the oldest first."""
    if bool(kind) == bool(entry_ids):
        raise click.UsageError("Name entries, or a kind with --all.")

    async def find(archive: Archive) -> list[str]:
        return await archive.dead_ids(kind) if kind else list(entry_ids)

    return find


async def _drop(archive: Archive, find: Choice) -> list[str]:
    missing = []
    for entry_id in await find(archive):
        if await archive.drop_dead(entry_id):
            click.echo(f"The entry {entry_id} is gone.")
        else:
            missing.append(entry_id)
    return missing


async def _replay(settings: RecordSettings, find: Choice) -> None:
    async with AsyncExitStack() as connections:

        def opened(url: str, *, text: bool) -> RedisClient:
            client = open_redis(url, text=text)
            connections.push_async_callback(client.aclose)
            return client

        jobs_redis = opened(settings.jobs_url, text=True)
        targets = ReplayTargets(
            records=Records(jobs_redis, RecordLimits(settings.podjobs_window, settings.podjobs_job_ttl_s)),
            statements=Statements(jobs_redis),
            jobs=jobs_redis,
            brokers={STATEMENT_QUEUE: opened(settings.xapi_broker_url, text=False)},
            broker=opened(settings.broker_url, text=False),
        )
        archive = Archive(jobs_redis)
        try:
            for entry_id in await find(archive):
                entry = _found(await archive.dead_entry(entry_id), entry_id)
                click.echo(await replay_entry(entry, targets))
        except ReplayError as error:
            _end(str(error), EXIT_FAILURE)


def _found(entry: DeadEntry | None, entry_id: str) -> DeadEntry:
    if entry is None:
        _end(f"There is no entry {entry_id!r}; `dead list` names them.", EXIT_FAILURE)
    return entry


def _seconds_of(entry: DeadEntry) -> float:
    return int(entry.id.partition("-")[0]) / 1000


def _moment(seconds: str | float | None) -> str:
    if not seconds:
        return ""
    return datetime.fromtimestamp(float(seconds), tz=UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _print(table: Table) -> None:
    # a pipe has no width: lines are not folded there
    console = Console()
    console.print(table) if console.is_terminal else Console(width=1000, soft_wrap=True).print(table)


def _settings(kind: type[Settings]) -> Settings:
    try:
        return load_settings(kind)
    except SettingsError as error:
        _end(str(error), EXIT_USAGE)


def _end(sentence: str, code: int) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(code)


Answer = TypeVar("Answer")


def _with_archive(ask: Callable[[Archive], Awaitable[Answer]]) -> Answer:
    async def read(settings: RecordSettings) -> Answer:
        redis = open_redis(settings.jobs_url, text=True)
        try:
            return await ask(Archive(redis))
        finally:
            await redis.aclose()

    return _run(read)


def _run(work: Callable[[RecordSettings], Awaitable[Answer]]) -> Answer:
    settings = _settings(RecordSettings)

    async def awaited() -> Answer:
        return await work(settings)

    try:
        return asyncio.run(awaited())
    except RedisError as error:
        _end(f"Redis does not answer: {error}.", EXIT_FAILURE)
