"""`python -m adapter`: runs the adapter, and the operator's commands."""

import asyncio

import click

from adapter.operator.command_group import CommandGroup
from adapter.operator.completion_command import VARIABLE
from adapter.operator.terminal import EXIT_FAILURE, EXIT_USAGE, exit_with, settings_or_exit

EXIT_STATUSES = """\b
Exit status:
  0  all is well, or it was done
  1  something needs an operator, or was not done
  2  the command or the settings are not valid
  3  Redis does not answer
"""


@click.group(cls=CommandGroup, epilog=EXIT_STATUSES, context_settings={"help_option_names": ["-h", "--help"]})
def adapter() -> None:
    """Moves Pod's jobs from Redis to the functions, and shows and changes what becomes of them."""


@adapter.command()
def run() -> None:
    """Run the adapter until SIGTERM."""
    from adapter.process import run_adapter  # noqa: PLC0415 - no other command needs it
    from adapter.settings import adapter_settings  # noqa: PLC0415
    from podjobs.logs import configure_logs  # noqa: PLC0415
    from podjobs.settings import SettingsError  # noqa: PLC0415

    settings = settings_or_exit(adapter_settings())
    configure_logs("adapter", settings.podjobs_log_level)
    try:
        asyncio.run(run_adapter(settings))
    except OSError as error:
        exit_with(
            f"The adapter cannot serve its pages: {error}. Set PODJOBS_HEALTH_PORT, or PODJOBS_RUNNER_PORT if it is "
            "that one, to a free port.",
            EXIT_FAILURE,
        )
    except SettingsError as error:
        exit_with(str(error), EXIT_USAGE)


if __name__ == "__main__":
    adapter(prog_name="podjobs", complete_var=VARIABLE)
