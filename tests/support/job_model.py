"""What the job script must do, said once more and simply: the jobs as plain objects, without streams or fair turns."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from podjobs.contract.job_states import JobState
from podjobs.contract.jobs import Job
from podjobs.contract.plans import Stage, StepSpec
from podjobs.contract.workflows import workflow_of

READY = ""
"""In the place of an entry's id: the step waits for its turn."""


Shape = Sequence[Sequence[tuple[str, float, bool]]]
"""Of a plan: for each step of each stage its function, its weight, and whether it needs what was done before."""


def stages_of(shape: Shape, prefix: str) -> tuple[Stage, ...]:
    """Stages of that shape; the ids of their steps begin with the prefix."""
    return tuple(
        Stage(
            name="stage",
            steps=tuple(
                StepSpec(
                    id=f"{prefix}-{number}-{place}",
                    function=function,
                    action="do",
                    weight=weight,
                    needs=("do",) if needs else (),
                )
                for place, (function, weight, needs) in enumerate(steps)
            ),
        )
        for number, steps in enumerate(shape)
    )


@dataclass
class ModelJob:
    """One run of a job."""

    job: Job
    state: JobState = JobState.QUEUED
    stages: list[Stage] = field(default_factory=list)
    open: dict[str, str] = field(default_factory=dict)
    """Open step → its entry's id, or READY."""
    specs: dict[str, StepSpec] = field(default_factory=dict)
    """The steps of the current stage, by id, in their order."""
    results: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    """Step → its action and its result."""
    restarts: int = 0
    is_cancelled: bool = False

    def ready(self, function: str) -> list[str]:
        """The steps that wait for a turn of that function, in their order."""
        return [step for step, spec in self.specs.items() if spec.function == function and self.open.get(step) == READY]

    def divert(self, state: JobState, stages: Sequence[Stage]) -> str:
        """Replace all that is left to do."""
        self.state, self.stages, self.open = state, list(stages), {}
        return self.advance()

    def advance(self) -> str:
        """Go on when the stage is done; returns the outcome of the operation that this is part of."""
        if self.open:
            return "continued"
        if not self.stages:
            ends = {JobState.FAILING: JobState.FAILED, JobState.SUPERSEDED: JobState.SUPERSEDED}
            state = ends.get(self.state, JobState.DONE)
            self.state = JobState.CANCELLED if self.is_cancelled and state == JobState.FAILED else state
            self.specs = {}
            return str(self.state)
        self.specs = {spec.id: spec for spec in self.stages.pop(0).steps}
        self.open = dict.fromkeys(self.specs, READY)
        return "continued"


class Model:
    """All jobs that were accepted."""

    def __init__(self) -> None:
        """No job was accepted yet."""
        self.jobs: dict[str, ModelJob] = {}
        """By their ids; a replayed job has a new run."""
        self.live: set[str] = set()
        """Those that have not ended."""
        self.current: dict[str, str] = {}
        """Target → the job that is not superseded and has not ended."""
        self.newest: dict[str, tuple[int, str]] = {}
        """Target → the highest position of its requests so far, and the job that was started last."""

    def accept(self, job: Job, position: int | None = None) -> tuple[str, str]:
        """Returns the outcome and the job that was superseded or supersedes it, or an empty string."""
        if job.id in self.jobs:
            return "duplicate", ""
        highest, newest = self.newest.get(job.target, (0, ""))
        if position is not None and position < highest:
            self.jobs[job.id] = ModelJob(job, JobState.SUPERSEDED)
            return "superseded", newest
        return "accepted", self.start(job, position)

    def start(self, job: Job, position: int | None = None) -> str:
        """Start a run. Returns the job that it supersedes."""
        highest, _ = self.newest.get(job.target, (0, ""))
        self.newest[job.target] = (highest if position is None else position, job.id)
        older = self.current.get(job.target, "")
        if older:
            model = self.jobs[older]
            self._after(older, model.divert(JobState.SUPERSEDED, workflow_of(model.job).discard_stages))
        self.jobs[job.id] = ModelJob(job)
        self.current[job.target] = job.id
        self.live.add(job.id)
        self.jobs[job.id].divert(JobState.QUEUED, [workflow_of(job).first_stage_of(job)])
        return older

    def replay(self, job: Job) -> tuple[str, str]:
        """As `accept`, for a job that has ended badly."""
        state = self.jobs[job.id].state
        return ("accepted", self.start(job)) if state in {JobState.FAILED, JobState.CANCELLED} else (str(state), "")

    def cancel(self, job_id: str) -> str:
        """An operator does not want a job. Returns the outcome."""
        job = self.jobs[job_id]
        if job.state not in {JobState.QUEUED, JobState.RUNNING}:
            return str(job.state)
        job.is_cancelled = True
        self._after(job_id, job.divert(JobState.FAILING, workflow_of(job.job).failure_stages))
        return "cancelled"

    def is_open(self, job_id: str, step_id: str, entry_id: str) -> bool:
        """Whether this very entry of a step counts."""
        return self.jobs[job_id].open.get(step_id) == entry_id

    def commit(self, job_id: str, spec: StepSpec, values: dict[str, Any], plan: Sequence[Stage] | None) -> str:
        """An open step is done. Returns the outcome."""
        job = self.jobs[job_id]
        del job.open[spec.id]
        job.results[spec.id] = (spec.action, values)
        if plan is not None:
            job.stages = list(plan)
        return self._after(job_id, job.advance())

    def fail(self, job_id: str, step_id: str) -> str:
        """An open step of the job failed for good. Returns the outcome."""
        job = self.jobs[job_id]
        if job.state == JobState.SUPERSEDED:
            return self._after(job_id, job.divert(job.state, []))
        if job.state == JobState.FAILING:  # the others follow: Pod is told although the report could not be written
            del job.open[step_id]
            outcome = self._after(job_id, job.advance())
            return "failing" if outcome == "continued" else outcome
        self._after(job_id, job.divert(JobState.FAILING, workflow_of(job.job).failure_stages))
        return "failing"

    def restart(self, job_id: str, limit: int) -> bool:
        """Begin a job anew. False if it cannot be."""
        job = self.jobs[job_id]
        if job.state != JobState.RUNNING:
            return False
        job.restarts += 1
        if job.restarts > limit:
            return False
        job.results = {}
        job.divert(job.state, [workflow_of(job.job).first_stage_of(job.job)])
        return True

    def _after(self, job_id: str, outcome: str) -> str:
        job = self.jobs[job_id]
        if outcome != "continued":
            self.live.discard(job_id)
            job.results = {}
            if self.current.get(job.job.target) == job_id:
                del self.current[job.job.target]
        return outcome
