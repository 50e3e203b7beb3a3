"""The command that has this server perform steps: it becomes the workers of a function (podjobs/entry/rq)."""

import os
import sys
from pathlib import Path

import click

from podjobs.contract.workflows import all_functions

FUNCTIONS = Path(__file__).resolve().parents[2] / "functions"


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("function", type=click.Choice([function.name for function in all_functions()]))
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def worker(function: str, options: tuple[str, ...]) -> None:
    """Perform steps of FUNCTION on this server, which pulls them from its queue of RQ, until SIGTERM.

    --concurrency N: how many at once.  [default: as many as there are processors; transcription: 1]

    --queue NAME: the queue.  [default: the function's name]
    """
    source = FUNCTIONS / function / "main.py"
    argv = [sys.executable, "-m", "podjobs.entry.rq", "--source", str(source), *options]
    os.execv(sys.executable, argv)  # noqa: S606 - the same Python, our own module
