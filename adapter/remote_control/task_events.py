"""The events by which flower follows tasks: which of them a job's record has made due. Pure.

They are derived from the records, not noted while steps run: nothing is spent on them while nobody listens, whoever
comes late is told of what waits and runs, and what happened while Redis was away is told afterwards. A job that has
ended is remembered for some time, so that nothing is told twice.

Source: celery 5.7, docs/userguide/monitoring (event reference).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from adapter.inspection.job_record import JobRecord
from adapter.remote_control.tasks import TaskInfo
from podjobs.contract.job_states import JobState

RECEIVED, STARTED, ENDED = "received", "started", "ended"
REMEMBERED = 5000
"""Jobs that have ended."""


@dataclass(slots=True)
class Announcements:
    """What has been told of each job."""

    told: dict[str, frozenset[str]] = field(default_factory=dict)
    """Jobs that have not ended, as far as was told."""
    ended: dict[str, None] = field(default_factory=dict)

    def due(self, record: JobRecord, info: TaskInfo) -> list[dict[str, Any]]:
        """The events that have not been told of a job, in order; they count as told now.

        Args:
            record: of the job.
            info: the same as a task.
        """
        if record.id in self.ended:
            return []
        told = self.told.get(record.id, frozenset())
        due = [(phase, event) for phase, event in _events(record, info) if phase not in told]
        if any(phase == ENDED for phase, _ in due):
            self.told.pop(record.id, None)
            self.ended[record.id] = None
            while len(self.ended) > REMEMBERED:
                del self.ended[next(iter(self.ended))]
        else:
            self.told[record.id] = told | {phase for phase, _ in due}
        return [event for _, event in due]

    def unseen(self, seen: Iterable[str]) -> list[str]:
        """The jobs that were not seen this time, of those that had not ended: perhaps they have by now."""
        return sorted(self.told.keys() - set(seen))

    def drop(self, ids: Iterable[str]) -> None:
        """Forget jobs that are no longer known."""
        for job_id in ids:
            self.told.pop(job_id, None)

    def forget(self) -> None:
        """Begin anew: somebody listens who was told nothing."""
        self.told.clear()
        self.ended.clear()


def _events(record: JobRecord, info: TaskInfo) -> list[tuple[str, dict[str, Any]]]:
    """All events of a job so far, in order."""
    received = {
        "type": "task-received",
        "uuid": record.id,
        "name": info["name"],
        "timestamp": record.accepted_at_s,
        "args": repr(tuple(info["args"])),
        "kwargs": repr(info["kwargs"]),
        "retries": 0,
        "eta": None,
        "expires": None,
        "root_id": record.id,
        "parent_id": None,
    }
    events = [(RECEIVED, received)]
    started_at_s = record.number("started_at")
    if started_at_s:
        events.append((STARTED, {"type": "task-started", "uuid": record.id, "timestamp": started_at_s}))
    if not record.is_live:
        ended_at_s = record.number("ended_at")
        runtime_s = max(0.0, ended_at_s - (started_at_s or ended_at_s))
        events.append((ENDED, {"uuid": record.id, "timestamp": ended_at_s, **_outcome(record, runtime_s)}))
    return events


def _outcome(record: JobRecord, runtime_s: float) -> dict[str, Any]:
    match record.state:
        case JobState.DONE:
            return {"type": "task-succeeded", "result": "'done'", "runtime": runtime_s}
        case JobState.FAILED:
            return {"type": "task-failed", "exception": record.reason or "It has failed.", "traceback": ""}
        case _:  # cancelled, or superseded by a newer one
            return {"type": "task-revoked", "terminated": runtime_s > 0, "signum": None, "expired": False}
