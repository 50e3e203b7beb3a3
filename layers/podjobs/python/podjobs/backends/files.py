"""Media files in a folder that all functions share (NFS or a local disk). Implements the `Storage` port.

Files appear by rename: a reader sees the old file or the new one, never half of one.
"""

import contextlib
import errno
import os
import posixpath
import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from podjobs.backends.disk_errors import DISK_RETRY_S, disk_errors
from podjobs.backends.file_writes import UNFINISHED, Pieces, changed_at, write_beside
from podjobs.backends.media_links import MediaLinks
from podjobs.backends.permissions import find_obstacle, make_folders
from podjobs.backends.work_folder import WorkFolder
from podjobs.contract.commands import MediaInput
from podjobs.contract.errors import (
    FileChangedError,
    InvalidRequestError,
    MissingFileError,
    OperatorNeededError,
    PermanentError,
    RetryableError,
)
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.media_paths import Key, MediaPaths
from podjobs.contract.ports.storage import FolderAge, JobWork

WORK_FOLDER = "work"


class FileStorage:
    """A media root that is mounted here, perhaps at another path than on the Pod server."""

    def __init__(self, root: Path, pod_root: str, links: tuple[str, ...] = ()) -> None:
        """Map Pod's media root to a local folder.

        Args:
            root: where the media are on this machine; must exist when the first step runs.
            pod_root: Pod's MEDIA_ROOT, absolute, as the Pod server sees it.
            links: absolute folders on this machine to which an administrator's links in the media root may lead.
        """
        self._root = root
        self._links = MediaLinks(root, links)
        self._paths = MediaPaths(pod_root)

    def pod_path(self, key: Key) -> str:
        """Map a key back to Pod's view; see the port."""
        return self._paths.pod_path(key)

    def input_of(self, key: Key) -> MediaInput:
        """The input for a readable regular file; see the port."""
        return MediaInput(url=str(self._readable(key)), protocols=("file",), name=self.pod_path(key))

    def open(self, key: Key, first: int = 0) -> BinaryIO:
        """Open a file for reading; see the port."""
        try:
            file = self._readable(key).open("rb")
        except FileNotFoundError as error:
            # over NFS only the attempt to open a file asks the server
            raise self._missing(key) from error
        except OSError as error:
            name, reason = self.pod_path(key), os.strerror(error.errno or errno.EIO)
            if error.errno in (errno.EACCES, errno.EPERM):
                raise PermanentError(
                    f"The file {name!r} cannot be read: {reason}. Give the functions' user read access to the media.",
                    kind=FailureKind.SERVICE,
                ) from error
            raise RetryableError(f"The file {name!r} cannot be read: {reason}.") from error
        file.seek(first)
        return file

    def exists(self, key: Key) -> bool:
        """Whether there is a file at the key; see the port."""
        self._check_root()
        return self._confined(key).is_file()

    def size_bytes(self, key: Key) -> int:
        """Size of a file; see the port."""
        return self._readable(key).stat().st_size

    def version(self, key: Key) -> str | None:
        """What tells a file's content from any other; see the port."""
        self._check_root()
        with disk_errors():
            return _version_of(self._confined(key))

    def _readable(self, key: Key) -> Path:
        path = self._confined(key)
        if not path.exists():
            raise self._missing(key)
        if not path.is_file():
            raise InvalidRequestError(f"{self.pod_path(key)!r} is not a regular file.")
        return path

    def _missing(self, key: Key) -> MissingFileError:
        return MissingFileError(
            f"The file {self.pod_path(key)!r} is not there. "
            "Check that MEDIA_ROOT and MEDIA_URL name the same folder and that it is mounted here."
        )

    def list_files(self, folder: Key) -> tuple[Key, ...]:
        """The files directly in a folder; see the port."""
        path = self._confined(folder)
        if not path.is_dir():
            return ()
        names = sorted(entry.name for entry in path.iterdir() if entry.is_file())
        return tuple(posixpath.join(folder, name) for name in names if not UNFINISHED.fullmatch(name))

    def start_work(self, job_id: str, about: str = "") -> None:
        """Create the job's work folder; see the port."""
        self._check_root()
        self._work(job_id).start(about)

    def work_key(self, job_id: str, name: str) -> Key:
        """The key of a file in the job's work folder; see the port."""
        return posixpath.join(WORK_FOLDER, job_id, name)

    def has_work(self, job_id: str) -> bool:
        """Whether the job's work folder is open; see the port."""
        return self._work(job_id).is_open()

    def list_work(self) -> Sequence[JobWork]:
        """The work folders of all jobs; see the port."""
        self._check_root()
        place = self._confined(WORK_FOLDER)
        names = sorted(path.name for path in place.iterdir() if path.is_dir()) if place.is_dir() else []
        found = ((name, self._work(name).describe()) for name in names)
        return [JobWork(name, *described) for name, described in found if described is not None]

    def remove_work(self, job_id: str) -> None:
        """Remove the job's work folder; see the port."""
        self._work(job_id).remove()

    def writing(self, folder: Key) -> AbstractContextManager[Path]:
        """Provide an empty local folder whose files appear in `folder` on a clean exit; see the port."""
        target = self._confined(folder)
        parts = folder.split("/")
        if parts[0] != WORK_FOLDER or len(parts) < 2:  # noqa: PLR2004 - work/<job>/…
            raise InvalidRequestError(f"Results are written below the job's work folder, not in {folder!r}.")
        return self._work(parts[1], shown=folder).writing(target)

    def write(self, key: Key, content: bytes) -> None:
        """Write a small file atomically; see the port."""
        path = self._confined(key)
        with disk_errors():
            make_folders(path.parent)
            write_beside(path, BytesIO(content))

    def replace(self, key: Key, content: bytes, version: str | None) -> None:
        """Write a small file unless it has changed; see the port.

        A file system has no such operation: between the look and the renaming, another may come.
        """
        path = self._confined(key)
        changed = FileChangedError(f"The file {self.pod_path(key)!r} was changed by somebody else meanwhile.")

        def check() -> None:
            if _version_of(path) != version:
                raise changed

        with disk_errors():
            make_folders(path.parent)
            try:
                write_beside(path, BytesIO(content), check)
            except FileNotFoundError as error:
                # who wrote it meanwhile has taken what is written here for a killed writer's, and removed it
                raise changed from error

    def move(self, source: Key, target: Key) -> None:
        """Move a file atomically; see the port."""
        path, moved = self._confined(target), self._confined(source)
        with disk_errors():
            make_folders(path.parent)
            try:
                moved.replace(path)
            except FileNotFoundError as error:
                raise self._missing(source) from error
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                # a link leads to another file system
                self._copy(source, moved, path)
                moved.unlink(missing_ok=True)

    def _copy(self, source: Key, original: Path, path: Path) -> None:
        """Copy a file, unless it is gone when the copy is complete."""
        try:
            with original.open("rb") as content:
                write_beside(path, content, check=lambda: original.open("rb").close())
        except FileNotFoundError as error:
            raise self._missing(source) from error

    def join(self, sources: Sequence[Key], target: Key) -> None:
        """Make one file of several; see the port."""
        if len(sources) == 1:
            self.move(sources[0], target)
            return
        path, pieces = self._confined(target), [self._readable(key) for key in sources]
        with disk_errors():
            make_folders(path.parent)
            write_beside(path, Pieces(pieces))
        for key in sources:
            self.delete(key)

    def delete(self, key: Key, version: str | None = None) -> None:
        """Delete a file; see the port. With a version, another may come between the look and the deletion."""
        path = self._confined(key)
        with disk_errors():
            if version is None or _version_of(path) == version:
                path.unlink(missing_ok=True)

    def remove_folder(self, folder: Key) -> None:
        """Remove a folder that is empty but for unfinished files; see the port."""
        path = self._confined(folder)
        with disk_errors(), contextlib.suppress(FileNotFoundError, NotADirectoryError):
            names = os.listdir(path)  # noqa: PTH208 - names are wanted
            if not all(UNFINISHED.fullmatch(name) for name in names):
                return
            for name in names:
                (path / name).unlink(missing_ok=True)
            # what appears in it meanwhile keeps it
            with contextlib.suppress(OSError):
                path.rmdir()

    def list_folders(self, parent: Key) -> Sequence[FolderAge]:
        """The folders directly in a folder; see the port."""
        self._check_root()
        place = self._confined(parent)
        with disk_errors():
            paths = sorted(path for path in place.iterdir() if path.is_dir()) if place.is_dir() else []
            found = [(path.name, changed_at(path)) for path in paths]
        return [FolderAge(name, time_s) for name, time_s in found if time_s is not None]

    def remove_tree(self, folder: Key) -> None:
        """Remove a folder with everything in it; see the port."""
        if "/" not in folder:
            raise InvalidRequestError(f"The folder {self.pod_path(folder)!r} is not removed as a whole.")
        path = self._confined(folder)
        with disk_errors(), contextlib.suppress(FileNotFoundError):
            shutil.rmtree(path)

    def remove_unfinished(self, unchanged_s: float, *, dry_run: bool = False) -> int:  # noqa: ARG002 - of the port
        """Does nothing, as each writer removes what killed ones have left beside its file; see the port."""
        return 0

    def find_obstacle(self) -> str:
        """What keeps Pod from using what is written here; see the port."""
        obstacle = find_obstacle(self._root) or self._links.find_obstacle()
        if obstacle:
            return obstacle
        return next(filter(None, map(find_obstacle, self._links.linked_folders())), "")

    def _check_root(self) -> None:
        if not self._root.is_dir():
            raise OperatorNeededError(
                f"The media root {str(self._root)!r} is not there. Mount it, or correct MEDIA_URL.",
                retry_after_s=DISK_RETRY_S,
            )

    def _work(self, job_id: str, shown: str = "") -> WorkFolder:
        key = posixpath.join(WORK_FOLDER, job_id)
        return WorkFolder(self._confined(key), shown=shown or key, keeps_parent=(self._root / WORK_FOLDER).is_symlink())

    def _confined(self, key: Key) -> Path:
        """Resolve a key, following links, and refuse one that leads out of the media root unduly."""
        return self._links.resolve(key, self.pod_path(key))


def _version_of(path: Path) -> str | None:
    """Tell a file from the one that replaces it. Opens it, as an NFS client then asks the server. Raises OSError."""
    try:
        with path.open("rb") as file:
            state = os.fstat(file.fileno())
    except (FileNotFoundError, NotADirectoryError):
        return None
    return f"{state.st_ino}-{state.st_mtime_ns}-{state.st_size}"
