"""Media files on a folder that all functions share (NFS or a local disk). Implements the `Storage` port.

Files appear by rename: a reader sees the old file or the new one, never half of one.
"""

import contextlib
import errno
import glob
import os
import posixpath
import shutil
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from podjobs.contract.errors import InvalidRequestError, NotNowError, RetryableError
from podjobs.contract.media_paths import Key, MediaPaths

WORK_FOLDER = "work"
DISK_FULL_RETRY_S = 30.0
READABLE_BY_ALL = 0o644
"""Pod runs as another user, perhaps of another group."""


class FileStorage:
    """A media root that is mounted here, perhaps at another place than on the Pod server."""

    def __init__(self, root: Path, pod_root: str) -> None:
        """Map Pod's media root to a local folder.

        Args:
            root: where the media lie here; must exist when the first step runs.
            pod_root: Pod's MEDIA_ROOT, absolute, as the Pod server sees it.
        """
        self._root = root
        self._paths = MediaPaths(pod_root)

    def pod_path(self, key: Key) -> str:
        """Map a key back to Pod's view; see the port."""
        return self._paths.pod_path(key)

    def input_of(self, key: Key) -> str:
        """Name a readable regular file; see the port."""
        path = self._confined(key)
        if not path.exists():
            raise RetryableError(
                f"The file {self.pod_path(key)!r} is not there. "
                "Check that MEDIA_ROOT and MEDIA_URL name the same folder and that it is mounted here."
            )
        if not path.is_file():
            raise InvalidRequestError(f"{self.pod_path(key)!r} is not a regular file.")
        return str(path)

    def open(self, key: Key) -> BinaryIO:
        """Open a file for reading; see the port."""
        return Path(self.input_of(key)).open("rb")

    def exists(self, key: Key) -> bool:
        """Tell whether a file lies at the key; see the port."""
        self._check_root()
        return self._confined(key).is_file()

    def size_bytes(self, key: Key) -> int:
        """Size of a file; see the port."""
        return Path(self.input_of(key)).stat().st_size

    def list_files(self, folder: Key) -> tuple[Key, ...]:
        """The files that lie directly in a folder; see the port."""
        path = self._confined(folder)
        if not path.is_dir():
            return ()
        return tuple(sorted(posixpath.join(folder, entry.name) for entry in path.iterdir() if entry.is_file()))

    def start_work(self, job_id: str) -> None:
        """Make the job's work folder; see the port."""
        self._check_root()
        with _storage_errors():
            self._work(job_id).mkdir(parents=True, exist_ok=True)

    def work_key(self, job_id: str, name: str) -> Key:
        """The key of a file in the job's work folder; see the port."""
        return posixpath.join(WORK_FOLDER, job_id, name)

    def has_work(self, job_id: str) -> bool:
        """Tell whether the job's work folder is there; see the port."""
        return self._work(job_id).is_dir()

    def remove_work(self, job_id: str) -> None:
        """Remove the job's work folder; see the port."""
        work = self._work(job_id)
        # Renamed first: a step that is still at work then fails to store instead of filling a folder being emptied.
        doomed = work.with_name(f".{work.name}.{uuid.uuid4().hex}")
        with contextlib.suppress(FileNotFoundError):
            work.rename(doomed)
        for leftover in [doomed, *work.parent.glob(f".{work.name}.*")]:
            shutil.rmtree(leftover, ignore_errors=True)
        with contextlib.suppress(OSError):
            work.parent.rmdir()  # only when no other job is at work

    @contextlib.contextmanager
    def writing(self, folder: Key) -> Iterator[Path]:
        """Give an empty local folder whose files appear in `folder` on a clean exit; see the port."""
        target = self._confined(folder)
        self._check_parent(folder)
        fresh = self._job_folder(folder) / f".writing-{uuid.uuid4().hex}"
        with _storage_errors():
            try:
                fresh.mkdir()
            except FileNotFoundError:
                raise _work_gone(folder) from None
        try:
            yield fresh
            with _storage_errors():
                self._settle(fresh, target, folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def _settle(self, fresh: Path, target: Path, folder: Key) -> None:
        job_folder = self._job_folder(folder)
        if not job_folder.is_dir():
            raise _work_gone(folder)
        for level in [*reversed(target.relative_to(job_folder).parents), Path(target.relative_to(job_folder))]:
            with contextlib.suppress(FileExistsError):
                (job_folder / level).mkdir()
        for file in sorted(fresh.iterdir()):
            file.replace(target / file.name)

    def write(self, key: Key, content: bytes) -> None:
        """Write a small file, whole at once; see the port."""
        path = self._confined(key)
        beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        with _storage_errors():
            _make_folder(path.parent)
            try:
                with beside.open("wb") as file:
                    os.fchmod(file.fileno(), READABLE_BY_ALL)
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                beside.replace(path)
            finally:
                beside.unlink(missing_ok=True)
            # what a writer left that was killed
            for leftover in path.parent.glob(glob.escape(f".{path.name}.") + "[0-9a-f]" * 32):
                leftover.unlink(missing_ok=True)

    def move(self, source: Key, target: Key) -> None:
        """Put a file in another place, whole at once; see the port."""
        path = self._confined(target)
        with _storage_errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._confined(source).replace(path)

    def delete(self, key: Key) -> None:
        """Delete a file; see the port."""
        with _storage_errors():
            self._confined(key).unlink(missing_ok=True)

    def _check_root(self) -> None:
        if not self._root.is_dir():
            raise NotNowError(
                f"The media root {str(self._root)!r} is not there. Mount it, or correct MEDIA_URL.",
                retry_after_s=DISK_FULL_RETRY_S,
            )

    def _work(self, job_id: str) -> Path:
        return self._confined(self.work_key(job_id, ""))

    def _check_parent(self, folder: Key) -> None:
        parts = folder.split("/")
        if parts[0] != WORK_FOLDER or len(parts) < 2:  # noqa: PLR2004 - work/<job>/…
            raise InvalidRequestError(f"Results are written below the job's work folder, not in {folder!r}.")

    def _job_folder(self, folder: Key) -> Path:
        return self._confined("/".join(folder.split("/")[:2]))

    def _confined(self, key: Key) -> Path:
        """Resolve a key, following links, and refuse one that leads out of the media root."""
        root = self._root.resolve()
        path = (root / key).resolve()
        if path != root and root not in path.parents:
            raise InvalidRequestError(
                f"{self.pod_path(key)!r} leads out of the media root through a link. Copy the file into the media root."
            )
        return path


def _make_folder(folder: Path) -> None:
    """Make a folder that belongs to whom the one above it belongs to: Pod deletes some files when it has read them."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    above = folder.parent.stat()
    with contextlib.suppress(FileExistsError):
        folder.mkdir()
        folder.chmod(stat.S_IMODE(above.st_mode))
        with contextlib.suppress(PermissionError):  # only root may give a folder away
            os.chown(folder, above.st_uid, above.st_gid)


def _work_gone(folder: Key) -> RetryableError:
    return RetryableError(f"The work folder of {folder!r} is gone: the job has ended or was superseded.")


@contextlib.contextmanager
def _storage_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NotNowError(
                "The disk that holds the media is full. Free some space; the step is tried again by itself.",
                retry_after_s=DISK_FULL_RETRY_S,
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise NotNowError(
                f"The media cannot be written: {error}. Give the functions' user write access to the media root.",
                retry_after_s=DISK_FULL_RETRY_S,
            ) from error
        raise RetryableError(f"The media storage failed: {error}.") from error
