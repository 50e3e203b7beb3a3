"""Sees to it that a job's source is where the job says, before, during and after a step.

Pod moves a video when its owner changes, and deletes it when somebody wants that; both may happen while it is encoded.
ffmpeg does not notice either: it keeps the file open. Pod alone knows which of the two it was, so a step only reports
that the source is gone, and the adapter has Pod asked (notification/locate.py).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from podjobs.contract.errors import MissingFileError, RetryableError, SourceGoneError, StepError
from podjobs.contract.media_paths import Key
from podjobs.contract.ports.storage import Storage
from podjobs.contract.ports.tools import Tools

CERTAIN = 2
"""Looks in a row that must miss something, as shared folders have hiccups."""


class SourceWatch:
    """Watches the source of one job, and its work folder: when that is removed, the job has ended."""

    def __init__(self, storage: Storage, source: Key, job_id: str) -> None:
        """Note whether there is a work folder yet.

        Args:
            storage: contains the source.
            source: of the job.
            job_id: of the job.
        """
        self._storage, self._source, self._job_id = storage, source, job_id
        self._had_work = storage.has_work(job_id)

    @contextmanager
    def step(self) -> Iterator[None]:
        """Perform a step that needs the source.

        Raises:
            SourceGoneError: it is not there, before the step or after it has failed.
        """
        self.check()
        try:
            yield
        except StepError:
            self.check()
            raise

    def check(self) -> None:
        """Raise SourceGoneError if the source is not there, or else as `Storage.open` does."""
        try:
            self._storage.open(self._source).close()
        except MissingFileError as error:
            raise SourceGoneError(error.detail) from error

    def look(self) -> Callable[[], None]:
        """What looks after one command: raises SourceGoneError, or RetryableError if the job has ended."""
        missed = 0

        def look_once() -> None:
            nonlocal missed
            trouble = self._find_trouble()
            missed = missed + 1 if trouble else 0
            if trouble and missed >= CERTAIN:
                raise trouble

        return look_once

    def _find_trouble(self) -> StepError | None:
        """What is wrong for sure: a storage that does not answer has not said that a file is gone."""
        try:
            self.check()
            if self._had_work and not self._storage.has_work(self._job_id):
                return RetryableError(f"The job {self._job_id} has ended or was superseded; its command was stopped.")
        except SourceGoneError as error:
            return error
        except (StepError, OSError):
            pass
        return None


class WatchedTools:
    """The tools of a step that needs the source: every command is watched. Implements the `Tools` port."""

    def __init__(self, tools: Tools, watch: SourceWatch) -> None:
        """Use other tools."""
        self._tools, self._watch = tools, watch

    def run(self, argv: Sequence[str], **options: Any) -> bytes:
        """Run a command; see the port."""
        return self._tools.run(argv, **options, watch=self._watch.look())
