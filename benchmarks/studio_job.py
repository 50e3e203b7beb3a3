"""Drives the real functions through the composing of a recording and the encoding of what was composed."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.job_run import MeasuredRun
from benchmarks.studio_recording import StudioRecording
from podjobs.backends.process import ProcessTools
from podjobs.backends.storage import open_storage
from podjobs.contract.jobs import EncodingJob, Layout, StudioJob
from podjobs.contract.plans import Stage
from podjobs.contract.reply_to import Nobody
from podjobs.encoding.function import EncodingFunction
from podjobs.studio.function import StudioFunction

FOLDER = "studio"
COMPOSED = f"{FOLDER}/composed.mp4"
ENCODED = f"{FOLDER}/0001"


@dataclass
class StudioRun(MeasuredRun):
    """One recording: first composed, then encoded."""

    layout: Layout = "pipb"

    @property
    def composed(self) -> Path:
        """The MP4 that Pod would see."""
        return self.media / COMPOSED

    @property
    def encoded(self) -> Path:
        """Where the renditions are."""
        return self.media / ENCODED

    def compose_stages(self, recording: StudioRecording) -> Iterator[Stage]:
        """Begin anew: the stages of composing in turn."""
        shutil.rmtree(self.media, ignore_errors=True)
        (self.media / FOLDER).mkdir(parents=True)
        names = {"presentation": recording.slides, "presenter": recording.camera}
        for name, file in names.items():
            (self.media / FOLDER / f"{name}.webm").hardlink_to(file)
        sources = {name: f"{FOLDER}/{name}.webm" for name in names}
        return self.start(
            StudioJob(
                id="composing", target="recording-1", layout=self.layout, output=COMPOSED, reply_to=Nobody(), **sources
            )
        )

    def encode_stages(self) -> Iterator[Stage]:
        """The stages of encoding what was composed, in turn."""
        shutil.rmtree(self.encoded, ignore_errors=True)
        return self.start(
            EncodingJob(id="encoding", target="1", source=COMPOSED, output_folder=ENCODED, reply_to=Nobody())
        )

    def restart_function(self) -> None:
        """Perform further steps by functions that know nothing of the ones before."""
        tools = ProcessTools(self.settings.podjobs_ffmpeg_memory_mb << 20)
        function = StudioFunction if self.run and self.run.job.type == "studio" else EncodingFunction
        self._functions["encoding"] = function(tools, open_storage(self.settings), self.settings)
