"""The commands that show, replay and drop dead letters."""

import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import click

from adapter.inspection.dead_letter_reader import DeadLetter, DeadLetterReader
from adapter.operator.job_options import Moment
from adapter.operator.terminal import (
    EXIT_FAILURE,
    ask_redis,
    exit_with,
    format_time,
    new_table,
    print_table,
    run_or_exit,
)
from adapter.record_settings import RecordSettings
from adapter.redis.connections import RedisClient, open_redis
from adapter.statements.store import StatementStore
from adapter.steering.replay import ReplayError, ReplayTargets, replay_dead_letter
from adapter.steps.interventions import Interventions
from adapter.steps.records import Records
from podjobs.contract.workflows import XAPI

CommandT = TypeVar("CommandT", bound=Callable[..., Any])
KINDS = ("job", "message", "statement")


@click.group()
def dead() -> None:
    """Show, replay and drop dead letters: what could not be processed."""


@dead.command("list")
@click.option("--kind", type=click.Choice(KINDS), help="Only entries of this kind.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most this many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def dead_list(kind: str | None, limit: int, *, as_json: bool) -> None:
    """List dead letters, newest first."""
    letters = ask_redis(lambda redis: DeadLetterReader(redis).newest(limit, kind))
    if as_json:
        for letter in letters:
            about = {"entry": letter.id, "since": letter.since_s, "kind": letter.kind, "what": letter.what}
            click.echo(json.dumps(about | {"reason": letter.reason}))
        return
    _print(letters)


def _print(letters: Sequence[DeadLetter]) -> None:
    table = new_table("entry", "since", "what", "reason")
    table.columns[0].no_wrap = True
    for letter in letters:
        table.add_row(letter.id, format_time(letter.since_s), letter.what, letter.reason)
    print_table(table)


@dead.command("show")
@click.argument("entry_id")
def dead_show(entry_id: str) -> None:
    """Show an entry in full, as JSON."""
    letter = ask_redis(lambda redis: DeadLetterReader(redis).get(entry_id))
    click.echo(json.dumps(_found(letter, entry_id).fields, indent=2, ensure_ascii=False))


def _choosing(command: CommandT) -> CommandT:
    """The options that choose dead letters."""
    for option in (
        click.argument("entry_ids", metavar="[ENTRY…]", nargs=-1),
        click.option("--dry-run", is_flag=True, help="Only list the entries; change nothing."),
        click.option("--reason", default="", help="Of --all: only those whose reason contains this."),
        click.option("--since", "since_s", type=Moment(), help="Of --all: only those since then: 2h, 3d, 2026-01-31."),
        click.option("--all", "kind", type=click.Choice(KINDS), help="All entries of a kind."),
    ):
        command = option(command)
    return command


@dead.command("replay")
@_choosing
def dead_replay(*, dry_run: bool, **choice: Any) -> None:
    """Process entries again: jobs from the start, messages through their queue, statements with the next batch."""
    chosen = _choice(**choice)
    if dry_run:
        _print(ask_redis(lambda redis: _letters(DeadLetterReader(redis), chosen)))
    else:
        run_or_exit(lambda settings: _replay(settings, chosen))


@dead.command("drop")
@_choosing
def dead_drop(*, dry_run: bool, **choice: Any) -> None:
    """Delete entries for good; the records of their jobs are kept."""
    chosen = _choice(**choice)
    if dry_run:
        _print(ask_redis(lambda redis: _letters(DeadLetterReader(redis), chosen)))
        return
    missing = ask_redis(lambda redis: _drop(DeadLetterReader(redis), chosen))
    if missing:
        exit_with(f"There is no entry {', '.join(missing)}; `dead list` shows them.", EXIT_FAILURE)


Choice = Callable[[DeadLetterReader], Awaitable[list[str]]]
"""Finds the ids of the chosen dead letters."""


def _choice(kind: str | None, since_s: float | None, reason: str, entry_ids: tuple[str, ...]) -> Choice:
    """Choose the dead letters that were named, or those existing ones of a kind that match, oldest first."""
    if bool(kind) == bool(entry_ids) or (entry_ids and (since_s is not None or reason)):
        raise click.UsageError("Name entries, or a kind with --all. Options --since and --reason narrow it down.")

    async def find(reader: DeadLetterReader) -> list[str]:
        if not kind:
            return list(entry_ids)
        if since_s is None and not reason:
            return await reader.ids(kind)
        letters = await reader.newest(sys.maxsize, kind)
        wanted = reason.casefold()
        chosen = [one.id for one in letters if one.since_s >= (since_s or 0) and wanted in one.reason.casefold()]
        return chosen[::-1]

    return find


async def _letters(reader: DeadLetterReader, choice: Choice) -> list[DeadLetter]:
    return [_found(await reader.get(entry_id), entry_id) for entry_id in await choice(reader)]


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
