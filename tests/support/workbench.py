"""Encodes real files through the real function, stage by stage, as the adapter would."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from podjobs.backends.process import ProcessTools
from podjobs.backends.storage import open_storage
from podjobs.contract.jobs import Job
from podjobs.encoding.function import EncodingFunction
from podjobs.encoding.recipe import Recipe
from podjobs.encoding.settings import EncodingSettings
from podjobs.testing import JobRun
from support.forward_only import ForwardOnlyStorage
from support.jobs import encoding_job
from support.media_storages import POD_ROOT

SMALL_LADDER = (
    {"resolution": "320x180", "maxrate": "1000k", "audio_bitrate": "96k", "encode_mp4": True},
    {"resolution": "640x360", "maxrate": "2000k", "audio_bitrate": "128k", "encode_mp4": False},
)


@dataclass
class Workbench:
    """A media root with an encoding function on it."""

    root: Path
    settings: EncodingSettings
    function: EncodingFunction = field(init=False)
    run: JobRun = field(init=False, repr=False)
    """The job that was encoded last."""

    def __post_init__(self) -> None:
        storage = ForwardOnlyStorage(open_storage(self.settings))
        self.function = EncodingFunction(ProcessTools(memory_limit_bytes=8 << 30), storage, self.settings)
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def folder(self) -> Path:
        return self.root / "videos" / "abc"

    @property
    def output(self) -> Path:
        return self.folder / "0007"

    @property
    def recipe(self) -> Recipe:
        """How the last job was done."""
        return Recipe.model_validate(self.run.shared)

    def job(self, name: str, **request: Any) -> Job:
        """The job that Pod asks for with these fields of its task."""
        path = f"{POD_ROOT}/videos/abc/{name}"
        return encoding_job(str(uuid.uuid4()), video_path=path, pod_root=POD_ROOT, **request)

    def start(self, job: Job) -> JobRun:
        self.run = JobRun(job, {"encoding": self.function}, concurrency=2)
        return self.run

    def encode(
        self, name: str, before_stage: Callable[[str, Job], object] | None = None, **request: Any
    ) -> dict[str, Any]:
        """Perform all stages but the notification; returns what is in info_video.json."""
        run = self.start(self.job(name, **request))
        for stage in run.stages():
            if before_stage:
                before_stage(stage.name, run.job)
            run.perform(stage)
        return dict(json.loads((self.output / "info_video.json").read_text()))
