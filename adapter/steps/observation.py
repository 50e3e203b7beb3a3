"""What one dispatch knows of the attempts it makes, and tells the observers."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from adapter.steps.entries import ClaimedStep
from adapter.steps.history import AttemptNote, AttemptOutcome
from adapter.steps.observer import AttemptEnd, JobEnd, StepObserver
from adapter.steps.outcomes import Committed
from podjobs.contract.errors import Problem
from podjobs.contract.job_states import JobState
from podjobs.contract.jobs import Job
from podjobs.contract.steps import Step
from podjobs.contract.usage import Usage

logger = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Begun:
    step: ClaimedStep
    job: Job
    failure: Problem | None
    """Why the job failed, if the step reports that."""
    at_s: float
    ran_s: float | None = None
    """Set once the attempt has ended and its observers know."""


class Observation:
    """Follows the attempts of one dispatch."""

    def __init__(self, owner: str, observers: Sequence[StepObserver]) -> None:
        """Tell these observers of what the adapter `owner` does."""
        self._owner = owner
        self._observers = observers
        self._begun: dict[str, _Begun] = {}

    def began(self, step: ClaimedStep, request: Step) -> None:
        """An attempt begins."""
        self._begun[step.entry_id] = _Begun(step, request.job, request.failure, time.monotonic())
        self._tell(lambda observer: observer.attempt_began(step, request))

    def note(self, step: ClaimedStep, reason: str = "", usage: Usage | None = None) -> AttemptNote | None:
        """What is to be stored of an attempt that ends now; None if it never began."""
        begun = self._begun.get(step.entry_id)
        if begun is None:
            return None
        return AttemptNote(self._owner, self._ran_s(begun), usage, reason)

    def ended(
        self, step: ClaimedStep, outcome: AttemptOutcome, problem: Problem | None = None, usage: Usage | None = None
    ) -> None:
        """An attempt has ended; further calls for it have no effect."""
        begun = self._begun.get(step.entry_id)
        if begun is None or begun.ran_s is not None:
            return
        begun.ran_s = time.monotonic() - begun.at_s
        end = AttemptEnd(step, outcome, begun.ran_s, usage, problem)
        self._tell(lambda observer: observer.attempt_ended(end))

    def committed(self, step: ClaimedStep, committed: Committed, usage: Usage | None) -> None:
        """A step's reply is stored, and its job may have ended with it."""
        is_dropped = committed.outcome == "duplicate"
        self.ended(step, AttemptOutcome.DROPPED if is_dropped else AttemptOutcome.DONE, usage=usage)
        if committed.outcome in list(JobState):
            self._job_ended(step, committed.outcome, committed.age_s)

    def failed(self, step: ClaimedStep, outcome: str, problem: Problem, usage: Usage | None = None) -> None:
        """A step has failed for good, and its job with it."""
        self.ended(step, AttemptOutcome.DROPPED if outcome == "duplicate" else AttemptOutcome.FAILED, problem, usage)
        if outcome in list(JobState):
            self._job_ended(step, outcome, 0.0, problem)

    def gave_up(self, job: Job | None, outcome: str, problem: Problem) -> None:
        """A step has no attempts left, and none was begun here."""
        if job is not None and outcome in list(JobState):
            end = JobEnd(job, outcome, 0.0, problem)
            self._tell(lambda observer: observer.job_ended(end))

    def forget(self, entry_id: str) -> None:
        """A step is no longer here."""
        begun = self._begun.get(entry_id)
        if begun:
            self.ended(begun.step, AttemptOutcome.DROPPED)
            del self._begun[entry_id]

    def _job_ended(self, step: ClaimedStep, state: str, age_s: float, problem: Problem | None = None) -> None:
        begun = self._begun.get(step.entry_id)
        if begun is None:
            return
        end = JobEnd(begun.job, state, age_s, problem or begun.failure)
        self._tell(lambda observer: observer.job_ended(end))

    def _tell(self, tell: Callable[[StepObserver], None]) -> None:
        for observer in self._observers:
            try:
                tell(observer)
            except Exception:
                # a blind catch: a bug of ours in metrics, traces or mails must not cost an attempt, or the dispatch
                logger.exception("Internal error in an observer of steps.", observer=type(observer).__name__)

    @staticmethod
    def _ran_s(begun: _Begun) -> float:
        return time.monotonic() - begun.at_s if begun.ran_s is None else begun.ran_s
