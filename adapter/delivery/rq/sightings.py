"""Which jobs are well, judged by what several looks have shown. Pure.

A single look proves nothing: a job may change between two commands. And no wall clock is compared: a worker is alive
while its heartbeat changes (adapter/liveness.py).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from adapter.liveness import Liveness

LOOK_S = 5.0
"""Between two looks."""
DEAD_S = 30.0
"""How long a worker may be silent. It beats every 5 s (podjobs.contract.rq_jobs)."""
MISSED_LOOKS = 3
"""So often a job must look strange until it is believed."""
STARTED, QUEUED = "started", "queued"


@dataclass(frozen=True, slots=True)
class JobSight:
    """What one look shows of a job."""

    status: str | None
    """None: Redis does not have it."""
    worker: str
    """Who performs it."""
    beat: str | None
    """The worker's latest heartbeat, if it is at work on this job."""
    is_between: bool
    """A worker has taken it from the queue, and has not begun it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done about jobs."""

    orphaned: Mapping[str, str] = field(default_factory=dict)
    """Those whose worker is dead → the worker."""
    lost: frozenset[str] = frozenset()
    """Those of which no answer can come: Redis does not have them, or has no result."""
    stranded: frozenset[str] = frozenset()
    """Those whose worker died before it had begun them: nothing was done, they go back to the queue."""


class Sightings:
    """What was seen of the jobs that are waited for."""

    def __init__(self) -> None:
        """Begin without having seen any."""
        self._liveness = Liveness()
        self._strange: dict[tuple[str, str], int] = {}
        """How often in a row a job was seen so."""

    def judge(self, seen: Mapping[str, JobSight], now_s: float) -> Verdict:
        """Note a look.

        Args:
            seen: each job that is waited for.
            now_s: by the monotonic clock.
        """
        started = {job_id: sight for job_id, sight in seen.items() if sight.status == STARTED}
        beats = {job_id: sight.beat for job_id, sight in started.items()}
        alive = self._liveness.look(beats, now_s, DEAD_S)
        self._count((job_id, _strangeness(sight)) for job_id, sight in seen.items() if _strangeness(sight))
        return Verdict(
            orphaned={job_id: sight.worker for job_id, sight in started.items() if job_id not in alive},
            lost=self._believed("lost"),
            stranded=self._believed("stranded"),
        )

    def forget(self) -> None:
        """Begin anew: Redis was away, so nobody could beat."""
        self._liveness.forget()
        self._strange.clear()

    def _count(self, strange: Iterable[tuple[str, str]]) -> None:
        self._strange = {key: self._strange.get(key, 0) + 1 for key in strange}

    def _believed(self, kind: str) -> frozenset[str]:
        return frozenset(job for (job, seen), looks in self._strange.items() if seen == kind and looks >= MISSED_LOOKS)


def _strangeness(sight: JobSight) -> str:
    """What is strange about a job; empty: nothing."""
    if sight.status == QUEUED:
        return "stranded" if sight.is_between else ""
    # that of one that has ended is read at once
    return "" if sight.status == STARTED else "lost"
