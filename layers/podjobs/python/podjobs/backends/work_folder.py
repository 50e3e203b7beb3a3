"""A job's work folder on a file system, and its fence: however late a step is, nothing stays when the job has ended.

A marker in the folder says that the job is open:

    first step   makes the folder, then the marker
    a writer     looks for the marker; writes into a folder of its own; its files take their places;
                 looks for the marker again: if it is gone, removes what it put there, and says so
    last step    removes the marker, then everything

Why nothing stays: let a file appear while the last step is at work. Either it appears before the last step lists the
files, and that step removes it; or it appears after the listing, hence after the marker went, hence its writer, who
looks again after that, finds no marker and removes it. This needs nothing but listings and look-ups that see what was
done before, as object storage has them, too. It needs no lock and no rename of a folder.

A file system has folders besides. The last step repeats its listing until the folder itself can be removed, which it
cannot while anything is in it; nobody but a job's first step makes that folder again, so no file can appear after that,
even of a writer that is killed before it looks again.
"""

import contextlib
import errno
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import structlog

from podjobs.backends.disk_errors import disk_errors
from podjobs.contract.errors import RetryableError

logger = structlog.get_logger(__name__)

MARKER = ".open"
START_ATTEMPTS = 100
"""Each of them fails only if another job's end removes the empty folder above at that moment."""
REMOVAL_S = 2.0
"""So long the end of a job waits for late writers to let go: NFS keeps a file's name while the file is open here. What
is left then goes when they end."""
REMOVAL_PAUSE_S = 0.01


class WorkFolder:
    """The work folder of one job."""

    def __init__(self, path: Path, shown: str) -> None:
        """Name the folder; it need not be there.

        Args:
            path: where it is, or will be.
            shown: what errors call it, or the folder in it that is meant.
        """
        self._path = path
        self._shown = shown
        self._marker = path / MARKER

    def start(self) -> None:
        """Make the folder. Raises NotNowError or RetryableError when the disk does not let us."""
        with disk_errors():
            for attempt in range(1, START_ATTEMPTS + 1):
                try:
                    self._path.mkdir(parents=True, exist_ok=True)
                    self._marker.touch()
                except (FileNotFoundError, FileExistsError):
                    if attempt == START_ATTEMPTS:
                        raise
                else:
                    return

    def is_open(self) -> bool:
        """Tell whether the job has not ended. Opens the marker: NFS asks the server then, and answers a stat itself."""
        with disk_errors():
            try:
                os.close(os.open(self._marker, os.O_RDONLY))
            except OSError as error:
                if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ESTALE):
                    return False
                raise
        return True

    def remove(self) -> None:
        """Remove the folder with all that is in it, and the one above when no other job is at work."""
        with disk_errors():
            self._marker.unlink(missing_ok=True)
        deadline_s = time.monotonic() + REMOVAL_S
        while self._path.exists():
            shutil.rmtree(self._path, ignore_errors=True)
            if time.monotonic() > deadline_s:
                logger.warning("Work files could not be removed.", folder=str(self._path))
                break
            if self._path.exists():
                time.sleep(REMOVAL_PAUSE_S)
        self._prune(self._path)

    @contextlib.contextmanager
    def writing(self, target: Path) -> Iterator[Path]:
        """Give an empty folder; on a clean exit its files appear in the target, each one whole at once.

        Args:
            target: the work folder or one below it; made when it is missing.

        Raises:
            RetryableError: the job has ended: nothing of these files stays.
            NotNowError: the disk is full.
        """
        fresh = self._path / f".writing-{uuid.uuid4().hex}"
        with self._fence():
            self._check_open()
            fresh.mkdir()
        placed: list[Path] = []
        try:
            try:
                yield fresh
            except OSError as error:  # the folder may have been removed under the step's hands
                if self.is_open():
                    raise
                raise self._gone() from error
            with self._fence():
                self._make_below(target)
                for file in sorted(fresh.iterdir()):
                    placed.append(target / file.name)
                    file.replace(placed[-1])
                self._check_open()
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
            if not self.is_open():
                self._withdraw(placed, target)

    def _make_below(self, target: Path) -> None:
        """Make the target, but never the work folder itself: that would revive a job that has ended."""
        below = target.relative_to(self._path).parts
        for depth in range(1, len(below) + 1):
            with contextlib.suppress(FileExistsError):
                self._path.joinpath(*below[:depth]).mkdir()

    def _withdraw(self, files: list[Path], target: Path) -> None:
        for file in files:
            with contextlib.suppress(OSError):
                file.unlink()
        self._prune(target)

    def _prune(self, lowest: Path) -> None:
        """Remove folders that are empty, from the lowest up to the one that holds all jobs' folders."""
        for folder in (lowest, *lowest.parents):
            if folder == self._path.parent.parent:
                break
            with contextlib.suppress(OSError):
                folder.rmdir()

    @contextlib.contextmanager
    def _fence(self) -> Iterator[None]:
        """What is not there is not there because the job has ended, if it has."""
        with disk_errors():
            try:
                yield
            except FileNotFoundError as error:
                if self.is_open():
                    raise
                raise self._gone() from error

    def _check_open(self) -> None:
        if not self.is_open():
            raise self._gone()

    def _gone(self) -> RetryableError:
        return RetryableError(f"The work folder of {self._shown!r} is gone: the job has ended or was superseded.")
