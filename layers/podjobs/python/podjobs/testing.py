"""Runs whole jobs in one process, without Redis or an adapter, for tests of functions.

    run = JobRun(job, {"encoding": EncodingFunction(tools, storage, settings)}, concurrency=2)
    run.run()                      # all stages, in their order
    run.results, run.log           # the results of the steps, and the job's log

Steps of functions that are not given, such as the notification, are skipped. `FakePodApi` and `FakeLrs` stand in for
Pod and an LRS.
"""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from podjobs.contract.errors import PermanentError, Problem, StepError
from podjobs.contract.jobs import Job
from podjobs.contract.message_contracts import StepReply
from podjobs.contract.plans import Plan, Stage, StepSpec
from podjobs.contract.ports.lrs import LrsAnswer
from podjobs.contract.ports.pod import PodAnswer, VideoState, VideoTopic
from podjobs.contract.relocations import Relocation, Whereabouts
from podjobs.contract.steps import Step
from podjobs.contract.workflows import read_job, workflow_of
from podjobs.entry.endpoint import StepHandler


class JobRun:
    """One job, performed as the adapter would have it performed."""

    def __init__(self, job: Job, functions: Mapping[str, StepHandler], *, concurrency: int = 1) -> None:
        """Prepare; `run` does the work.

        Args:
            job: the job to run.
            functions: by name, those whose steps are performed.
            concurrency: steps of a stage that run in parallel.
        """
        self.job = job
        self.shared: dict[str, Any] = {}
        """What the plan shares with all later steps."""
        self.results: dict[str, tuple[str, dict[str, Any]]] = {}
        """Step id → its action, and the values of its result."""
        self.log: list[str] = []
        """The job's log."""
        self._functions = functions
        self._concurrency = concurrency
        self._accepted_at = time.time()
        self._left: list[Stage] = [workflow_of(job).first_stage_of(job)]
        self._failure: Problem | None = None
        self._lock = threading.Lock()

    def run(self) -> "JobRun":
        """Perform all stages.

        Raises:
            StepError: of the first step that failed; `report_failure` then does what the adapter would do.
        """
        for stage in self.stages():
            self.perform(stage)
        return self

    def stages(self) -> Iterator[Stage]:
        """Yield the stages; each must be performed before the next is requested. A plan's stages replace those left.

        Raises:
            PermanentError: the request was refused on arrival.
        """
        if self.job.refusal is not None and self._failure is None:
            raise PermanentError(self.job.refusal.detail)
        while self._left:
            stage = self._left.pop(0)
            steps = tuple(spec for spec in stage.steps if spec.function in self._functions)
            if steps:
                yield stage.model_copy(update={"steps": steps})

    def perform(self, stage: Stage) -> None:
        """Perform the steps of a stage in parallel, as far as the concurrency allows. Raises StepError."""
        with ThreadPoolExecutor(self._concurrency) as pool:
            list(pool.map(self.perform_step, stage.steps))

    def perform_step(self, spec: StepSpec) -> StepReply:
        """Perform one step and keep its reply. Raises StepError."""
        reply = self._functions[spec.function].handle(self.step(spec))
        with self._lock:
            self.log += reply.log
            if isinstance(reply, Plan):
                self.shared, self._left = reply.shared, list(reply.stages)
                self.job = read_job(reply.job) if reply.job else self.job
            elif isinstance(reply, Relocation):
                self.job = reply.job
                if reply.whereabouts is Whereabouts.DELETED:
                    self._left = list(workflow_of(self.job).withdraw_stages)
            else:
                self.results[spec.id] = (spec.action, reply.values)
        return reply

    def step(self, spec: StepSpec, **changes: Any) -> Step:
        """Assemble the step that a function receives.

        Args:
            spec: as the plan names it.
            changes: to fields of the step, for instance its attempt.
        """
        with self._lock:  # steps that run beside this one add theirs
            results = {key: values for key, (action, values) in self.results.items() if action in spec.needs}
        values = {
            "params": spec.params,
            "shared": self.shared,
            "results": results,
            "failure": self._failure,
            "accepted_at": self._accepted_at,
            "timeout_s": spec.timeout_s,
        }
        return Step(job=self.job, step_id=spec.id, function=spec.function, action=spec.action, **(values | changes))

    def report_failure(self, error: StepError) -> "JobRun":
        """Perform what is left to do once the job has failed for good.

        Args:
            error: why it failed.
        """
        self._failure = Problem.of(error)
        self._left = list(workflow_of(self.job).failure_stages)
        return self.run()


@dataclass
class FakePodApi:
    """A Pod that accepts every callback. Implements the `PodApi` port."""

    answer: PodAnswer = PodAnswer.ACCEPTED
    calls: list[tuple[str, int, dict[str, Any]]] = field(default_factory=list)
    """The callback, the number of the video or recording, the body."""

    def post_encoded(self, video_id: int, body: dict[str, Any]) -> PodAnswer:
        """Record the call; see the port."""
        self.calls.append(("encoded", video_id, body))
        return self.answer

    def post_transcribed(self, video_id: int, body: dict[str, Any]) -> PodAnswer:
        """Record the call; see the port."""
        self.calls.append(("transcribed", video_id, body))
        return self.answer

    def post_composed(self, recording_id: int, body: dict[str, Any]) -> PodAnswer:
        """Record the call; see the port."""
        self.calls.append(("composed", recording_id, body))
        return self.answer

    def video_state(self, video_id: int) -> VideoState | None:
        """A video is in progress until Pod has been called; see the port."""
        if self.answer is PodAnswer.UNKNOWN_VIDEO:
            return None
        was_called = any(video_id == called_id for _, called_id, _ in self.calls)
        return VideoState(in_progress=not was_called, step="", encoded=was_called)

    def video_topic(self, video_id: int) -> VideoTopic | None:  # noqa: ARG002 - of any
        """Nobody has written anything about it; see the port."""
        return None if self.answer is PodAnswer.UNKNOWN_VIDEO else VideoTopic()

    def renditions(self) -> tuple[str, ...]:
        """The renditions of a new Pod; see the port."""
        return ("640x360", "1280x720", "1920x1080")

    def launch_encode(self, slug: str) -> None:
        """Do nothing, as Pod does while a video is in progress; see the port."""


@dataclass
class FakeLrs:
    """An LRS that accepts every statement. Implements the `Lrs` port."""

    statements: list[dict[str, Any]] = field(default_factory=list)

    def post(self, statements: Sequence[dict[str, Any]]) -> LrsAnswer:
        """Record the statements; see the port."""
        self.statements += statements
        return LrsAnswer(200)
