"""The commands that show jobs."""

import json

import click
from rich.table import Table

from adapter.inspection.job_filter import JobFilter
from adapter.inspection.job_reader import JobReader
from adapter.inspection.job_record import JobRecord
from adapter.operator.terminal import EXIT_FAILURE, ask_redis, exit_with, format_time, print_table
from adapter.redis.connections import RedisClient
from podjobs.contract.job_states import JobState

STATES = click.Choice([state.value for state in JobState])


@click.command()
@click.option("--state", "states", type=STATES, multiple=True, help="Only jobs in this state.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most this many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def jobs(states: tuple[str, ...], limit: int, *, as_json: bool) -> None:
    """List jobs, newest first."""
    found = ask_redis(lambda redis: JobReader(redis).jobs(JobFilter(states=frozenset(states)), limit))
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
            format_time(record.fields.get("accepted_at")),
            record.reason,
        )
    print_table(table)


@click.command()
@click.argument("job_id")
def job(job_id: str) -> None:
    """Show one job, with its log."""
    record, log = ask_redis(lambda redis: _job_and_log(redis, job_id))
    if record is None:
        exit_with(
            f"There is no job {job_id!r}. The record of an ended job is deleted after PODJOBS_JOB_TTL_S.", EXIT_FAILURE
        )
    table = Table(show_header=False, box=None)
    table.add_row("job", record.id)
    for name in ("type", "target", "state", "stage"):
        table.add_row(name, record.fields.get(name, ""))
    table.add_row("progress", f"{record.progress:.0%}")
    for name in ("accepted_at", "started_at", "ended_at"):
        table.add_row(name.removesuffix("_at"), format_time(record.fields.get(name)))
    if record.reason:
        table.add_row("reason", record.reason)
    table.add_row("request", record.fields.get("params", ""))
    print_table(table)
    for sentence in log:
        click.echo(f"  {sentence}")


async def _job_and_log(redis: RedisClient, job_id: str) -> tuple[JobRecord | None, list[str]]:
    reader = JobReader(redis)
    return await reader.job(job_id), await reader.log(job_id)
