"""What this adapter has seen of steps and jobs since it started: durations and what steps have used.

Counted without Prometheus' library, which is loaded when somebody asks for the numbers; adding to them takes
microseconds.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field

from adapter.counts import Count
from adapter.steps.entries import ClaimedStep
from adapter.steps.observer import AttemptEnd, JobEnd
from podjobs.contract.job_states import JobState
from podjobs.contract.steps import Step

ATTEMPT_BOUNDS_S = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600)
"""A step has fifteen minutes, unless its plan gives it more."""
JOB_BOUNDS_S = (1, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 43200, 86400)
MOST_ACTIONS = 200
"""Actions come from the functions' plans: whatever these say, there are no more than so many series."""
OTHER = "other"
_ENDED = frozenset({JobState.DONE, JobState.FAILED, JobState.SUPERSEDED, JobState.CANCELLED})


@dataclass(slots=True)
class Distribution:
    """How often something took how long."""

    bounds_s: tuple[float, ...]
    counts: list[int] = field(init=False)
    """How many are above the bound before and not above this one; at last, above all."""
    sum_s: float = 0.0

    def __post_init__(self) -> None:
        """Begin with nothing."""
        self.counts = [0] * (len(self.bounds_s) + 1)

    def add(self, took_s: float) -> None:
        """Count one."""
        self.counts[bisect_left(self.bounds_s, took_s)] += 1
        self.sum_s += took_s


class Distributions:
    """A distribution for each combination of labels."""

    def __init__(self, bounds_s: tuple[float, ...]) -> None:
        """Begin with nothing."""
        self._bounds_s = bounds_s
        self._found: dict[tuple[str, ...], Distribution] = {}

    def add(self, took_s: float, *labels: str) -> None:
        """Count one."""
        if labels not in self._found:
            self._found[labels] = Distribution(self._bounds_s)
        self._found[labels].add(took_s)

    @property
    def found(self) -> Mapping[tuple[str, ...], Distribution]:
        """The distributions by their labels."""
        return self._found


class Observed:
    """Observes steps and jobs; a StepObserver."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.attempts = Distributions(ATTEMPT_BOUNDS_S)
        self.jobs = Distributions(JOB_BOUNDS_S)
        self.cpu_s, self.memory_byte_s, self.read_bytes, self.written_bytes = Count(), Count(), Count(), Count()
        self._actions: set[tuple[str, str]] = set()

    def attempt_began(self, step: ClaimedStep, request: Step) -> None:
        """See StepObserver."""

    def attempt_ended(self, end: AttemptEnd) -> None:
        """See StepObserver."""
        function, usage = end.step.function, end.usage
        self.attempts.add(end.ran_s, function, self._action(function, end.step.spec.action), end.outcome.value)
        if usage is not None:
            self.cpu_s.add(function, number=usage.cpu_s)
            self.memory_byte_s.add(function, number=usage.memory_bytes * end.ran_s)
            self.read_bytes.add(function, number=usage.read_bytes)
            self.written_bytes.add(function, number=usage.written_bytes)

    def job_ended(self, end: JobEnd) -> None:
        """See StepObserver. A job whose last step failed has no known age: it is not among the durations."""
        if end.state in _ENDED and end.age_s > 0:
            self.jobs.add(end.age_s, end.job.type, end.state)

    def _action(self, function: str, action: str) -> str:
        if (function, action) not in self._actions:
            if len(self._actions) >= MOST_ACTIONS:
                return OTHER
            self._actions.add((function, action))
        return action
