"""What needs an administrator first, with the place on the page where something can be done about it. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapter.inspection.durations import format_seconds
from adapter.inspection.job_record import JobRecord
from adapter.inspection.overview import (
    DEAD_LETTERS,
    FAILED_JOBS,
    NO_ADAPTER,
    PAUSED_FUNCTION,
    QUEUE_AWAY,
    QUEUE_HANDED_BACK,
    SILENT_ADAPTER,
    Overview,
    Remark,
)
from adapter.plurals import Plural
from podjobs.contract.errors import Problem

OLD_S = 3600.0
"""A job that waits longer for its turn is old."""
MANY = 3
"""So many jobs with the same trouble: it is not one job's own."""

QUEUE_CLOSED = "Messages stay on the queue %(queue)s: %(reason)s"
OLD_BACKLOG = Plural(
    "At the function %(function)s a job has waited for its turn for %(time)s; %(count)s step waits.",
    "At the function %(function)s a job has waited for its turn for %(time)s; %(count)s steps wait.",
)
SHARED_TROUBLE = Plural(
    "A job does not get on: %(reason)s", "Jobs do not get on (%(count)s of those shown here): %(reason)s"
)

_PLACES = {
    FAILED_JOBS.one: "/jobs?state=failed",
    DEAD_LETTERS.one: "/dead",
    PAUSED_FUNCTION.one: "/#functions",
    OLD_BACKLOG.one: "/#functions",
    NO_ADAPTER: "/#adapters",
    SILENT_ADAPTER: "/#adapters",
    QUEUE_AWAY: "/#adapters",
    QUEUE_HANDED_BACK: "/#adapters",
    QUEUE_CLOSED: "/#adapters",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that needs an administrator."""

    remark: Remark
    place: str = ""
    """An address below the page's root; empty: the remark says all there is."""


def find_notices(overview: Overview, obstacles: Mapping[str, str], records: Sequence[JobRecord]) -> list[Notice]:
    """Find what needs an administrator, the worst first.

    Args:
        overview: of everything.
        obstacles: queue → why messages stay on it.
        records: jobs that have not ended.
    """
    closed = [Remark(QUEUE_CLOSED, {"queue": queue, "reason": why}) for queue, why in sorted(obstacles.items())]
    old = [
        Remark.counting(OLD_BACKLOG, one.waiting, function=one.name, time=format_seconds(one.oldest_s))
        for one in overview.functions
        if one.oldest_s > OLD_S and one.paused_since is None
    ]
    remarks = [*closed, *_troubles(records), *overview.attention, *old]
    return [Notice(remark, _PLACES.get(remark.text, "")) for remark in remarks]


def _troubles(records: Sequence[JobRecord]) -> list[Remark]:
    """What several jobs suffer from, or one alone that no job can get over by itself."""
    counted = Counter(record.reason for record in records if record.reason)
    shut_out = {record.reason for record in records if _is_shut_out(record)}
    return [
        Remark.counting(SHARED_TROUBLE, jobs, reason=reason)
        for reason, jobs in counted.most_common()
        if jobs >= MANY or reason in shut_out
    ]


def _is_shut_out(record: JobRecord) -> bool:
    """Whether Pod, or a function, does not accept what it is shown."""
    try:
        return Problem.model_validate_json(record.fields.get("trouble", "")).is_shut_out
    except ValueError:
        return False
