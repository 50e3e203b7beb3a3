"""Drives the real encoding function through a job in this process, as the adapter would, and times every step."""

import json
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.measure import Cost, measuring
from podjobs.backends.process import ProcessTools
from podjobs.backends.storage import FileStorage
from podjobs.contract.jobs import EncodingJob
from podjobs.contract.steps import Plan, Stage, Step, StepSpec
from podjobs.contract.workflows import first_stage
from podjobs.encoding.function import EncodingFunction
from podjobs.encoding.recipe import Recipe
from podjobs.encoding.settings import EncodingSettings


@dataclass(frozen=True)
class TimedStep:
    """A step that was performed. The CPU time is its own only where steps run one at a time."""

    stage: str
    step_id: str
    action: str
    cost: Cost


@dataclass
class EncodingRun:
    """One job from its source to its published files."""

    media: Path
    """The media root; the source is linked into it."""
    settings: EncodingSettings
    concurrency: int
    request: dict[str, Any] = field(default_factory=dict)
    """Further fields of the job: a cut, a dressing."""
    companions: tuple[Path, ...] = ()
    """Files the request names, linked to `files/` of the media root."""
    steps: list[TimedStep] = field(default_factory=list)
    _plans: list[Plan] = field(default_factory=list)
    _shared: dict[str, Any] = field(default_factory=dict)
    _results: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)

    @property
    def output(self) -> Path:
        """Where the published files are."""
        return self.media / "videos" / "0001"

    @property
    def info(self) -> dict[str, Any]:
        """What was published: info_video.json."""
        return dict(json.loads((self.output / "info_video.json").read_text(encoding="utf-8")))

    @property
    def recipe(self) -> Recipe:
        """How the job was done; once it is planned."""
        return Recipe.model_validate(self._shared)

    def encode(self, source: Path) -> Cost:
        """Perform all stages but the one that tells Pod."""
        with measuring() as cost:
            for stage in self.stages(source):
                self.perform(stage)
        return cost

    def stages(self, source: Path) -> Iterator[Stage]:
        """The job's stages in turn; the stages of a plan replace those left."""
        self._prepare(source)
        left = [first_stage(self._job)]
        while left:
            stage = left.pop(0)
            if stage.name != "notify":
                yield stage
            if self._plans:
                left = list(self._plans.pop().stages)

    def perform(self, stage: Stage) -> list[TimedStep]:
        """Run the steps of a stage in parallel, as far as the concurrency allows."""
        with ThreadPoolExecutor(self.concurrency) as pool:
            return list(pool.map(lambda spec: self.perform_step(stage, spec), stage.steps))

    def perform_step(self, stage: Stage, spec: StepSpec) -> TimedStep:
        """Run one step and keep its reply."""
        with measuring() as cost:
            reply = self._function.handle(self._step(spec))
        if isinstance(reply, Plan):
            self._plans.append(reply)
            self._shared = reply.shared
        else:
            self._results[spec.id] = (spec.action, reply.values)
        timed = TimedStep(stage.name, spec.id, spec.action, cost)
        self.steps.append(timed)
        return timed

    def copy_result(self, made: StepSpec, wanted: StepSpec) -> None:
        """Take a step as done with the result of another one that is like it."""
        self._results[wanted.id] = self._results[made.id]

    def _prepare(self, source: Path) -> None:
        shutil.rmtree(self.media, ignore_errors=True)
        place = self.media / "videos" / "source.mp4"
        place.parent.mkdir(parents=True)
        place.hardlink_to(source)
        tools = ProcessTools(self.settings.podjobs_ffmpeg_memory_mb << 20)
        storage = FileStorage.from_url(self.settings.media_location, self.settings.media_root)
        self._function = EncodingFunction(tools, storage, self.settings)
        (self.media / "files").mkdir()
        for file in self.companions:
            (self.media / "files" / file.name).hardlink_to(file)
        path = f"{self.settings.media_root}/videos/source.mp4"
        self._job = EncodingJob(id="benchmark", video_id=1, video_path=path, **self.request)
        self._accepted_at = time.time()
        self._results.clear()
        self.steps.clear()

    def _step(self, spec: StepSpec) -> Step:
        needed = {step_id: values for step_id, (action, values) in self._results.items() if action in spec.needs}
        return Step(
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


def local_settings(media: Path, **settings: Any) -> EncodingSettings:
    """The function's settings for a local media root; the rest is default or as the environment says."""
    return EncodingSettings(media_root=str(media), media_url=media.as_uri(), **settings)
