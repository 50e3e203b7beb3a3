"""The command that examines everything, and says of each part that it is well, or what to change."""

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from adapter.inspection.visible_text import visible_line
from adapter.operator.terminal import EXIT_FAILURE, print_table, settings_or_exit
from adapter.settings import AdapterSettings, adapter_settings
from podjobs.contract.examinations import Finding, Verdict

PATIENCE_S = 5.0
END_S = 0.5
"""What of it printing and ending take; the start is measured."""
START_S = 0.6
"""Where it is not."""
SHORTEST_S = 2.5
"""What is given in any case, but for less patience: on a busy machine, the start may take all of the time."""
STYLES = {Verdict.OK: "green", Verdict.NOTE: "cyan", Verdict.UNCHECKED: "yellow", Verdict.FAULT: "bold red"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object: needs_operator, findings.")
@click.option(
    "--patience",
    "patience_s",
    type=click.FloatRange(min=1),
    metavar="SECONDS",
    default=PATIENCE_S,
    show_default=True,
    help="How long all of it may take. Functions that are scaled to zero start first: give them a minute.",
)
def check(*, as_json: bool, patience_s: float) -> None:
    """Examine settings, Redis, queues, adapters, functions, media, Pod and the LRS.

    The exit status is 1 if an operator is needed, 2 if settings are wrong.
    """
    settings = settings_or_exit(adapter_settings())
    findings = _examine(settings, max(min(SHORTEST_S, patience_s), patience_s - _age_s() - END_S))
    needs_operator = any(finding.verdict is Verdict.FAULT for finding in findings)
    if as_json:
        shown = [finding.model_dump(mode="json", exclude={"facts"}) for finding in findings]
        click.echo(json.dumps({"needs_operator": needs_operator, "findings": shown}, ensure_ascii=False))
    else:
        _print(findings)
    status = EXIT_FAILURE if needs_operator else 0
    sys.stdout.flush()
    if threading.active_count() > 1:
        os._exit(status)  # a look-up of a host's name has no limit, and would be waited for
    sys.exit(status)


def _age_s() -> float:
    """Seconds since this process was started. Source: proc(5), /proc/[pid]/stat, field 22."""
    try:
        ticks = int(Path("/proc/self/stat").read_text(errors="replace").rpartition(")")[2].split()[19])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError):
        return START_S


def _examine(settings: AdapterSettings, limit_s: float) -> list[Finding]:
    """Examine everything. Not by asyncio.run, which waits for threads that hang."""
    from adapter.checks.examination import examine  # noqa: PLC0415 - delays the start

    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(examine(settings, limit_s))
    finally:
        loop.close()


def _print(findings: Sequence[Finding]) -> None:
    table = Table("part", "state", "", box=None, pad_edge=False)
    for subject, members in groupby(findings, key=lambda finding: finding.subject):
        table.add_row(Text(subject, "bold"))
        for finding in members:
            style = STYLES[finding.verdict]
            part, said = Text(f"  {visible_line(finding.part)}"), Text(visible_line(finding.said))
            table.add_row(part, Text(finding.verdict.value, style), said)
    print_table(table)
