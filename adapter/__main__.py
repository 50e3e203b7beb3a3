"""`python -m adapter`: runs the adapter, and the operator's commands."""

import click

from adapter.operator.command_group import CommandGroup

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


if __name__ == "__main__":
    adapter(prog_name="python -m adapter")
