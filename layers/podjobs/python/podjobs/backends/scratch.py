"""Local folders for the files of running steps, for storages that are not a file system here.

    <parent>/podjobs-scratch-<user>/     of this user alone, mode 0700
        <random name>/                   of one step
            lock                         locked for as long as the step's process lives
            files/                       what the step is given

Nothing is lost here, but a killed process leaves everything. So each step, before it begins, removes the folders whose
lock it can take: a lock (flock) goes with the process that holds it, however that ends, and is seen from other
containers, too, where a process id would mean nothing.

Two processes may meet at a folder that was just made, or is just being removed. Whoever has the lock of the file that
*is* at `lock` owns the folder; a cleaner removes that file after everything else. A step whose new folder was taken
for a leftover makes another one.
"""

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from podjobs.backends.disk_errors import (
    DISK_RETRY_S,
    Disk,
    disk_errors,
    disk_full,
    explain_failure,
    has_little_room,
)
from podjobs.contract.errors import FULL, OperatorNeededError, PermanentError, RetryableError, UnavailableError

logger = structlog.get_logger(__name__)

SCRATCH = Disk(
    full="The disk of the scratch folder, for the files of running steps, is full. Free some space there, or set "
    "PODJOBS_SCRATCH to a folder on a larger disk; the step is retried automatically.",
    unwritable="The scratch folder, for the files of running steps, cannot be written",
    remedy="Give the functions' user write access to it, or set PODJOBS_SCRATCH to another one.",
    failed="The scratch folder, for the files of running steps, failed",
)
OURS_ALONE = 0o700
LOCK, FILES = "lock", "files"
ROOM_RETRY_S = 10.0
"""A step ends, on average, after some ten seconds."""
CLAIM_ATTEMPTS = 100
"""One fails only if another process begins to clean at that moment."""
BLOCK_BYTES = 512
"""The unit of st_blocks, whatever the file system."""


class Scratch:
    """Where the files of running steps are kept on this machine. Keeps no state: processes may fork as they like."""

    def __init__(self, parent: Path | None, limit_bytes: int) -> None:
        """Name the place; nothing is accessed before the first step needs it.

        Args:
            parent: an existing folder on a local disk; other users may use it, too. None: the system's folder for
                temporary files.
            limit_bytes: how much all running steps of this user may keep there before no more are begun; 0: as long as
                the disk has room.
        """
        self._parent = parent
        self._limit_bytes = limit_bytes

    @contextlib.contextmanager
    def folder(self) -> Iterator[Path]:
        """Provide an empty folder of this step alone; it is removed at the end, however that comes.

        Raises:
            UnavailableError: running steps keep too much there.
            OperatorNeededError: the disk is full, also in place of an error raised within that says so, if it is true;
                or the place cannot be used.
            RetryableError: anything else that a disk may do.
        """
        with disk_errors(SCRATCH):
            home = self._open_home()
            _remove_leftovers(home)
            self._check_room(home)
            place = _claim(home)
        try:
            with disk_errors(SCRATCH):
                place.files.mkdir(mode=OURS_ALONE)
            with _full_disk_explained(place.files):
                yield place.files
        finally:
            place.close()

    def _open_home(self) -> Path:
        """Find this user's folder, or make it. Whatever another user may have prepared there is not touched."""
        home = self._choose_parent() / f"podjobs-scratch-{os.geteuid()}"
        try:
            home.mkdir(mode=OURS_ALONE)
        except FileExistsError:
            pass
        except (FileNotFoundError, NotADirectoryError) as error:
            raise _unusable(f"The folder {str(home.parent)!r} is not there. Create it, or correct") from error
        state = home.lstat()
        if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.geteuid():
            raise _unusable(
                f"{str(home)!r} is not a folder of the functions' user {os.geteuid()}: the user {state.st_uid} has put "
                "something else there. Remove it, or name a folder that other users cannot write to in"
            )
        if state.st_mode & 0o777 != OURS_ALONE:
            home.chmod(OURS_ALONE)
        return home

    def _choose_parent(self) -> Path:
        if self._parent is not None:
            return self._parent.absolute()
        try:
            return Path(tempfile.gettempdir())
        except FileNotFoundError as error:
            raise _unusable("No folder for temporary files can be written here. Name a folder in") from error

    def _check_room(self, home: Path) -> None:
        if has_little_room(home):
            raise disk_full(SCRATCH)
        if self._limit_bytes and (used_bytes := _used_bytes(home)) > self._limit_bytes:
            raise UnavailableError(
                f"Running steps keep {used_bytes >> 20} MiB in the scratch folder {str(home)!r}; PODJOBS_SCRATCH_MB "
                f"allows {self._limit_bytes >> 20}. The step waits until others have ended. Allow more, or run fewer "
                "steps at once.",
                retry_after_s=ROOM_RETRY_S,
            )


