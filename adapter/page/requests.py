"""The conditions by which the page chooses jobs, as they stand in addresses and forms. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapter.inspection.job_filter import JobFilter
from podjobs.contract.job_states import JobState
from podjobs.contract.workflows import WORKFLOWS

STATES = tuple(state.value for state in JobState)
TYPES = tuple(WORKFLOWS)


@dataclass(frozen=True, slots=True)
class Conditions:
    """What was asked for."""

    filter: JobFilter
    given: dict[str, str]
    """As they were typed."""
    faults: list[str]
    """Names of those that cannot be read."""

    states: tuple[str, ...] = STATES
    types: tuple[str, ...] = TYPES


def read_conditions(found: Mapping[str, Any]) -> Conditions:
    """Read conditions; what is unknown is a fault, for a condition that is left out would choose more.

    Args:
        found: the fields of a form, or of an address.
    """
    names = ("state", "type", "owner", "since", "until", "reason")
    given = {name: str(found.get(name, "")).strip() for name in names}
    faults = []
    if given["state"] and given["state"] not in STATES:
        faults.append("state")
    if given["type"] and given["type"] not in TYPES:
        faults.append("type")
    times: dict[str, float | None] = {}
    for name in ("since", "until"):
        try:
            times[name] = datetime.fromisoformat(given[name]).timestamp() if given[name] else None
        except ValueError:
            faults.append(name)
            times[name] = None
    wanted = JobFilter(
        states=frozenset({given["state"]} - {""}),
        types=frozenset({given["type"]} - {""}),
        owner=given["owner"],
        since_s=times["since"],
        until_s=times["until"],
        reason=given["reason"],
    )
    return Conditions(wanted, given, faults)
