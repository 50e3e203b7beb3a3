"""A job's work folder on a file system, and its fence: however late a step is, nothing stays when the job has ended.

A marker in the folder says that the job is open:

    first step   creates the folder, then the marker
    a writer     checks the marker; writes into a folder of its own; moves its files into place;
                 checks the marker again: if it is gone, removes what it moved, and fails
    last step    removes the marker, then everything else

Why nothing stays: suppose that a file appears while the last step is running. Either it appears before the last step
lists the files, and that step removes it; or it appears after the listing, hence after the marker was removed, hence
its writer, which checks again after that, finds no marker and removes the file. All this needs is listings and look-ups
that see what was done before, which object storage has, too. It needs no lock and no renaming of folders.

On a file system there are also the folders themselves. The last step repeats its listing until it can remove the work
folder, which is impossible while anything is in it; only a job's first step creates that folder again, so no file can
appear after that, even if its writer is killed before its second check.
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

from podjobs.backends.disk_errors import disk_errors, disk_full, explain_failure
from podjobs.backends.permissions import let_all_read, make_folder, make_folders
from podjobs.contract.errors import FULL, PermanentError, RetryableError

logger = structlog.get_logger(__name__)

MARKER = ".open"
ABOUT_CHARS = 200
START_ATTEMPTS = 100
"""One fails only if another job that ends removes the empty parent folder at that moment."""
REMOVAL_S = 2.0
"""How long the end of a job waits for late writers: NFS keeps the name of a file that is open on this machine. What is
left after that is removed when they end."""
REMOVAL_PAUSE_S = 0.01


class WorkFolder:
    """The work folder of one job."""

    def __init__(self, path: Path, shown: str, *, keeps_parent: bool = False) -> None:
        """Name the folder; it need not exist.

        Args:
            path: where it is, or will be.
            shown: how errors name it, or the folder within it that is concerned.
            keeps_parent: whether the folder that contains all jobs' folders stays when it is empty: it is not ours if
                an administrator's link leads to it.
        """
        self._path = path
        self._stays = path.parent if keeps_parent else path.parent.parent
        self._shown = shown
        self._marker = path / MARKER

    def start(self, about: str = "") -> None:
        """Create the folder; `about` is for whoever finds it.

        Raises:
            OperatorNeededError, RetryableError: the disk prevents it.
        """
        with disk_errors():
            for attempt in range(1, START_ATTEMPTS + 1):
                try:
                    make_folders(self._path)
                    self._marker.write_text(about, encoding="utf-8", errors="replace")
                except (FileNotFoundError, FileExistsError):
                    if attempt == START_ATTEMPTS:
                        raise
                else:
                    return

    def is_open(self) -> bool:
        """Whether the job has not ended.

        Opens the marker, as an NFS client then asks the server; it may answer a stat from its cache.
        """
        with disk_errors():
            try:
                os.close(os.open(self._marker, os.O_RDONLY))
            except OSError as error:
                if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ESTALE):
                    return False
                raise
        return True

    def describe(self) -> tuple[str, float] | None:
        """What the folder is about, and when a step last began to write there; None: it is gone."""
        with disk_errors():
            try:
                # each step creates a folder of its own in it first
                changed_at = self._path.stat().st_mtime
                with self._marker.open(encoding="utf-8", errors="replace") as marker:
                    return marker.read(ABOUT_CHARS), changed_at
            except FileNotFoundError:
                return ("", changed_at) if self._path.exists() else None

    def remove(self) -> None:
        """Remove the folder with everything in it, and its parent if no other job has a work folder."""
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
        """Provide an empty folder; on a clean exit its files appear in the target, each one atomically.

        Args:
            target: the work folder or one below it; created if it is missing.

        Raises:
            RetryableError: the job has ended; none of these files remains.
            OperatorNeededError: the disk is full.
        """
        fresh = self._path / f".writing-{uuid.uuid4().hex}"
        with self._fence():
            self._check_open()
            make_folder(fresh)
        placed: list[Path] = []
        try:
            try:
                yield fresh
            except OSError as error:  # the folder may have been removed while the step was writing
                if not self.is_open():
                    raise self._gone() from error
                if error.errno in FULL:
                    raise disk_full() from error
                raise
            except PermanentError as error:
                explained = explain_failure(error, fresh)
                if explained is error:
                    raise
                raise explained from error
            with self._fence():
                self._create_below(target)
                for file in sorted(fresh.iterdir()):
                    let_all_read(file)
                    placed.append(target / file.name)
                    file.replace(placed[-1])
                self._check_open()
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
            if not self.is_open():
                self._withdraw(placed, target)

    def _create_below(self, target: Path) -> None:
        """Create the target, but never the work folder itself: that would revive a job that has ended."""
        below = target.relative_to(self._path).parts
        for depth in range(1, len(below) + 1):
            with contextlib.suppress(FileExistsError):
                make_folder(self._path.joinpath(*below[:depth]))

    def _withdraw(self, files: list[Path], target: Path) -> None:
        for file in files:
            with contextlib.suppress(OSError):
                file.unlink()
        self._prune(target)

    def _prune(self, lowest: Path) -> None:
        """Remove empty folders, from the lowest up to the one that contains all jobs' folders."""
        for folder in (lowest, *lowest.parents):
            if folder == self._stays:
                break
            with contextlib.suppress(OSError):
                folder.rmdir()

    @contextlib.contextmanager
    def _fence(self) -> Iterator[None]:
        """Explain a missing file by the end of the job, if it has ended."""
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