@dataclass(frozen=True)
class _Place:
    """A step's folder, which belongs to whoever has its lock."""

    path: Path
    lock: int
    """A file descriptor. A process that is forked meanwhile shares the lock; commands do not inherit it."""
    owner: int
    """The process that took the lock."""

    @property
    def files(self) -> Path:
        return self.path / FILES

    def close(self) -> None:
        """Remove the folder and give its lock back; a forked process leaves it to its parent."""
        try:
            if os.getpid() == self.owner:
                self._remove()
        finally:
            os.close(self.lock)

    def _remove(self) -> None:
        shutil.rmtree(self.files, ignore_errors=True)
        if self.files.exists():
            # the next step tries again
            logger.warning("Files of a step could not be removed.", folder=str(self.files))
            return
        # a cleaner may come in between: then the folder is its own
        with contextlib.suppress(OSError):
            (self.path / LOCK).unlink()
            self.path.rmdir()


def _take(path: Path) -> _Place | None:
    """Take the lock of a folder. None: somebody has it, or the folder is gone. Raises OSError."""
    with contextlib.ExitStack() as undo:
        try:
            lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            undo.callback(os.close, lock)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # whoever had it may have removed the file, and with it the folder
            if not os.path.samestat(os.fstat(lock), (path / LOCK).lstat()):
                return None
        except (FileNotFoundError, BlockingIOError):
            return None
        undo.pop_all()
    return _Place(path, lock, os.getpid())


def _claim(home: Path) -> _Place:
    """Make a folder. Raises OSError."""
    for _ in range(CLAIM_ATTEMPTS):
        path = home / uuid.uuid4().hex
        path.mkdir(mode=OURS_ALONE)
        place = _take(path)
        if place is not None:
            return place
    raise RetryableError(f"No folder could be made in {str(home)!r}: other processes removed each at once.")


def _remove_leftovers(home: Path) -> None:
    """Remove the folders of processes that are gone. Raises OSError if the folder above them cannot be read."""
    with os.scandir(home) as found:
        paths = [Path(entry.path) for entry in found if entry.is_dir(follow_symlinks=False)]
    for path in paths:
        try:
            place = _take(path)
        except OSError as error:
            # somebody has changed it: no reason to stop every step
            logger.warning("A folder in the scratch folder cannot be removed.", folder=str(path), error=str(error))
            continue
        if place is not None:
            logger.info("Files of a step whose process was killed are removed.", folder=str(path))
            place.close()


def _used_bytes(home: Path) -> int:
    """What all files below a folder take on the disk; they may go meanwhile."""
    used_bytes = 0
    for folder, _, names in os.walk(home):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                used_bytes += os.lstat(os.path.join(folder, name)).st_blocks * BLOCK_BYTES  # noqa: PTH118 - many files
    return used_bytes


@contextlib.contextmanager
def _full_disk_explained(folder: Path) -> Iterator[None]:
    """Say so when what was done in a folder has failed because its disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise disk_full(SCRATCH) from error
        raise
    except PermanentError as error:
        explained = explain_failure(error, folder, SCRATCH)
        if explained is error:
            raise
        raise explained from error


def _unusable(sentence: str) -> OperatorNeededError:
    return OperatorNeededError(f"{sentence} PODJOBS_SCRATCH.", retry_after_s=DISK_RETRY_S)
