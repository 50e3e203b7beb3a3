"""Drives real functions through a job in this process, as the adapter would, and times every step."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measure import Cost, measuring
from podjobs.contract.jobs import Job
from podjobs.contract.plans import Stage, StepSpec
from podjobs.encoding.settings import EncodingSettings
from podjobs.entry.endpoint import StepHandler
from podjobs.testing import JobRun


@dataclass(frozen=True)
class TimedStep:
    """A step that was performed. The CPU time is its own only where steps run one at a time."""

    stage: str
    step_id: str
    action: str
    cost: Cost


@dataclass
class MeasuredRun:
    """One job from its source to its published files."""

    media: Path
    """The media root; the sources are linked into it."""
    settings: EncodingSettings
    concurrency: int
    steps: list[TimedStep] = field(default_factory=list)
    run: JobRun | None = None
    _functions: dict[str, StepHandler] = field(default_factory=dict, repr=False)

    @property
    def _started(self) -> JobRun:
        if self.run is None:
            raise RuntimeError("The job has not been started.")
        return self.run

    def start(self, job: Job) -> Iterator[Stage]:
        """The stages of a job in turn; the stages of a plan replace those left."""
        self.run = JobRun(job, self._functions)
        self.restart_function()
        self.steps.clear()
        return self.run.stages()

    def restart_function(self) -> None:
        """Perform further steps by functions that know nothing of the ones before."""
        raise NotImplementedError

    def perform_all(self, stages: Iterator[Stage]) -> Cost:
        """Perform all stages but the one that notifies."""
        with measuring() as cost:
            for stage in stages:
                self.perform(stage)
        return cost

    def perform(self, stage: Stage) -> list[TimedStep]:
        """Run the steps of a stage in parallel, as far as the concurrency allows."""
        with ThreadPoolExecutor(self.concurrency) as pool:
            return list(pool.map(lambda spec: self.perform_step(stage, spec), stage.steps))

    def perform_step(self, stage: Stage, spec: StepSpec) -> TimedStep:
        """Run one step and keep its reply."""
        with measuring() as cost:
            self._started.perform_step(spec)
        timed = TimedStep(stage.name, spec.id, spec.action, cost)
        self.steps.append(timed)
        return timed

    def copy_result(self, made: StepSpec, wanted: StepSpec) -> None:
        """Take a step as done with the result of another one that is like it."""
        results = self._started.results
        results[wanted.id] = results[made.id]
