"""How operators say which jobs they mean: by id, the beginning of one, a number in Pod, or by conditions."""

import re
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import click

from adapter.door.celery_studio import RECORDING
from adapter.inspection.job_filter import JobFilter
from adapter.inspection.job_reader import JobReader
from adapter.inspection.job_record import JobRecord
from adapter.operator.terminal import EXIT_FAILURE, exit_with
from podjobs.contract.job_states import JobState
from podjobs.contract.workflows import WORKFLOWS

CommandT = TypeVar("CommandT", bound=Callable[..., Any])
_TARGETS = {"video:": "", "recording:": RECORDING}
"""How the names of jobs begin that are those of a number in Pod, and how their targets begin."""
_AGE = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Moment(click.ParamType[float]):
    """A time: how long ago (90s, 30m, 2h, 3d), or a date and time of the local clock."""

    name = "when"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds since the epoch."""
        if isinstance(value, float):
            return value
        if age := _AGE.fullmatch(value):
            return time.time() - float(age[1]) * _UNITS_S[age[2]]
        try:
            return datetime.fromisoformat(value).timestamp()
        except ValueError:
            self.fail(
                f"{value!r} is no time. Say how long ago, as 30m, 2h or 3d, or a date, as 2026-01-31.", param, ctx
            )


def filter_options(command: CommandT) -> CommandT:
    """Give a command the options that choose jobs; `read_filter` reads them."""
    states = click.Choice([state.value for state in JobState])
    options = [
        click.option("--state", "states", type=states, multiple=True, help="Only jobs in this state; may be repeated."),
        click.option(
            "--type", "types", type=click.Choice(list(WORKFLOWS)), multiple=True, help="Only jobs of this type."
        ),
        click.option("--owner", default="", help="Only jobs of this owner: the folder below Pod's `videos`."),
        click.option("--since", "since_s", type=Moment(), help="Only jobs accepted since then: 2h, 3d, 2026-01-31."),
        click.option("--until", "until_s", type=Moment(), help="Only jobs accepted before then."),
        click.option("--reason", default="", help="Only jobs whose reason contains this."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def read_filter(options: dict[str, Any], default_states: frozenset[str] = frozenset()) -> JobFilter:
    """Make a filter of the options.

    Args:
        options: as click hands them over.
        default_states: if no state is named.
    """
    return JobFilter(
        states=frozenset(options["states"]) or default_states,
        types=frozenset(options["types"]),
        owner=options["owner"],
        since_s=options["since_s"],
        until_s=options["until_s"],
        reason=options["reason"],
    )


def names_conditions(options: dict[str, Any]) -> bool:
    """Whether any condition was given."""
    return any(
        options[name] not in {(), "", None} for name in ("states", "types", "owner", "since_s", "until_s", "reason")
    )


async def find_job(reader: JobReader, name: str) -> JobRecord:
    """Find the one job that an operator means; otherwise end the process and say why. Arguments as of `named_job`."""
    record = await named_job(reader, name)
    if record is None:
        kept = "The record of an ended job is deleted after PODJOBS_JOB_TTL_S."
        exit_with(f"There is no job {name!r}. {kept}", EXIT_FAILURE)
    return record


async def named_job(reader: JobReader, name: str) -> JobRecord | None:
    """Find the one job that an operator means; None: there is none. If there are several, end the process.

    Args:
        reader: reads the records.
        name: its id, the beginning of its id, or `video:` or `recording:` and a number in Pod, for the newest job of
            that.
    """
    record = await reader.job(name)
    if record is not None:
        return record
    for prefix, target in _TARGETS.items():
        if name.startswith(prefix):
            return await reader.of_target(f"{target}{name.removeprefix(prefix)}")
    ids = await reader.ids_beginning(name)
    if len(ids) > 1:
        some = ", ".join(ids[:5])
        exit_with(f"{len(ids)} jobs begin with {name!r}: {some}. Say more of the id.", EXIT_FAILURE)
    return await reader.job(ids[0]) if ids else None
