"""Drives the real encoding function through a job in this process, as the adapter would, and times every step."""

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.measure import Cost, measuring
from podjobs.backends.process import ProcessTools
from podjobs.backends.storage import open_storage
from podjobs.contract.jobs import EncodingJob
from podjobs.contract.plans import Stage, StepSpec
from podjobs.contract.reply_to import Nobody
from podjobs.encoding.function import EncodingFunction
from podjobs.encoding.recipe import Recipe
from podjobs.encoding.settings import EncodingSettings
from podjobs.entry.endpoint import StepHandler
from podjobs.testing import JobRun

SOURCE, OUTPUT = "videos/source.mp4", "videos/0001"


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
    run: JobRun | None = None
    _functions: dict[str, StepHandler] = field(default_factory=dict, repr=False)

    @property
    def output(self) -> Path:
        """Where the published files are."""
        return self.media / OUTPUT

    @property
    def info(self) -> dict[str, Any]:
        """What was published: info_video.json."""
        return dict(json.loads((self.output / "info_video.json").read_text(encoding="utf-8")))

    @property
    def recipe(self) -> Recipe:
        """How the job was done; once it is planned."""
        return Recipe.model_validate(self._started.shared)

    @property
    def _started(self) -> JobRun:
        if self.run is None:
            raise RuntimeError("The job has not been started.")
        return self.run

    def encode(self, source: Path) -> Cost:
        """Perform all stages but the one that notifies."""
        with measuring() as cost:
            for stage in self.stages(source):
                self.perform(stage)
        return cost

    def stages(self, source: Path) -> Iterator[Stage]:
        """The job's stages in turn; the stages of a plan replace those left."""
        self._place(source)
        job = EncodingJob(
            id="benchmark", target="1", source=SOURCE, output_folder=OUTPUT, reply_to=Nobody(), **self.request
        )
        self.run = JobRun(job, self._functions)
        self.restart_function()
        self.steps.clear()
        return self.run.stages()

    def restart_function(self) -> None:
        """Perform further steps by a function that knows nothing of the ones before."""
        tools = ProcessTools(self.settings.podjobs_ffmpeg_memory_mb << 20)
        self._functions["encoding"] = EncodingFunction(tools, open_storage(self.settings), self.settings)

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

    def _place(self, source: Path) -> None:
        """Put the source and its companions into an empty media root."""
        shutil.rmtree(self.media, ignore_errors=True)
        place = self.media / SOURCE
        place.parent.mkdir(parents=True)
        place.hardlink_to(source)
        (self.media / "files").mkdir()
        for file in self.companions:
            (self.media / "files" / file.name).hardlink_to(file)


def local_settings(media: Path, **settings: Any) -> EncodingSettings:
    """The function's settings for a local media root; the rest is default or as the environment says."""
    return EncodingSettings(media_root=str(media), media_url=media.as_uri(), **settings)
