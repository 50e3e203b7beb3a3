"""The commands that list the adapters, and drain one before it is stopped."""

import json
import socket
import time

import click

from adapter.about import AdapterAbout, AdapterState
from adapter.operator.name_completion import complete_adapters
from adapter.operator.terminal import EXIT_FAILURE, exit_with, format_time, new_table, print_table, steer

POLL_S = 1.0


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def adapters(*, as_json: bool) -> None:
    """List the adapters that were heard of lately."""
    found = steer(lambda steering: steering.adapters())
    if as_json:
        for about in found:
            click.echo(json.dumps(about.as_fields()))
        return
    table = new_table("adapter", "state", "version", "since", "queues", "functions", "pages")
    table.columns[0].no_wrap = True
    for about in found:
        slots = ", ".join(f"{name} {count}" for name, count in about.slots.items())
        queues = ", ".join(about.queues)
        table.add_row(about.id, about.state, about.version, format_time(about.started_at), queues, slots, about.http)
    print_table(table)
    if not found:
        exit_with("No adapter runs: start one with `podjobs run`, or scripts/up.", EXIT_FAILURE)


@click.command()
@click.argument("adapter", required=False, shell_complete=complete_adapters)
@click.option("--wait", is_flag=True, help="Return once it has finished all that it had.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def drain(adapter: str | None, *, wait: bool, as_json: bool) -> None:
    """Make an adapter take nothing more and finish what it has, so that stopping it breaks off no step.

    ADAPTER is its name, or the beginning of it; without, it is the one on this machine. Other adapters go on. Only a
    restart of the adapter ends it.
    """
    chosen = _choose(steer(lambda steering: steering.adapters()), adapter or socket.gethostname())
    steer(lambda steering: steering.drain(chosen.id))
    while wait and _state(chosen.id) not in {AdapterState.DRAINED.value, ""}:
        time.sleep(POLL_S)
    if as_json:
        click.echo(json.dumps({"adapter": chosen.id, "state": _state(chosen.id)}))
    elif wait:
        click.echo(f"The adapter {chosen.id} has nothing left and can be stopped.")
    else:
        click.echo(
            f"The adapter {chosen.id} takes nothing more within some seconds. `adapters` shows when it is drained."
        )


def _choose(known: list[AdapterAbout], name: str) -> AdapterAbout:
    found = [about for about in known if about.id.startswith(name)]
    if not found:
        exit_with(f"No adapter's name begins with {name!r}. `adapters` lists those that run.", EXIT_FAILURE)
    if len(found) > 1:
        names = ", ".join(about.id for about in found)
        exit_with(f"{len(found)} adapters' names begin with {name!r}: {names}. Name one of them.", EXIT_FAILURE)
    return found[0]


def _state(adapter_id: str) -> str:
    """What the adapter does; empty if it has ended."""
    found = steer(lambda steering: steering.adapters())
    return next((about.state for about in found if about.id == adapter_id), "")
