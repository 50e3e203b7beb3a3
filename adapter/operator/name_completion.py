"""What shells complete from Redis: jobs, adapters and dead letters. If Redis does not answer at once, nothing."""

import asyncio
from collections.abc import Awaitable, Callable

import click
from click.shell_completion import CompletionItem
from redis.exceptions import RedisError

from adapter.inspection.dead_letter_reader import DeadLetterReader
from adapter.inspection.job_filter import JobFilter
from adapter.inspection.job_reader import JobReader
from adapter.inspection.job_record import JobRecord
from adapter.record_settings import RecordSettings
from adapter.redis import keys
from adapter.redis.connections import RedisClient, open_redis
from podjobs.contract.job_states import JobState
from podjobs.settings import SettingsError, load_settings

MOST = 50
AMONG = 2000
"""Of so many of the newest jobs, those are offered that have failed."""
LIMIT_S = 1.0
LIVE_COMMANDS = frozenset({"cancel", "watch", "why"})
"""Commands for jobs that have not ended."""
Find = Callable[[RedisClient], Awaitable[list[CompletionItem]]]


def complete_jobs(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The ids of jobs that begin so, some of them if there are many, as far as the command is made for them."""
    del parameter

    async def find(redis: RedisClient) -> list[CompletionItem]:
        found = await _jobs(JobReader(redis), context.info_name or "", incomplete)
        return [CompletionItem(one.id, help=f"{one.type} {one.target} {one.state}") for one in found]

    return _ask(find)


def complete_adapters(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names of the adapters that begin so."""
    del context, parameter

    async def find(redis: RedisClient) -> list[CompletionItem]:
        names = await redis.zrange(keys.ADAPTERS, 0, -1)
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]

    return _ask(find)


def complete_dead_letters(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The newest entries that begin so."""
    del context, parameter

    async def find(redis: RedisClient) -> list[CompletionItem]:
        letters = await DeadLetterReader(redis).newest(MOST)
        return [CompletionItem(one.id, help=one.what) for one in letters if one.id.startswith(incomplete)]

    return _ask(find)


async def _jobs(reader: JobReader, command: str, incomplete: str) -> list[JobRecord]:
    if command in LIVE_COMMANDS:
        live = [job_id for job_id in await reader.live_ids() if job_id.startswith(incomplete)]
        return [one for one in await reader.records(live[:MOST]) if one.is_live]
    if command == "retry":
        failed = await reader.jobs(JobFilter(states=frozenset({JobState.FAILED.value})), AMONG, AMONG)
        return [one for one in failed if one.id.startswith(incomplete)][:MOST]
    if incomplete:
        return await reader.records((await reader.ids_beginning(incomplete))[:MOST])
    return await reader.jobs(JobFilter(), MOST)


def _ask(find: Find) -> list[CompletionItem]:
    """Query the jobs' database; a shell that completes has no place for complaints."""

    async def ask(settings: RecordSettings) -> list[CompletionItem]:
        redis = open_redis(settings.jobs_url, text=True)
        try:
            async with asyncio.timeout(LIMIT_S):
                return await find(redis)
        finally:
            await redis.aclose()

    try:
        return asyncio.run(ask(load_settings(RecordSettings)))
    except (SettingsError, RedisError, OSError):  # TimeoutError among them
        return []
