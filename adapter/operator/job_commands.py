"""The commands that show jobs."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import click

from adapter.inspection.durations import format_seconds
from adapter.inspection.job_reader import JobReader
from adapter.inspection.job_record import JobRecord
from adapter.operator.job_options import filter_options, find_job, read_filter
from adapter.operator.name_completion import complete_jobs
from adapter.operator.terminal import ask_redis, format_time, new_table, print_table, say, settings_or_exit
from adapter.record_settings import RecordSettings
from adapter.redis.connections import RedisClient
from adapter.steps.history import Attempt, RunningStep
from podjobs.language_settings import LanguageSettings

if TYPE_CHECKING:
    from rich.table import Table


@click.command()
@filter_options
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most this many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def jobs(limit: int, *, as_json: bool, **conditions: Any) -> None:
    """List jobs, newest first."""
    found = ask_redis(lambda redis: JobReader(redis).jobs(read_filter(conditions), limit))
    if as_json:
        for record in found:
            click.echo(json.dumps({"id": record.id, "owner": record.owner, **record.fields}))
        return
    table = new_table("job", "type", "target", "state", "stage", "%", "accepted", "reason")
    table.columns[0].no_wrap = True
    for record in found:
        table.add_row(
            record.id,
            record.type,
            record.target,
            record.state,
            record.fields.get("stage"),
            f"{record.progress:.0%}",
            format_time(record.accepted_at_s),
            record.reason,
        )
    print_table(table)


@dataclass(frozen=True, slots=True)
class _Job:
    """All that is known of a job."""

    record: JobRecord
    log: list[str]
    attempts: list[Attempt]
    running: list[RunningStep]
    gone: dict[str, float]
    """See JobReader.gone_owners."""
    told: str
    """What people are told in Pod of its failure; empty: nothing."""

    def as_json(self) -> str:
        """For programs."""
        return json.dumps(
            {
                "id": self.record.id,
                "owner": self.record.owner,
                "progress": round(self.record.progress, 4),
                **self.record.fields,
                **({"params": self.record.shown_request} if "params" in self.record.fields else {}),
                "told": self.told,
                "running": [asdict(step) | {"is_gone": step.owner in self.gone} for step in self.running],
                "attempts": [asdict(attempt) for attempt in self.attempts],
                "log": self.log,
            }
        )


@click.command()
@click.argument("job_name", metavar="JOB", shell_complete=complete_jobs)
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def show(job_name: str, *, as_json: bool) -> None:
    """Show one job: what was requested, how its steps went, and its log.

    JOB is its id, the beginning of its id, or video:NUMBER (or recording:NUMBER) for the newest job of that.
    """
    job = ask_redis(lambda redis: _read(redis, job_name))
    if as_json:
        click.echo(job.as_json())
        return
    print_table(_facts(job.record, job.told))
    if job.running or job.attempts:
        click.echo("\nSteps:")
        print_table(_steps(job))
    if job.log:
        click.echo("\nLog:")
        for sentence in job.log:
            say(f"  {sentence}")


async def _read(redis: RedisClient, name: str) -> _Job:
    reader = JobReader(redis)
    record = await find_job(reader, name)
    running = [step for step in await reader.running() if step.job_id == record.id]
    gone = await reader.gone_owners(running, settings_or_exit(RecordSettings).podjobs_lease_s)
    told = record.told(settings_or_exit(LanguageSettings).language) if record.fields.get("error") else ""
    return _Job(record, await reader.log(record.id), await reader.attempts(record.id), running, gone, told)


def _facts(record: JobRecord, told: str) -> "Table":
    table = new_table("", "")
    table.show_header = False
    table.add_row("job", record.id)
    for name in ("type", "target", "state", "stage"):
        table.add_row(name, record.fields.get(name, ""))
    if record.client:
        table.add_row("client", record.client)
    table.add_row("progress", f"{record.progress:.0%}")
    for name in ("accepted_at", "started_at", "ended_at"):
        table.add_row(name.removesuffix("_at"), format_time(record.fields.get(name)))
    if record.number("attempts"):
        retries = f", {record.number('retries'):.0f} without success" if record.number("retries") else ""
        table.add_row("attempts", f"{record.number('attempts'):.0f}{retries}")
        table.add_row("work", format_seconds(record.number("worked_s")))
    if by := record.fields.get("cancelled_by"):
        table.add_row("cancelled by", by)
    if record.reason:
        table.add_row("reason", record.reason)
    if told:
        table.add_row("users are told", told)
    table.add_row("request", record.shown_request)
    return table


def _doing(step: RunningStep, gone: Mapping[str, float]) -> str:
    since = f"since {format_time(step.since_s)}"
    if step.owner not in gone:
        return f"runs {since}"
    silent = f", silent for {format_seconds(gone[step.owner])}" if gone[step.owner] else ""
    return f"begun {since}; its adapter is gone{silent}"


def _steps(job: _Job) -> "Table":
    """What runs first, then what has ended, latest first."""
    table = new_table("step", "function", "attempt", "outcome", "waited", "ran", "ended", "reason")
    table.columns[0].no_wrap = True
    for step in job.running:
        table.add_row(step.step, step.function, str(step.attempt), _doing(step, job.gone))
    for attempt in reversed(job.attempts):
        table.add_row(
            attempt.step,
            attempt.function,
            str(attempt.number),
            attempt.outcome,
            format_seconds(max(0.0, attempt.taken_at - attempt.ready_at)),
            format_seconds(attempt.ran_s),
            format_time(attempt.ended_at),
            attempt.reason,
        )
    return table
