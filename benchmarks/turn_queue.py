"""Whose turn it is, as adapter/steps/lua/turns.lua decides it, without Redis: for simulations. Pure.

That both choose the same step on the same arrivals is tested with the real script.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

SHARES = 1_000_000
LEAST_LEFT_S = 60.0
ARRIVAL = 0.001

Step = TypeVar("Step")


def choose_share(left_s: float) -> int:
    """A job's share.

    Args:
        left_s: what is left to do of it, by weight.
    """
    return max(1, math.floor(SHARES / math.sqrt(max(LEAST_LEFT_S, left_s))))


@dataclass
class _Waiting(Generic[Step]):
    """A job in the queue."""

    share: int
    ready: deque[tuple[Step, float]]
    due: float = 0.0


@dataclass
class TurnQueue(Generic[Step]):
    """The queue of one function."""

    time: float = 0.0
    shares: int = 0
    _jobs: dict[str, _Waiting[Step]] = field(default_factory=dict)

    def __len__(self) -> int:
        """How many steps wait."""
        return sum(len(job.ready) for job in self._jobs.values())

    def __bool__(self) -> bool:
        """Whether any does."""
        return bool(self._jobs)

    def enter(self, name: str, share: int, steps: Sequence[tuple[Step, float]]) -> None:
        """A stage of a job begins.

        Args:
            name: the job's; it has no ready steps.
            share: as chosen for this stage.
            steps: each with its weight.
        """
        job = _Waiting(share, deque(steps))
        self._jobs[name] = job
        self.shares += share
        self.time += ARRIVAL
        self._await(job, self.time)

    def take(self) -> tuple[str, Step]:
        """Take the step that is due first: its job's name, and the step. There must be one."""
        name = min(self._jobs, key=lambda one: (self._jobs[one].due, one))
        job = self._jobs[name]
        step, weight = job.ready.popleft()
        self.time += weight * SHARES / max(1, self.shares)
        if job.ready:
            self._await(job, max(self.time, job.due))
        else:
            del self._jobs[name]
            self.shares -= job.share
            if not self._jobs:
                self.time, self.shares = 0.0, 0
        return name, step

    @staticmethod
    def _await(job: _Waiting[Step], since: float) -> None:
        job.due = since + job.ready[0][1] * SHARES / max(1, job.share)
