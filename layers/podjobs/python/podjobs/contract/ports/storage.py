"""The media files, by keys."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from podjobs.contract.commands import MediaInput
from podjobs.contract.media_paths import Key

PIECE_BYTES = 8 << 20
"""Least size of the pieces of `Storage.join`. Source: Amazon S3 takes no less than 5 MiB."""


@dataclass(frozen=True)
class JobWork:
    """A job's work folder, as somebody finds it who does not know the job."""

    job_id: str
    about: str
    """As given to `start_work`."""
    changed_at: float
    """When a step last began to write there, seconds since the epoch."""


@dataclass(frozen=True)
class FolderAge:
    """A folder, and since when nobody has changed it."""

    name: str
    changed_at: float
    """When a file in it, however deep, was last written, seconds since the epoch; of an empty one, the folder itself.
    """


class Storage(Protocol):
    """The media files, by keys."""

    def pod_path(self, key: Key) -> str:
        """Map a key to the absolute path as Pod sees it."""

    def input_of(self, key: Key) -> MediaInput:
        """Name a readable file for ffmpeg, which reads it at any position.

        Raises MissingFileError while the file does not exist (shared folders show new files late),
        InvalidRequestError if it leads out of the media root or is not a regular file.
        """

    def open(self, key: Key, first: int = 0) -> BinaryIO:
        """Open a file for reading from its start, or from the byte at the position `first`. Raises like `input_of`.

        The returned file is only read forward: it need not be seekable. Whether there is one is not answered from a
        cache.
        """

    def exists(self, key: Key) -> bool:
        """Whether there is a file at the key. Raises OperatorNeededError while the media root itself does not exist."""

    def size_bytes(self, key: Key) -> int:
        """Size of a file in bytes. Raises like `input_of`."""

    def version(self, key: Key) -> str | None:
        """What tells a file's present content from any other; None: there is no file.

        Raises like `exists`.
        """

    def list_files(self, folder: Key) -> tuple[Key, ...]:
        """List the files directly in a folder, in order; none if there is no such folder."""

    def start_work(self, job_id: str, about: str = "") -> None:
        """Open the job's work folder: from now on steps can write into it.

        Only a job's first step does this, so that a late step cannot revive it. A marker says that it is open; folders
        need not exist.

        Args:
            job_id: the job's id.
            about: what the job does and with what, for whoever finds the folder.
        """

    def work_key(self, job_id: str, name: str) -> Key:
        """The key of a file in the job's work folder."""

    def has_work(self, job_id: str) -> bool:
        """Whether the job's work folder is open."""

    def list_work(self) -> Sequence[JobWork]:
        """List the work folders of all jobs, also of those that have ended and left something."""

    def remove_work(self, job_id: str) -> None:
        """Close the job's work folder and remove everything in it; does nothing if it is already gone.

        However late a step is, nothing that it writes remains. Source: backends/work_folder.py, which explains why.
        """

    def writing(self, folder: Key) -> AbstractContextManager[Path]:
        """Provide an empty local folder; on a clean exit its files appear in `folder`, each one atomically.

        If the step fails or is killed, none of them does. If the job's work folder is removed, before or after, none of
        them remains.

        Raises RetryableError if the job's work folder is gone, OperatorNeededError if the disk is full: also in place
        of a CommandError raised within, if the command says so and it is true.
        """

    def write(self, key: Key, content: bytes) -> None:
        """Write a small file that everybody may read, atomically; creates its folder if it is missing."""

    def replace(self, key: Key, content: bytes, version: str | None) -> None:
        """Write like `write`, unless the file has changed.

        Args:
            key: of the file.
            content: the new one.
            version: of the present one, as it was when it was looked at; None: there was no file.

        Raises FileChangedError if it has another version now.
        """

    def move(self, source: Key, target: Key) -> None:
        """Move a file atomically, replacing an existing one; creates its folder if it is missing.

        Of a file that is deleted meanwhile, nothing appears.

        Raises MissingFileError if the file does not exist.
        """

    def join(self, sources: Sequence[Key], target: Key) -> None:
        """Make one file of several, one after another, and delete these; it appears atomically, as by `move`.

        Args:
            sources: at least one; each but the last has at least `PIECE_BYTES`.
            target: where the whole appears.

        Raises MissingFileError if one of them does not exist.
        """

    def delete(self, key: Key, version: str | None = None) -> None:
        """Delete a file; does nothing if it is already gone.

        Args:
            key: of the file.
            version: the file is left if it has another one now; None: it is deleted in any case.
        """

    def remove_folder(self, folder: Key) -> None:
        """Remove a folder with what killed writers left in it, unless it contains anything else."""

    def list_folders(self, parent: Key) -> Sequence[FolderAge]:
        """List the folders directly in a folder, in order; none if there is no such folder."""

    def remove_tree(self, folder: Key) -> None:
        """Remove a folder with everything in it, however deep; does nothing if it is already gone.

        It must be one within another folder: nothing that lies directly in the media root is removed.
        """

    def remove_unfinished(self, unchanged_s: float, *, dry_run: bool = False) -> int:
        """Remove what writers that were broken off have left and no reader sees.

        Args:
            unchanged_s: only what was begun at least so long ago, in seconds.
            dry_run: remove nothing, only count.

        Returns:
            How many there were; where a backend removes them elsewhere, 0.
        """

    def find_obstacle(self) -> str:
        """Find out whether files can be written that Pod can read and delete.

        Returns a sentence for the operator, with the remedy; empty: nothing is wrong.
        """
