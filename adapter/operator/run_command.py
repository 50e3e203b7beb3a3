"""The command that is the adapter itself."""

import asyncio

import click

from adapter.operator.terminal import EXIT_FAILURE, exit_with, settings_or_exit
from adapter.settings import adapter_settings
from podjobs.logs import configure_logs


@click.command()
def run() -> None:
    """Run the adapter until SIGTERM."""
    from adapter.process import run_adapter  # noqa: PLC0415 - the help of all commands does not need it

    settings = settings_or_exit(adapter_settings())
    configure_logs("adapter", settings.podjobs_log_level)
    try:
        asyncio.run(run_adapter(settings))
    except OSError as error:
        exit_with(
            f"The adapter cannot serve its health pages: {error}. Set PODJOBS_HEALTH_PORT to a free port.",
            EXIT_FAILURE,
        )
