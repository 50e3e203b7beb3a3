"""Encodes real files through the real function, stage by stage, as the adapter would."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from podjobs.backends.process import ProcessTools
from podjobs.backends.storage import FileStorage
from podjobs.contract.jobs import EncodingJob
from podjobs.contract.steps import Plan, Step
from podjobs.contract.workflows import first_stage
from podjobs.encoding.function import EncodingFunction
from podjobs.encoding.settings import EncodingSettings

POD_ROOT = "/usr/local/pod/media"
"""Another path than the real one: what Pod calls its media root need not exist here."""

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
    results: dict = field(default_factory=dict)
    log: list = field(default_factory=list)

    def __post_init__(self):
        storage = FileStorage.from_url(f"file://{self.root}", POD_ROOT)
        self.function = EncodingFunction(ProcessTools(memory_limit_bytes=8 << 30), storage, self.settings)
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def folder(self):
        return self.root / "videos" / "abc"

    @property
    def output(self):
        return self.folder / "0007"

    def job(self, name, **changes):
        path = f"{POD_ROOT}/videos/abc/{name}"
        return EncodingJob(id=str(uuid.uuid4()), video_id=7, video_path=path, **changes)

    def step(self, job, spec, shared, **changes):
        needed = {key: values for key, (action, values) in self.results.items() if action in spec.needs}
        values = {"params": spec.params, "results": needed, "accepted_at": 1_700_000_000.0} | changes
        return Step(
            job=job, step_id=spec.id, function=spec.function, action=spec.action, shared=shared,
            timeout_s=spec.timeout_s, **values,
        )  # fmt: skip

    def encode(self, name, before_stage=None, **changes):
        """Perform all stages but the notification; returns what is in info_video.json."""
        job = self.job(name, **changes)
        shared, stages = {}, [first_stage(job)]
        with ThreadPoolExecutor(2) as pool:
            while stages and stages[0].name != "notify":
                stage = stages.pop(0)
                if before_stage:
                    before_stage(stage.name, job)
                replies = list(
                    pool.map(lambda spec: self.function.handle(self.step(job, spec, shared)), stage.steps)  # noqa: B023
                )
                for spec, reply in zip(stage.steps, replies, strict=True):
                    self.log += reply.log
                    if isinstance(reply, Plan):
                        shared, stages = reply.shared, list(reply.stages)
                    else:
                        self.results[spec.id] = (spec.action, reply.values)
        return json.loads((self.output / "info_video.json").read_text())
