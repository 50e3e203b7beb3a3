"""What all commands share: they read settings, query Redis, print tables, and exit with a message and a status."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import NoReturn, TypeVar

import click
from redis.exceptions import RedisError
from rich.console import Console
from rich.table import Table

from adapter.record_settings import RecordSettings
from adapter.redis.connections import RedisClient, open_redis
from podjobs.settings import PodSettings, SettingsError, load_settings

EXIT_FAILURE, EXIT_USAGE = 1, 2

Settings = TypeVar("Settings", bound=PodSettings)
Answer = TypeVar("Answer")


def exit_with(sentence: str, status: int) -> NoReturn:
    """Print a sentence to stderr and end the process."""
    click.echo(sentence, err=True)
    sys.exit(status)


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
        exit_with(f"Redis does not answer: {error}. Start it, or correct PODJOBS_REDIS_URL.", EXIT_FAILURE)


def ask_redis(question: Callable[[RedisClient], Awaitable[Answer]]) -> Answer:
    """Query the jobs' database; if Redis is unavailable, end the process."""

    async def ask(settings: RecordSettings) -> Answer:
        redis = open_redis(settings.jobs_url, text=True)
        try:
            return await question(redis)
        finally:
            await redis.aclose()

    return run_or_exit(ask)


def print_table(table: Table) -> None:
    """Print a table, as wide as the terminal."""
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
