"""`python -m adapter`: runs the adapter, and the operator's commands."""

import asyncio

import click

from adapter.operator.adopt_command import adopt
from adapter.operator.check_command import check
from adapter.operator.clean_command import clean
from adapter.operator.dead_letter_commands import dead
from adapter.operator.handback_command import handback, takeover
from adapter.operator.job_commands import job, jobs
from adapter.operator.terminal import EXIT_FAILURE, exit_with, settings_or_exit
from adapter.operator.worker_command import worker
from adapter.process import run_adapter
from adapter.settings import adapter_settings
from podjobs.logs import configure_logs


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def adapter() -> None:
    """Moves Pod's jobs from Redis to the functions."""


@adapter.command()
def run() -> None:
    """Run the adapter until SIGTERM."""
    settings = settings_or_exit(adapter_settings())
    configure_logs("adapter", settings.podjobs_log_level)
    try:
        asyncio.run(run_adapter(settings))
    except OSError as error:
        exit_with(
            f"The adapter cannot serve its health pages: {error}. Set PODJOBS_HEALTH_PORT to a free port.",
            EXIT_FAILURE,
        )


for command in (jobs, job, dead, check, adopt, clean, worker, handback, takeover):
    adapter.add_command(command)

if __name__ == "__main__":
    adapter(prog_name="python -m adapter")
