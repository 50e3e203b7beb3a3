"""Composes real recordings through the real function, stage by stage, as the adapter would."""

import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from podjobs.backends.process import ProcessTools
from podjobs.backends.storage import open_storage
from podjobs.contract.errors import StepError
from podjobs.contract.jobs import StudioJob
from podjobs.contract.reply_to import Nobody
from podjobs.encoding.settings import EncodingSettings
from podjobs.studio.function import StudioFunction
from podjobs.testing import JobRun
from support.forward_only import ForwardOnlyStorage
from support.media_storages import POD_ROOT
from support.studio_results import Recording

FOLDER = "opencast-files/abc"


@dataclass
class StudioWorkbench:
    """A media root with the studio's function on it."""

    root: Path
    """Empty, or not there yet."""
    changes: dict[str, Any] = field(default_factory=dict)
    """Other settings than those of tests."""
    function: StudioFunction = field(init=False)
    run: JobRun = field(init=False, repr=False)
    """The job that was performed last."""

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        values = {"media_root": POD_ROOT, "media_url": self.root.as_uri(), "podjobs_chunk_min_s": 2} | self.changes
        settings = EncodingSettings.model_validate(values)
        storage = ForwardOnlyStorage(open_storage(settings))
        self.function = StudioFunction(ProcessTools(memory_limit_bytes=8 << 30), storage, settings)

    @property
    def folder(self) -> Path:
        """Where Pod keeps what was recorded."""
        return self.root / FOLDER

    @property
    def log(self) -> str:
        """What is in the log file."""
        return (self.root / self._job.log).read_text(encoding="utf-8")

    @property
    def _job(self) -> StudioJob:
        job = self.run.job
        assert isinstance(job, StudioJob)
        return job

    def start(self, presentation: Path | None = None, presenter: Path | None = None, **request: Any) -> JobRun:
        """The job for these recordings, which are linked to Pod's folder if they are elsewhere.

        Args:
            presentation: what was shown.
            presenter: who spoke.
            request: other fields of the job.
        """
        names = {"presentation": presentation, "presenter": presenter}
        sources = {name: self._place(name, file) for name, file in names.items() if file is not None}
        output = f"{FOLDER}/{uuid.uuid4()}.mp4"
        job = StudioJob(
            id=str(uuid.uuid4()), target="recording-7", reply_to=Nobody(), output=output, **sources, **request
        )
        self.run = JobRun(job, {"encoding": self.function}, concurrency=2)
        return self.run

    def compose(self, presentation: Path | None = None, presenter: Path | None = None, **request: Any) -> Recording:
        """Compose recordings. Raises StepError."""
        self.start(presentation, presenter, **request).run()
        return Recording(self.root / self._job.output)

    def fail(self, presentation: Path | None = None, presenter: Path | None = None, **request: Any) -> StepError:
        """Compose recordings that cannot be composed, and report it as the adapter would have it reported.

        Returns:
            Why they cannot.
        """
        run = self.start(presentation, presenter, **request)
        try:
            run.run()
        except StepError as error:
            run.report_failure(error)
            return error
        raise AssertionError(f"It was composed: {run.log}")

    def _place(self, name: str, file: Path) -> str:
        place = self.folder / f"{name}{file.suffix}"
        if file.parent == self.folder:
            place = file
        elif file.exists():
            place.unlink(missing_ok=True)
            place.hardlink_to(file)
        return f"{FOLDER}/{place.name}"
