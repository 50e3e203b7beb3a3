"""The command that says why a job waits, and when it will be ready."""

import json
import sys

import click

from adapter.inspection.forecast.explanation import Explanation, explain
from adapter.inspection.job_reader import JobReader
from adapter.operator.job_options import named_job
from adapter.operator.name_completion import complete_jobs
from adapter.operator.terminal import EXIT_FAILURE, run_or_exit, say
from adapter.record_settings import RecordSettings
from adapter.redis.connections import open_redis


@click.command()
@click.argument("job_name", metavar="JOB", shell_complete=complete_jobs)
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def why(job_name: str, *, as_json: bool) -> None:
    """Say what a job waits for, and when it will be ready.

    JOB is its id, the beginning of its id, or video:NUMBER (or recording:NUMBER) for the newest job of that. The id of
    a message that is still on Pod's queue is known, too.
    """
    found = run_or_exit(lambda settings: _explain(settings, job_name))
    if as_json:
        click.echo(json.dumps(found.as_json()))
    else:
        for sentence in found.sentences:
            say(sentence)
    if not found.state:
        sys.exit(EXIT_FAILURE)


async def _explain(settings: RecordSettings, name: str) -> Explanation:
    jobs, broker = open_redis(settings.jobs_url, text=True), open_redis(settings.broker_url, text=False)
    try:
        record = await named_job(JobReader(jobs), name)
        return await explain(jobs, record.id if record else name, broker)
    finally:
        await jobs.aclose()
        await broker.aclose()
