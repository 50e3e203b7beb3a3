"""Publishes a job's work files, unless the job has ended or was superseded: however late a step is, it changes nothing.

A step may be paused at any moment for as long as it takes, and go on when its job was superseded and a newer job has
published the same video. What it still does then must fail:

    moving a file    fails, as the end of its job has removed its work files
    the last file    is replaced only in the version that was there when the step began to look
    an old file      is deleted only in the version that was there then

Why the versions suffice: they are looked up before the step looks whether its job is still open. So whatever a newer
job publishes after this one has ended has another version.

Source: docs/decisions/0039, which also says what remains.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from podjobs.contract.errors import FileChangedError, MissingFileError, RetryableError
from podjobs.contract.media_paths import Key
from podjobs.contract.ports.storage import Storage

MOVES_AT_ONCE = 8
"""Object storage copies a large file for seconds."""

Move = tuple[Key, Key]
"""From the work folder; to where it is published."""


class Publication:
    """One attempt of a job to publish its files."""

    def __init__(
        self, storage: Storage, job_id: str, *, last: Key | None = None, also: Callable[[], None] = lambda: None
    ) -> None:
        """Begin: look at what is there, then whether the job is open.

        Args:
            storage: contains the work files, and will contain the published ones.
            job_id: of the job.
            last: the file that says that all is published; None: there is no such file.
            also: called before each move; raises an error if nothing must be published.

        Raises:
            RetryableError: the job has ended or was superseded.
        """
        self._storage, self._job_id, self._last, self._also = storage, job_id, last, also
        self._version = storage.version(last) if last else None
        self.check()

    def check(self) -> None:
        """Raise RetryableError if the job has ended, FileChangedError if somebody else has published."""
        self._check_open()
        if self._last and self._storage.version(self._last) != self._version:
            self._check_open()  # it may have ended between the two looks
            raise FileChangedError(
                f"{self._storage.pod_path(self._last)!r} was changed by somebody else while {self._job_id} published."
            )

    def move(self, source: Key, target: Key) -> None:
        """Move a work file into place, unless an earlier attempt has.

        Raises:
            RetryableError: the job has ended or was superseded; or the work file is missing, and was not published.
        """
        self._also()
        self.check()
        try:
            self._storage.move(source, target)
        except MissingFileError as error:
            was_moved = self._storage.exists(target)
            self._check_open()
            if not was_moved:
                raise RetryableError(f"The work file {source!r} is missing, but was not published.") from error

    def move_all(self, groups: Iterable[Sequence[Move]]) -> None:
        """Move work files into place: the groups at the same time, those of a group in order. Raises like `move`."""

        def move_group(group: Sequence[Move]) -> None:
            for source, target in group:
                self.move(source, target)

        with ThreadPoolExecutor(MOVES_AT_ONCE) as pool:
            list(pool.map(move_group, groups))

    def conclude(self, content: bytes) -> None:
        """Write the last file.

        Args:
            content: of the file.

        Raises:
            RetryableError: the job has ended or was superseded; FileChangedError: another one has published.
        """
        if self._last is None:
            raise ValueError("There is no last file.")
        self._also()
        self.check()
        try:
            self._storage.replace(self._last, content, self._version)
        except FileChangedError:
            self._check_open()
            raise

    def remove(self, versions: dict[Key, str | None]) -> None:
        """Delete old files after the last one was written.

        Args:
            versions: by key, as they were looked up before; others are left.

        Raises:
            RetryableError: the job has ended or was superseded.
        """
        for key, version in versions.items():
            if version is not None:
                self._check_open()
                self._storage.delete(key, version)

    def _check_open(self) -> None:
        if not self._storage.has_work(self._job_id):
            raise RetryableError(f"Nothing more is published by {self._job_id}: the job has ended or was superseded.")
