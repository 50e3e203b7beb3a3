"""What all commands share: they read settings, query Redis, print tables, and exit with a message and a status."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click
from redis.exceptions import RedisError
from typing_extensions import override

from adapter.inspection.visible_text import visible, visible_line
from adapter.record_settings import RecordSettings
from adapter.redis.connections import RedisClient, open_redis
from podjobs.settings import PodSettings, SettingsError, load_settings

if TYPE_CHECKING:
    from rich.table import Table

    from adapter.steering.steering import Steering

EXIT_FAILURE, EXIT_USAGE, EXIT_REDIS_AWAY = 1, 2, 3

Settings = TypeVar("Settings", bound=PodSettings)
Answer = TypeVar("Answer")


def exit_with(sentence: str, status: int) -> NoReturn:
    """Print a sentence to stderr and end the process."""
    click.echo(visible(sentence), err=True)
    sys.exit(status)


def say(sentence: str) -> None:
    """Print what may come from elsewhere, as one line."""
    click.echo(visible_line(sentence))


def settings_or_exit(kind: type[Settings]) -> Settings:
    """Load settings; if any are invalid, end the process and list all faults."""
    try:
        return load_settings(kind)
    except SettingsError as error:
        exit_with(str(error), EXIT_USAGE)


def run_or_exit(work: Callable[[RecordSettings], Awaitable[Answer]]) -> Answer:
    """Run `work` with the settings of the job records; if Redis is unavailable, end the process."""
    settings = settings_or_exit(RecordSettings)

    async def awaited() -> Answer:
        return await work(settings)

    try:
        return asyncio.run(awaited())
    except RedisError as error:
        exit_with(f"Redis does not answer: {error}. Start it, or correct PODJOBS_REDIS_URL.", EXIT_REDIS_AWAY)


def ask_redis(question: Callable[[RedisClient], Awaitable[Answer]]) -> Answer:
    """Query the jobs' database; if Redis is unavailable, end the process."""

    async def ask(settings: RecordSettings) -> Answer:
        redis = open_redis(settings.jobs_url, text=True)
        try:
            return await question(redis)
        finally:
            await redis.aclose()

    return run_or_exit(ask)


def print_table(table: "Table") -> None:
    """Print a table, as wide as the terminal."""
    from rich.console import Console  # noqa: PLC0415 - not every command prints a table

    console = Console()
    if not console.is_terminal:  # a pipe has no width: lines are not folded there
        console = Console(width=1000, soft_wrap=True)
    console.print(table)


def format_time(seconds: str | float | None) -> str:
    """Format a time in the local time zone; empty if there is none.

    Args:
        seconds: since the epoch.
    """
    if not seconds:
        return ""
    return datetime.fromtimestamp(float(seconds), tz=UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def new_table(*columns: str) -> "Table":
    """A table with these columns, without lines. Its cells are shown as they are: brackets are no markup."""
    from rich.table import Table  # noqa: PLC0415 - not every command prints a table
    from rich.text import Text  # noqa: PLC0415 - likewise

    class TextTable(Table):
        @override
        def add_row(self, *cells: Any, **options: Any) -> None:
            super().add_row(*(Text(visible(cell)) if isinstance(cell, str) else cell for cell in cells), **options)

    return TextTable(*columns, box=None)


def operator_name() -> str:
    """Who calls this command, for logs."""
    import getpass  # noqa: PLC0415 - only what changes something needs it

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "the operator"


def steer(change: "Callable[[Steering], Awaitable[Answer]]") -> Answer:
    """Change something in the jobs' database; if Redis is unavailable, end the process."""
    from adapter.steering.steering import Steering  # noqa: PLC0415 - commands that only show do not need them
    from adapter.steps.records import Records  # noqa: PLC0415

    async def changed(settings: RecordSettings) -> Answer:
        redis = open_redis(settings.jobs_url, text=True)
        try:
            records = Records(redis, settings.podjobs_job_ttl_s, settings.podjobs_history_ttl_s)
            return await change(Steering(redis, records))
        finally:
            await redis.aclose()

    return run_or_exit(changed)
