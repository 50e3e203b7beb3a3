"""Encoding jobs that have nothing left to do but to publish, on any storage: their files hold but their names."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from podjobs.backends.process import ProcessTools
from podjobs.contract.errors import FileChangedError
from podjobs.contract.jobs import EncodingJob
from podjobs.contract.plans import StepSpec
from podjobs.contract.ports.storage import Storage
from podjobs.encoding.context import EncodingContext
from podjobs.encoding.publish import discard, publish, report_failure, withdraw
from podjobs.encoding.settings import EncodingSettings
from podjobs.encoding.workspace import Workspace
from podjobs.testing import JobRun
from support.media import make_video
from support.media_storages import POD_ROOT
from support.workbench import Workbench

FOLDER = "videos/abc/0007"
SOURCE = "videos/abc/talk.mp4"
PUBLISHED = re.compile(r"package-.+/.+|images/.+|audio/audio_.+")
"""The work files that are published."""


def rendition(size: str, *, mp4: bool) -> dict[str, Any]:
    return {"resolution": size, "maxrate": "1000k", "audio_bitrate": "96k", "encode_mp4": mp4}


@dataclass(frozen=True)
class ReadyJob:
    """A job whose work files are there."""

    run: JobRun
    spec: StepSpec
    """Of its publish step."""
    names: tuple[str, ...]
    """Of its work files, in its work folder."""
    accepted_at: float

    @property
    def job(self) -> EncodingJob:
        assert isinstance(self.run.job, EncodingJob)
        return self.run.job

    @property
    def published(self) -> dict[str, bytes]:
        """What it publishes but the playlist and the report, by name."""
        return {Path(name).name: self._content(name) for name in self.names}

    def prepare(self, storage: Storage) -> None:
        """Write its work files."""
        storage.start_work(self.job.id)
        for folder in {str(Path(name).parent) for name in self.names}:
            with storage.writing(storage.work_key(self.job.id, folder)) as path:
                for name in self.names:
                    if str(Path(name).parent) == folder:
                        (path / Path(name).name).write_bytes(self._content(name))

    def publish(self, storage: Storage) -> None:
        publish(self.context(storage))

    def publish_as_adapter(self, storage: Storage) -> None:
        """Once more if somebody has written there meanwhile."""
        try:
            self.publish(storage)
        except FileChangedError:
            self.publish(storage)

    def discard(self, storage: Storage) -> None:
        discard(self.context(storage))

    def report(self, storage: Storage) -> None:
        report_failure(self.context(storage))

    def withdraw(self, storage: Storage) -> None:
        withdraw(self.context(storage))

    def context(self, storage: Storage) -> EncodingContext:
        step = self.run.step(self.spec, accepted_at=self.accepted_at)
        settings = EncodingSettings(media_root=POD_ROOT, media_url="file:///nowhere")
        return EncodingContext(self.job, step, Workspace(self.job.id, ProcessTools(8 << 30), storage, settings, 60))

    def _content(self, name: str) -> bytes:
        return f"{Path(name).name} of {self.job.id}".encode()


def make_ready(folder: Path, sizes: tuple[str, ...], accepted_at: float) -> ReadyJob:
    """Encode a video up to the publish step, as a job that publishes renditions of these sizes."""
    folder.mkdir()
    renditions = tuple(rendition(size, mp4=number == 0) for number, size in enumerate(sizes))
    settings = EncodingSettings(
        media_root=POD_ROOT, media_url=folder.as_uri(), video_renditions=renditions, ffmpeg_preset="ultrafast"
    )
    workbench = Workbench(folder, settings)
    make_video(workbench.folder / "talk.mp4", duration_s=1, size="480x270")
    run = workbench.start(workbench.job("talk.mp4"))
    for stage in run.stages():
        if stage.name == "publish":
            work = folder / "work" / run.job.id
            paths = (str(path.relative_to(work)) for path in work.rglob("*") if path.is_file())
            names = tuple(sorted(name for name in paths if PUBLISHED.fullmatch(name)))
            return ReadyJob(run, stage.steps[0], names, accepted_at)
        run.perform(stage)
    raise AssertionError
