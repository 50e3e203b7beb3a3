"""The commands that cancel jobs, and run them anew: named ones, or all that match conditions."""

import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import click

from adapter.inspection.job_filter import JobFilter
from adapter.inspection.job_reader import JobReader
from adapter.inspection.job_record import JobRecord
from adapter.inspection.visible_text import visible_line
from adapter.operator.job_options import filter_options, find_job, names_conditions, read_filter
from adapter.operator.name_completion import complete_jobs
from adapter.operator.terminal import (
    EXIT_FAILURE,
    exit_with,
    format_time,
    new_table,
    operator_name,
    print_table,
    run_or_exit,
)
from adapter.plurals import counted
from adapter.record_settings import RecordSettings
from adapter.redis.connections import RedisClient, open_redis
from adapter.steering.selection import CANCELLABLE, BulkOutcome, cancel_all, retry_all, select_jobs
from adapter.steering.steering import Steering
from adapter.steps.records import Records
from podjobs.contract.job_states import JobState

CommandT = TypeVar("CommandT", bound=Callable[..., Any])
Change = Callable[[Steering, Sequence[str]], Awaitable[BulkOutcome]]
SHOWN = 20
"""Jobs that are listed before it is asked whether to go on."""


def _bulk_options(command: CommandT) -> CommandT:
    for option in (
        click.option("--json", "as_json", is_flag=True, help="As one JSON object."),
        click.option("--yes", is_flag=True, help="Do not ask."),
        click.option("--dry-run", is_flag=True, help="Only list the jobs; change nothing."),
    ):
        command = option(command)
    return filter_options(command)


@click.command()
@click.argument("job_names", metavar="[JOB…]", nargs=-1, shell_complete=complete_jobs)
@_bulk_options
@click.option("--why", default="", help="Why; it is shown in Pod, too.")
def cancel(job_names: tuple[str, ...], why: str, **options: Any) -> None:
    """Cancel jobs that wait or run. Pod is told that an administrator has cancelled them.

    JOB is an id, the beginning of one, video:NUMBER or recording:NUMBER. Without, the options choose: all jobs that
    match all of them.
    """
    by = operator_name()
    _change("cancelled", job_names, options, CANCELLABLE, lambda steering, ids: cancel_all(steering, ids, by, why))


@click.command()
@click.argument("job_names", metavar="[JOB…]", nargs=-1, shell_complete=complete_jobs)
@_bulk_options
def retry(job_names: tuple[str, ...], **options: Any) -> None:
    """Run jobs anew, from their beginning, that have failed or were cancelled; their dead letters are removed.

    JOB is an id, the beginning of one, video:NUMBER or recording:NUMBER. Without, the options choose: all failed jobs
    that match all of them.
    """
    _change("run anew", job_names, options, frozenset({JobState.FAILED.value}), retry_all)


def _change(done: str, names: Sequence[str], options: dict[str, Any], states: frozenset[str], change: Change) -> None:
    """Choose jobs, ask, change them, and say what was done.

    Args:
        done: what has been done to them, as a participle.
        names: those that are named.
        options: see `_bulk_options`.
        states: of the jobs that are meant if no state is named.
        change: does it.
    """
    if bool(names) == names_conditions(options):
        raise click.UsageError("Name jobs, or choose them by options such as --state or --since; not both.")
    wanted = read_filter(options, states)

    async def work(settings: RecordSettings) -> BulkOutcome | None:
        redis = open_redis(settings.jobs_url, text=True)
        try:
            chosen = await _choose(redis, names, wanted)
            if options["dry_run"] or not _confirm(done, chosen, yes=options["yes"], as_json=options["as_json"]):
                _say_chosen(done, chosen, as_json=options["as_json"])
                return None
            records = Records(redis, settings.podjobs_job_ttl_s, settings.podjobs_history_ttl_s)
            return await change(Steering(redis, records), [record.id for record in chosen])
        finally:
            await redis.aclose()

    outcome = run_or_exit(work)
    if outcome is not None:
        _say_done(done, outcome, as_json=options["as_json"])


async def _choose(redis: RedisClient, names: Sequence[str], wanted: JobFilter) -> list[JobRecord]:
    if names:
        reader = JobReader(redis)
        return [await find_job(reader, name) for name in names]
    chosen = await select_jobs(redis, wanted)
    if not chosen:
        exit_with("No job matches. `jobs` with the same options lists what there is.", EXIT_FAILURE)
    return chosen


def _confirm(done: str, chosen: Sequence[JobRecord], *, yes: bool, as_json: bool) -> bool:
    """Ask before many jobs are changed, if there is anybody to ask."""
    if yes or len(chosen) == 1:
        return True
    if as_json or not sys.stdin.isatty():
        exit_with(f"{len(chosen)} jobs would be {done}. Say --yes, or look at them with --dry-run.", EXIT_FAILURE)
    _say_chosen(done, chosen, as_json=False)
    click.confirm(f"Shall these {len(chosen)} jobs be {done}?", abort=True)
    return True


def _say_chosen(done: str, chosen: Sequence[JobRecord], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"would": done, "jobs": [record.id for record in chosen]}))
        return
    table = new_table("job", "type", "target", "state", "accepted", "reason")
    table.columns[0].no_wrap = True
    for record in chosen[:SHOWN]:
        accepted = format_time(record.accepted_at_s)
        table.add_row(record.id, record.type, record.target, record.state, accepted, record.reason)
    print_table(table)
    if len(chosen) > SHOWN:
        click.echo(f"… and {len(chosen) - SHOWN} more.")
    click.echo(f"{counted(len(chosen), 'job', 'jobs')} would be {done}.")


def _say_done(done: str, outcome: BulkOutcome, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"done": outcome.done, "refused": outcome.refused}))
    else:
        for job_id, why in outcome.refused.items():
            click.echo(visible_line(f"{job_id}: {why}"), err=True)
        click.echo(f"{counted(len(outcome.done), 'job was', 'jobs were')} {done}.")
    if outcome.refused:
        sys.exit(EXIT_FAILURE)
