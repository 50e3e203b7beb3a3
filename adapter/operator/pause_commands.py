"""The commands that pause functions, and let them go on."""

import json

import click

from adapter.operator.terminal import EXIT_FAILURE, EXIT_USAGE, exit_with, operator_name, steer
from adapter.redis import keys
from adapter.steering.steering import SteeringError
from podjobs.contract.workflows import all_functions

ALL = "all"
_FUNCTION = click.Choice([ALL, *(function.name for function in all_functions())])


@click.command()
@click.argument("function", type=_FUNCTION)
@click.option("--reason", default="", help="Why; it is shown to whoever asks why a job waits.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def pause(function: str, reason: str, *, as_json: bool) -> None:
    """Deliver nothing more to FUNCTION, or to all; what runs there ends. Messages of Pod are still taken."""
    name = keys.ALL_FUNCTIONS if function == ALL else function
    try:
        steer(lambda steering: steering.pause(name, operator_name(), reason))
    except SteeringError as error:
        exit_with(str(error), EXIT_USAGE)
    if as_json:
        click.echo(json.dumps({"paused": function}))
    else:
        click.echo(f"{_named(function)} paused. `resume {function}` lets it go on.")


@click.command()
@click.argument("function", type=_FUNCTION)
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def resume(function: str, *, as_json: bool) -> None:
    """Deliver to FUNCTION again, or to all."""
    name = keys.ALL_FUNCTIONS if function == ALL else function
    was_paused = steer(lambda steering: steering.resume(name))
    left = steer(lambda steering: steering.paused())
    if as_json:
        click.echo(json.dumps({"resumed": function, "was_paused": was_paused, "paused": sorted(left)}))
    elif not was_paused:
        click.echo(f"{_named(function)} not paused{' by that name' if left else ''}.")
    else:
        click.echo(f"{_named(function)} no longer paused.")
    if keys.ALL_FUNCTIONS in left and function != ALL:
        exit_with("All functions are paused, this one with them. `resume all` lets them go on.", EXIT_FAILURE)


def _named(function: str) -> str:
    return "All functions are" if function == ALL else f"The function {function} is"
