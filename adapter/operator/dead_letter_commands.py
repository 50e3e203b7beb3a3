"""The commands that show, replay and drop dead letters."""

import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import click
from rich.table import Table

from adapter.inspection.dead_letter_reader import DeadLetter, DeadLetterReader
from adapter.operator.terminal import EXIT_FAILURE, ask_redis, exit_with, format_time, print_table, run_or_exit
from adapter.record_settings import RecordSettings
from adapter.redis.connections import RedisClient, open_redis
from adapter.statements.store import StatementStore
from adapter.steering.replay import ReplayError, ReplayTargets, replay_dead_letter
from adapter.steps.interventions import Interventions
from adapter.steps.records import Records
from podjobs.contract.workflows import XAPI

KINDS = ("job", "message", "statement")


@click.group()
def dead() -> None:
    """Show, replay and drop dead letters: what could not be processed."""


@dead.command("list")
@click.option("--kind", type=click.Choice(KINDS), help="Only entries of this kind.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most this many.")
def dead_list(kind: str | None, limit: int) -> None:
    """List dead letters, newest first."""
    table = Table("entry", "since", "what", "reason", box=None)
    table.columns[0].no_wrap = True
    for letter in ask_redis(lambda redis: DeadLetterReader(redis).newest(limit, kind)):
        table.add_row(letter.id, format_time(letter.since_s), letter.what, letter.reason)
    print_table(table)


@dead.command("show")
@click.argument("entry_id")
def dead_show(entry_id: str) -> None:
    """Show an entry in full, as JSON."""
    letter = ask_redis(lambda redis: DeadLetterReader(redis).get(entry_id))
    click.echo(json.dumps(_found(letter, entry_id).fields, indent=2, ensure_ascii=False))


@dead.command("replay")
@click.option("--all", "kind", type=click.Choice(KINDS), help="All entries of a kind.")
@click.argument("entry_ids", metavar="[ENTRY…]", nargs=-1)
def dead_replay(kind: str | None, entry_ids: tuple[str, ...]) -> None:
    """Process entries again: jobs from the start, messages through their queue, statements with the next batch."""
    run_or_exit(lambda settings: _replay(settings, _choice(kind, entry_ids)))


@dead.command("drop")
@click.option("--all", "kind", type=click.Choice(KINDS), help="All entries of a kind.")
@click.argument("entry_ids", metavar="[ENTRY…]", nargs=-1)
def dead_drop(kind: str | None, entry_ids: tuple[str, ...]) -> None:
    """Delete entries for good; the records of their jobs are kept."""
    missing = ask_redis(lambda redis: _drop(DeadLetterReader(redis), _choice(kind, entry_ids)))
    if missing:
        exit_with(f"There is no entry {', '.join(missing)}; `dead list` shows them.", EXIT_FAILURE)


Choice = Callable[[DeadLetterReader], Awaitable[list[str]]]
"""Finds the ids of the chosen dead letters."""


def _choice(kind: str | None, entry_ids: tuple[str, ...]) -> Choice:
    """Choose the dead letters that were named, or all existing ones of a kind, oldest first."""
    if bool(kind) == bool(entry_ids):
        raise click.UsageError("Name entries, or a kind with --all.")

    async def find(reader: DeadLetterReader) -> list[str]:
        return await reader.ids(kind) if kind else list(entry_ids)

    return find


async def _drop(reader: DeadLetterReader, choice: Choice) -> list[str]:
    """Drop the dead letters that exist. Returns the ids of the others."""
    missing = []
    for entry_id in await choice(reader):
        if await reader.delete(entry_id):
            click.echo(f"The entry {entry_id} is gone.")
        else:
            missing.append(entry_id)
    return missing


async def _replay(settings: RecordSettings, choice: Choice) -> None:
    async with AsyncExitStack() as connections:

        def opened(url: str, *, text: bool) -> RedisClient:
            client = open_redis(url, text=text)
            connections.push_async_callback(client.aclose)
            return client

        jobs_redis = opened(settings.jobs_url, text=True)
        targets = ReplayTargets(
            interventions=Interventions(Records(jobs_redis, settings.podjobs_job_ttl_s).script),
            statements=StatementStore(jobs_redis),
            jobs=jobs_redis,
            brokers={XAPI.queue: opened(settings.xapi_broker_url, text=False)},
            broker=opened(settings.broker_url, text=False),
        )
        reader = DeadLetterReader(jobs_redis)
        try:
            for entry_id in await choice(reader):
                letter = _found(await reader.get(entry_id), entry_id)
                click.echo(await replay_dead_letter(letter, targets))
        except ReplayError as error:
            exit_with(str(error), EXIT_FAILURE)


def _found(letter: DeadLetter | None, entry_id: str) -> DeadLetter:
    if letter is None:
        exit_with(f"There is no entry {entry_id!r}; `dead list` shows them.", EXIT_FAILURE)
    return letter
