"""Drives the real transcription function through a job in this process, as the adapter would, and times every step."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from podjobs.backends.process import ProcessTools
from podjobs.backends.storage import FileStorage
from podjobs.backends.whisper import WhisperModels
from podjobs.contract.jobs import TranscriptionJob
from podjobs.contract.steps import Plan, Step, StepSpec
from podjobs.contract.workflows import first_stage
from podjobs.transcription.function import TranscriptionFunction
from podjobs.transcription.recipe import Recipe
from podjobs.transcription.settings import TranscriptionSettings
from podjobs.transcription.sound import SLACK_S
from podjobs.transcription.speech import Word
from podjobs.transcription.transcribe import read_words
from podjobs.transcription.workspace import Workspace


@dataclass
class TranscriptionRun:
    """One job from its sound to its captions."""

    media: Path
    settings: TranscriptionSettings
    model: WhisperModels
    """Warm, as in a function that has worked before."""
    concurrency: int
    steps: list[tuple[str, float]] = field(default_factory=list)
    """Action and seconds of every step."""
    log: list[str] = field(default_factory=list)
    recipe: Recipe | None = None
    words: tuple[Word, ...] = ()
    """All that were heard, with their times."""
    parts_wanted: int | None = None
    """Only the first parts are transcribed, and no captions made; None: all."""
    _results: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)

    def transcribe(self, sound: Path) -> str:
        """Perform all stages but the one that tells Pod. Returns the WebVTT."""
        place = self.media / sound.name
        place.unlink(missing_ok=True)
        place.hardlink_to(sound)
        storage = FileStorage.from_url(self.settings.media_location, self.settings.media_root)
        tools = ProcessTools(self.settings.podjobs_ffmpeg_memory_mb << 20)
        self._function = TranscriptionFunction(self.model, tools, storage, self.settings)
        self._results.clear()
        self.steps.clear()
        path = f"{self.settings.media_root}/{sound.name}"
        job = TranscriptionJob(id=f"benchmark-{time.time_ns()}", video_id=1, mp3filepath=path, duration=0, lang="en")
        plan = self._perform(job, first_stage(job).steps[0], {})
        if not isinstance(plan, Plan):
            raise TypeError("The first step's reply is no plan.")
        self.recipe = Recipe.model_validate(plan.shared)
        parts, *others = plan.stages
        with ThreadPoolExecutor(self.concurrency) as pool:
            list(pool.map(lambda spec: self._perform(job, spec, plan.shared), parts.steps[: self.parts_wanted]))
        if self.parts_wanted is not None:
            return ""
        work = Workspace(job.id, tools, storage, self.settings, parts.steps[0].timeout_s)
        self.words = tuple(word for part in self.recipe.parts(SLACK_S) for word in read_words(part, work))
        for stage in others:
            if stage.name != "notify":
                self._perform(job, stage.steps[0], plan.shared)
        return (self.media / job.captions_key).read_text(encoding="utf-8")

    def _perform(self, job: TranscriptionJob, spec: StepSpec, shared: dict[str, Any]) -> Any:
        begun_s = time.perf_counter()
        needed = {step_id: values for step_id, (action, values) in self._results.items() if action in spec.needs}
        step = Step(
            job=job,
            step_id=spec.id,
            function=spec.function,
            action=spec.action,
            params=spec.params,
            shared=shared,
            results=needed,
            timeout_s=spec.timeout_s,
            accepted_at=time.time(),
        )
        reply = self._function.perform(step)
        self.steps.append((spec.action, time.perf_counter() - begun_s))
        self.log += reply.log
        if not isinstance(reply, Plan):
            self._results[spec.id] = (spec.action, reply.values)
        return reply
