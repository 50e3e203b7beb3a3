"""The command that has what nobody needs removed from the media storage.

Only functions touch media: so it asks for a recovery job (adapter/steps/recovery.py), as the adapter does by itself
four times a day, and waits for what its log says.
"""

import asyncio
import json
import time
from dataclasses import dataclass

import click

from adapter.inspection.job_reader import JobReader
from adapter.inspection.job_record import JobRecord
from adapter.operator.terminal import EXIT_FAILURE, exit_with, run_or_exit, say
from adapter.record_settings import RecordSettings
from adapter.redis.connections import open_redis
from adapter.steps.records import Records
from adapter.steps.recovery import KNOWN_LIMIT, new_recovery
from podjobs.contract.job_states import JobState

WAIT_S = 60
POLL_S = 0.2


@dataclass(frozen=True)
class Outcome:
    """What has become of the job."""

    record: JobRecord
    """As it was when it ended, or when there was no more time."""
    log: list[str]

    @property
    def state(self) -> str:
        """One of the values of JobState; empty if there is no such job any more."""
        return self.record.state

    def as_json(self) -> str:
        """For programs."""
        return json.dumps({"id": self.record.id, "state": self.state, "reason": self.record.reason, "log": self.log})

    def explain(self, waited_s: int) -> str:
        """What to say if it was not done, with the remedy; empty if it was."""
        job_id, reason = self.record.id, self.record.reason
        later = f"The job {job_id} goes on by itself; `job {job_id}` shows how it ends."
        match self.state:
            case JobState.DONE:
                return ""
            case JobState.FAILED | JobState.FAILING:
                return f"The job {job_id} has failed: {reason}"
            case JobState.SUPERSEDED:
                return f"The job {job_id} was superseded: somebody else has asked for the same."
            case JobState.QUEUED:
                why = "No adapter has taken it up: either none is running, or the function has other work to do."
                return f"Nothing was done within {waited_s} s. {why} {later}"
            case JobState.RUNNING:
                why = reason or "The function has not answered yet."
                return f"There is no result within {waited_s} s. {why} {later}"
            case _:
                return f"The job {job_id} is gone: Redis has lost its data, or somebody has deleted it. Ask again."


@click.command()
@click.option("--dry-run", is_flag=True, help="Remove nothing; say what would be removed.")
@click.option("--wait", "wait_s", type=click.IntRange(min=1), default=WAIT_S, show_default=True, help="Seconds.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def clean(wait_s: int, *, dry_run: bool, as_json: bool) -> None:
    """Remove what nobody needs from the media storage.

    That is: work folders of unknown jobs that have not changed for a day, and uploads that were begun more than a day
    ago and never completed. The encoding function does it, at once. The exit status is 1 if it could not.
    """
    outcome = run_or_exit(lambda settings: _request(settings, wait_s, dry_run=dry_run))
    if as_json:
        click.echo(outcome.as_json())
    else:
        for sentence in outcome.log:
            say(sentence)
    if sentence := outcome.explain(wait_s):
        exit_with(sentence, EXIT_FAILURE)


async def _request(settings: RecordSettings, wait_s: int, *, dry_run: bool) -> Outcome:
    """Store the job and wait until it has ended, or that long."""
    redis = open_redis(settings.jobs_url, text=True)
    try:
        job = await new_recovery(redis, dry_run=dry_run)
        if job is None:
            exit_with(
                f"More than {KNOWN_LIMIT} jobs are in work: what they need cannot be told from the rest. Try later.",
                EXIT_FAILURE,
            )
        await Records(redis, settings.podjobs_job_ttl_s).accept([job])
        return await _follow(JobReader(redis), job.id, time.monotonic() + wait_s)
    finally:
        await redis.aclose()


async def _follow(reader: JobReader, job_id: str, deadline_s: float) -> Outcome:
    while True:
        record = await reader.job(job_id) or JobRecord(job_id, {})
        if record.state not in {JobState.QUEUED, JobState.RUNNING} or time.monotonic() > deadline_s:
            return Outcome(record, await reader.log(job_id))
        await asyncio.sleep(POLL_S)
