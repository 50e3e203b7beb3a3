"""The command that shows everything at a glance."""

import asyncio
import json
import sys
from collections.abc import Sequence

import click
from redis.exceptions import RedisError

from adapter.inspection.durations import format_seconds
from adapter.inspection.overview import FunctionOverview, Overview, OverviewReader, QueueOverview
from adapter.operator.terminal import EXIT_FAILURE, format_time, run_or_exit, say
from adapter.plurals import counted
from adapter.record_settings import RecordSettings
from adapter.redis import keys
from adapter.redis.connections import open_redis
from podjobs.contract.workflows import all_functions

BROKER_LIMIT_S = 2.0


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def status(*, as_json: bool) -> None:
    """Show queues, functions, adapters and jobs at a glance, and first what needs an operator.

    The exit status is 1 if an operator is needed.
    """
    overview = run_or_exit(_read)
    if as_json:
        click.echo(json.dumps(overview.as_fields()))
    else:
        for line in _lines(overview):
            say(line)
    if overview.attention:
        sys.exit(EXIT_FAILURE)


async def _read(settings: RecordSettings) -> Overview:
    """Raises RedisError if the jobs' database does not answer; a broker that does not is shown."""
    jobs = open_redis(settings.jobs_url, text=True)
    try:
        queues = [function.queue for function in all_functions() if function.queue]
        asked = [_queue(settings.queue_url(queue), queue) for queue in queues]
        return await OverviewReader(jobs, settings.podjobs_lease_s).read(await asyncio.gather(*asked))
    finally:
        await jobs.aclose()


async def _queue(url: str, queue: str) -> QueueOverview:
    broker = open_redis(url, text=True)
    try:
        async with asyncio.timeout(BROKER_LIMIT_S):
            async with broker.pipeline(transaction=False) as pipeline:
                pipeline.llen(queue)
                pipeline.exists(keys.handed_back(queue))
                waiting, is_handed_back = await pipeline.execute()
    except (RedisError, OSError, TimeoutError):
        return QueueOverview(queue, -1, 0)
    finally:
        await broker.aclose()
    return QueueOverview(queue, waiting, 0, bool(is_handed_back))


def _lines(overview: Overview) -> Sequence[str]:
    if overview.attention:
        lines = ["Needs attention:", *(f"  {remark}" for remark in overview.attention), ""]
    else:
        lines = ["All is well.", ""]
    ended = overview.last_day
    lines += [
        (
            f"jobs        {overview.jobs_live} live, {overview.jobs_running} of them in work; in the last 24 hours "
            f"{ended['done']} done, {ended['failed']} failed, {ended['cancelled']} cancelled"
        ),
        f"statements  {counted(overview.statements, 'waits', 'wait')} for the LRS",
        f"dead        {counted(overview.dead, 'letter', 'letters')}",
        "",
    ]
    names = max(
        len(name) for name in [*(one.name for one in overview.functions), *(one.name for one in overview.queues)]
    )
    lines += [_function_line(one, names) for one in overview.functions]
    lines.append("")
    for queue in overview.queues:
        read = f"read by {counted(queue.readers, 'adapter', 'adapters')}" if queue.readers else "not read"
        waiting = "its Redis does not answer" if queue.waiting < 0 else counted(queue.waiting, "message", "messages")
        lines.append(f"queue {queue.name:<{names}}  {waiting}, {read}")
    lines.append("")
    for adapter in overview.adapters:
        heard = f"silent for {adapter.silent_s:.0f} s" if adapter.is_silent else adapter.state
        lines.append(f"adapter {adapter.name}  {heard}, version {adapter.version}")
    return lines


def _function_line(one: FunctionOverview, width: int) -> str:
    waits = counted(one.waiting, "step waits", "steps wait")
    parts = [f"{one.running} of {counted(one.slots, 'slot', 'slots')} in use, {waits}"]
    if one.waiting:
        parts[0] += f", the oldest for {format_seconds(one.oldest_s)}"
    if one.between_attempts:
        parts.append(f"{one.between_attempts} between two attempts")
    if one.median_s is not None and one.p95_s is not None:
        parts.append(f"a step takes {format_seconds(one.median_s)}, 1 of 20 more than {format_seconds(one.p95_s)}")
    if one.paused_since is not None:
        parts.append(f"PAUSED since {format_time(one.paused_since)}")
    return f"function {one.name:<{width}}  {'; '.join(parts)}"
