"""Who is told what happens to steps and jobs: metrics, traces, mail. They change nothing."""

from dataclasses import dataclass
from typing import Protocol

from adapter.steps.entries import ClaimedStep
from adapter.steps.history import AttemptOutcome
from podjobs.contract.errors import Problem
from podjobs.contract.jobs import Job
from podjobs.contract.steps import Step
from podjobs.contract.usage import Usage


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """An attempt has ended."""

    step: ClaimedStep
    outcome: AttemptOutcome
    ran_s: float
    usage: Usage | None = None
    problem: Problem | None = None
    """Why it was not done."""


@dataclass(frozen=True, slots=True)
class JobEnd:
    """A job has ended, or has failed and goes on to report that."""

    job: Job
    state: str
    """A JobState; `failing` when a step has failed for good, and later the final state."""
    age_s: float
    """Seconds since it was accepted; 0 if it is failing."""
    problem: Problem | None = None
    """Why it failed, when it does."""


class StepObserver(Protocol):
    """Is told of what this adapter does. Must neither raise nor block: it is called in the dispatch."""

    def attempt_began(self, step: ClaimedStep, request: Step) -> None:
        """A step is about to be delivered."""

    def attempt_ended(self, end: AttemptEnd) -> None:
        """The attempt that began last for this step has ended."""

    def job_ended(self, end: JobEnd) -> None:
        """What the job has become."""
