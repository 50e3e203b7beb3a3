"""Drives the real encoding function through a job in this process, as the adapter would, and times every step."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.job_run import MeasuredRun, TimedStep
from benchmarks.measure import Cost, measuring
from podjobs.backends.process import ProcessTools
from podjobs.backends.storage import open_storage
from podjobs.contract.jobs import EncodingJob
from podjobs.contract.plans import Stage
from podjobs.contract.reply_to import Nobody
from podjobs.encoding.function import EncodingFunction
from podjobs.encoding.recipe import Recipe
from podjobs.encoding.settings import EncodingSettings

__all__ = ["EncodingRun", "TimedStep", "local_settings"]
SOURCE, OUTPUT = "videos/source.mp4", "videos/0001"


@dataclass
class EncodingRun(MeasuredRun):
    """One encoding; the source is linked into the media root."""

    request: dict[str, Any] = field(default_factory=dict)
    """Further fields of the job: a cut, a dressing."""
    companions: tuple[Path, ...] = ()
    """Files the request names, linked to `files/` of the media root."""

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
        return self.start(job)

    def restart_function(self) -> None:
        """Perform further steps by a function that knows nothing of the ones before."""
        tools = ProcessTools(self.settings.podjobs_ffmpeg_memory_mb << 20)
        self._functions["encoding"] = EncodingFunction(tools, open_storage(self.settings), self.settings)

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
