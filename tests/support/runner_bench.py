"""Jobs of runner clients, through the deployable that performs them: what they need comes from a web server."""

import hashlib
import json
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from functions.encoding.main import build
from podjobs.contract.errors import StepError
from podjobs.contract.jobs import EncodingJob, Job, RemoteFile, StudioJob
from podjobs.contract.message_contracts import StepReply
from podjobs.contract.reply_to import RunnerCallback
from podjobs.contract.runner_places import checksums, result_folder, source_folder
from podjobs.contract.steps import Step
from podjobs.encoding.settings import EncodingSettings
from podjobs.entry.endpoint import StepHandler
from podjobs.testing import JobRun
from support.media_storages import POD_ROOT
from support.video_web import VideoWeb
from support.workbench import SMALL_LADDER

V4 = RunnerCallback(client="pod", dialect="v4")


@dataclass
class RunnerBench:
    """A media storage in a folder, the encoding function, and a web server from which it fetches."""

    root: Path
    web: VideoWeb
    changes: dict[str, Any] = field(default_factory=dict)
    """Other settings than those of tests."""
    steps: list[Step] = field(default_factory=list)
    """Those that were performed, of all jobs."""
    _function: StepHandler = field(init=False)
    run: JobRun = field(init=False, repr=False)
    """The job that was performed last."""

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        values = {
            "media_root": POD_ROOT,
            "media_url": self.root.as_uri(),
            "video_renditions": SMALL_LADDER,
            "ffmpeg_preset": "ultrafast",
            "podjobs_chunk_min_s": 2,
            "podjobs_fetch_private": ["127.0.0.0/8"],
        }
        self._function, _ = build(EncodingSettings.model_validate(values | self.changes))

    def handle(self, step: Step) -> StepReply:
        """Have the function perform a step, and note it."""
        self.steps.append(step)
        return self._function.handle(step)

    @property
    def result(self) -> Path:
        """The folder of what the client may fetch."""
        return self.root / result_folder(self.run.job.id)

    @property
    def names(self) -> set[str]:
        """What is in it."""
        return {path.name for path in self.result.iterdir()} if self.result.is_dir() else set()

    @property
    def info(self) -> dict[str, Any]:
        """What the client reads first."""
        return dict(json.loads((self.result / "info_video.json").read_text(encoding="utf-8")))

    @property
    def left(self) -> set[str]:
        """What is in the storage beside the result."""
        files = {path for path in self.root.rglob("*") if path.is_file() and path.parent != self.result}
        return {str(path.relative_to(self.root)) for path in files}

    def offer(self, path: Path) -> str:
        """Put a file onto the web server. Returns its URL."""
        return self.web.put(f"/{path.name}", path.read_bytes())

    def encoding_job(self, source_url: str, *, fetch: dict[str, str] | None = None, **request: Any) -> EncodingJob:
        """An encoding.

        Args:
            source_url: of the source.
            fetch: other files, by their names in the folder of the sources: URLs.
            request: other fields.
        """
        job_id = str(uuid.uuid4())
        folder = source_folder(job_id)
        urls = {source_url.rpartition("/")[2]: source_url} | (fetch or {})
        remote = tuple(RemoteFile(url=url, key=f"{folder}/{name}") for name, url in urls.items())
        common = {"id": job_id, "target": "runner:pod:1", "reply_to": V4, "fetch": remote}
        dressing = request.pop("dressing", None)
        if dressing:
            dressing = {key: f"{folder}/{value}" if value in urls else value for key, value in dressing.items()}
        return EncodingJob(
            **common, source=remote[0].key, output_folder=result_folder(job_id), dressing=dressing, **request
        )

    def studio_job(self, url: str, **request: Any) -> StudioJob:
        """A recording, given the URL of its mediapackage."""
        job_id = str(uuid.uuid4())
        remote = RemoteFile(url=url, key=f"{source_folder(job_id)}/mediapackage.xml")
        return StudioJob(
            id=job_id, target="runner:pod:2", reply_to=V4, fetch=(remote,), mediapackage=remote.key,
            output=f"{result_folder(job_id)}/studio_base.mp4", **request,
        )  # fmt: skip

    def perform(self, job: Job) -> dict[str, Any]:
        """Perform a whole job but for its notification. Returns its info_video.json. Raises StepError."""
        self.run = JobRun(job, {"encoding": self}, concurrency=2)
        self.run.run()
        return self.info

    def fail(self, job: Job) -> StepError:
        """Perform a job that cannot be done, and what the adapter then has done. Returns why."""
        self.run = JobRun(job, {"encoding": self}, concurrency=2)
        try:
            self.run.run()
        except StepError as error:
            self.run.report_failure(error)
            return error
        raise AssertionError(f"It was done: {self.run.log}")

    def repeat(self, action: str) -> StepReply:
        """Perform the last step with that action once more, as after a lost answer."""
        return self._function.handle(next(step for step in reversed(self.steps) if step.action == action))

    def repeat_id(self, step_id: str) -> StepReply:
        """Perform the step with that id once more."""
        return self._function.handle(next(step for step in self.steps if step.step_id == step_id))

    def check_checksums(self) -> None:
        """What is said of the files must be true of them, and of all of them."""
        said = json.loads((self.root / checksums(self.run.job.id)).read_text(encoding="utf-8"))
        found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in self.result.iterdir()}
        assert said == found
