"""The commands that show, replay and drop dead letters."""

import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import click

from adapter.inspection.dead_letter_filter import KINDS, DeadLetterFilter
from adapter.inspection.dead_letter_reader import DeadLetter, DeadLetterReader
from adapter.inspection.job_record import without_queries
from adapter.inspection.visible_text import visible
from adapter.operator.job_options import Moment
from adapter.operator.name_completion import complete_dead_letters
from adapter.operator.terminal import (
    EXIT_FAILURE,
    ask_redis,
    exit_with,
    format_time,
    new_table,
    print_table,
    run_or_exit,
)
from adapter.plurals import counted
from adapter.record_settings import RecordSettings
from adapter.redis.connections import RedisClient, open_redis
from adapter.steering.replay import ReplayError, open_targets, replay_dead_letter
from adapter.steps.records import Records
from adapter.steps.versions import NewerRecordError

CommandT = TypeVar("CommandT", bound=Callable[..., Any])


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
@click.argument("entry_id", shell_complete=complete_dead_letters)
def dead_show(entry_id: str) -> None:
    """Show an entry in full, as JSON."""
    letter = ask_redis(lambda redis: DeadLetterReader(redis).get(entry_id))
    fields = _found(letter, entry_id).fields
    if "params" in fields:
        fields |= {"params": without_queries(fields["params"])}
    click.echo(visible(json.dumps(fields, indent=2, ensure_ascii=False)))


def _choosing(command: CommandT) -> CommandT:
    """The options that choose dead letters."""
    for option in (
        click.argument("entry_ids", metavar="[ENTRY…]", nargs=-1, shell_complete=complete_dead_letters),
        click.option("--json", "as_json", is_flag=True, help="As one JSON object."),
        click.option("--yes", is_flag=True, help="Do not ask, even in a terminal."),
        click.option("--dry-run", is_flag=True, help="Only list the entries; change nothing."),
        click.option("--reason", default="", help="Of --all: only those whose reason contains this."),
        click.option("--since", "since_s", type=Moment(), help="Of --all: only those since then: 2h, 3d, 2026-01-31."),
        click.option("--all", "kind", type=click.Choice(KINDS), help="All entries of a kind."),
    ):
        command = option(command)
    return command


@dead.command("replay")
@_choosing
def dead_replay(*, dry_run: bool, yes: bool, as_json: bool, **choice: Any) -> None:
    """Process entries again: jobs from the start, messages through their queue, statements with the next batch."""
    chosen = _choice(**choice)
    if dry_run:
        _preview("replayed", chosen, as_json=as_json)
        return
    _confirm("replayed", chosen, asks=bool(choice["kind"]) and not yes, as_json=as_json)
    replayed: dict[str, str] = {}
    problem = run_or_exit(lambda settings: _replay(settings, chosen, replayed))
    if as_json:
        click.echo(json.dumps({"replayed": list(replayed), "problem": problem}))
    else:
        for sentence in replayed.values():
            click.echo(sentence)
    if problem:
        rest = (
            f" {counted(len(replayed), 'entry before it was', 'entries before it were')} replayed." if replayed else ""
        )
        exit_with(problem + rest, EXIT_FAILURE)


@dead.command("drop")
@_choosing
def dead_drop(*, dry_run: bool, yes: bool, as_json: bool, **choice: Any) -> None:
    """Delete entries for good; the records of their jobs are kept."""
    chosen = _choice(**choice)
    if dry_run:
        _preview("dropped", chosen, as_json=as_json)
        return
    _confirm("dropped", chosen, asks=bool(choice["kind"]) and not yes, as_json=as_json)
    dropped, missing = ask_redis(lambda redis: _drop(DeadLetterReader(redis), chosen))
    if as_json:
        click.echo(json.dumps({"dropped": dropped, "missing": missing}))
    else:
        for entry_id in dropped:
            click.echo(f"The entry {entry_id} is gone.")
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
        wanted = DeadLetterFilter(kind, since_s, reason)
        return [letter.id for letter in letters if wanted.matches(letter)][::-1]

    return find


def _preview(done: str, choice: Choice, *, as_json: bool) -> None:
    """List what would be changed."""
    letters = ask_redis(lambda redis: _letters(DeadLetterReader(redis), choice))
    if as_json:
        click.echo(json.dumps({"would": done, "entries": [letter.id for letter in letters]}))
    else:
        _print(letters)


def _confirm(done: str, choice: Choice, *, asks: bool, as_json: bool) -> None:
    """In a terminal, ask before all entries of a kind are changed; scripts have said what they mean."""
    if asks and not as_json and sys.stdin.isatty():
        count = len(ask_redis(lambda redis: choice(DeadLetterReader(redis))))
        click.confirm(f"Shall {counted(count, 'entry', 'entries')} be {done}?", abort=True)


async def _letters(reader: DeadLetterReader, choice: Choice) -> list[DeadLetter]:
    return [_found(await reader.get(entry_id), entry_id) for entry_id in await choice(reader)]


async def _drop(reader: DeadLetterReader, choice: Choice) -> tuple[list[str], list[str]]:
    """Drop the dead letters that exist. Returns the ids of those that are gone, and of those that did not exist."""
    dropped: list[str] = []
    missing: list[str] = []
    for entry_id in await choice(reader):
        (dropped if await reader.delete(entry_id) else missing).append(entry_id)
    return dropped, missing


async def _replay(settings: RecordSettings, choice: Choice, replayed: dict[str, str]) -> str:
    """Replay entries until one cannot be.

    Args:
        settings: where everything is.
        choice: which.
        replayed: gets the ids of those that were replayed, each with a sentence.

    Returns:
        Why one could not be replayed; empty: all were.
    """
    async with AsyncExitStack() as connections:

        def opened(url: str, *, text: bool) -> RedisClient:
            client = open_redis(url, text=text)
            connections.push_async_callback(client.aclose)
            return client

        jobs_redis = opened(settings.jobs_url, text=True)
        records = Records(jobs_redis, settings.podjobs_job_ttl_s)
        targets = open_targets(settings, records, jobs_redis, lambda url: opened(url, text=False))
        reader = DeadLetterReader(jobs_redis)
        try:
            for entry_id in await choice(reader):
                letter = await reader.get(entry_id)
                if letter is None:
                    return _missing(entry_id)
                replayed[entry_id] = await replay_dead_letter(letter, targets)
        except (ReplayError, NewerRecordError) as error:
            return str(error)
        return ""


def _found(letter: DeadLetter | None, entry_id: str) -> DeadLetter:
    if letter is None:
        exit_with(_missing(entry_id), EXIT_FAILURE)
    return letter


def _missing(entry_id: str) -> str:
    return f"There is no entry {entry_id!r}; `dead list` shows them."
