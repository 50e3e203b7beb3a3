"""A job's work folder in a bucket, and its fence: however late a step is, nothing stays when the job has ended.

As on a file system (backends/work_folder.py, which explains why nothing stays), a marker says that the job is open:

    first step   writes the marker
    a writer     checks the marker; writes local files; uploads them; checks the marker again: if it is gone, deletes
                 what it uploaded, and fails
    last step    deletes the marker, then everything else, and aborts uploads that have not ended

There are no folders here that could be removed. So a file can stay in one case: its writer uploads after the last step
has listed the files, and is killed before its second check. `podjobs clean` finds it, and so does the adapter, which
looks for what unknown jobs have left.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import structlog

from podjobs.backends.s3.bucket import Bucket
from podjobs.backends.s3.uploads import abort_uploads, delete_all, upload
from podjobs.backends.scratch import Scratch
from podjobs.contract.errors import MissingFileError, PermanentError, RetryableError, StepError
from podjobs.contract.media_paths import Key

logger = structlog.get_logger(__name__)

MARKER = ".open"
ABOUT_CHARS = 200
MOST_LISTINGS = 10
"""A writer in time may upload while the files are listed; nobody does so for ever."""


class WorkPrefix:
    """The work folder of one job."""

    def __init__(self, bucket: Bucket, folder: Key, shown: str, scratch: Scratch) -> None:
        """Name the folder; it need not exist.

        Args:
            bucket: contains it.
            folder: where it is, or will be.
            shown: how errors name it, or the folder within it that is concerned.
            scratch: for the files of a step until they are uploaded.
        """
        self._bucket, self._folder, self._shown, self._scratch = bucket, folder, shown, scratch
        self._marker = f"{folder}/{MARKER}"

    def start(self, about: str = "") -> None:
        """Open the folder; `about` is for whoever finds it. Raises StepError."""
        self._bucket.put(self._marker, about.encode("utf-8", "replace"), ContentType="text/plain; charset=utf-8")

    def is_open(self) -> bool:
        """Whether the job has not ended. Raises StepError: it cannot be told."""
        return self._bucket.head(self._marker) is not None

    def describe(self) -> tuple[str, float] | None:
        """What the folder is about, and when a step last wrote there; None: it is gone. Raises StepError."""
        times = [one["LastModified"].timestamp() for page in self._pages() for one in page.get("Contents", ())]
        if not times:
            return None
        about = b""
        # without a marker, or when it is removed at this moment, nothing is known
        with contextlib.suppress(MissingFileError), self._bucket.errors(f"The file {self._marker!r} cannot be read"):
            answer = self._bucket.client.get_object(Bucket=self._bucket.name, Key=self._bucket.object_key(self._marker))
            about = answer["Body"].read()
        return about.decode("utf-8", "replace")[:ABOUT_CHARS], max(times)

    def remove(self) -> None:
        """Close the folder and remove everything in it. Raises StepError: it could not be closed."""
        self._bucket.delete(self._marker)
        for _ in range(MOST_LISTINGS):
            keys = [one["Key"] for page in self._pages() for one in page.get("Contents", ())]
            if not keys:
                break
            delete_all(self._bucket, keys)
        else:
            logger.warning("Work files could not be removed.", folder=self._folder)
        try:
            abort_uploads(self._bucket, self._folder)
        except StepError as error:  # not every server lists them, and not everybody may
            logger.info(error.detail, folder=self._folder)

    @contextlib.contextmanager
    def writing(self, target: Key) -> Iterator[Path]:
        """Provide an empty local folder; on a clean exit its files appear in the target, each one atomically.

        Args:
            target: the work folder or one below it.

        Raises:
            RetryableError: the job has ended; none of these files remains.
            UnavailableError, OperatorNeededError: there is no room for local files; see `Scratch`.
            StepError: they could not be uploaded.
        """
        self._check_open()
        placed: list[Key] = []
        with self._scratch.folder() as fresh:
            try:
                yield fresh
            except (OSError, PermanentError) as error:
                if not self._is_open_surely():
                    raise self._gone() from error
                raise
            self._check_open()
            try:
                for file in sorted(fresh.iterdir()):
                    placed.append(f"{target}/{file.name}")
                    upload(self._bucket, file, placed[-1])
                self._check_open()
            except StepError as error:
                if not self._is_open_surely():
                    self._withdraw(placed)
                    raise self._gone() from error
                raise

    def _is_open_surely(self) -> bool:
        """Whether the job has not ended, or that cannot be told."""
        try:
            return self.is_open()
        except StepError:
            return True

    def _withdraw(self, keys: list[Key]) -> None:
        for key in keys:
            with contextlib.suppress(StepError):
                self._bucket.delete(key)

    def _pages(self) -> Iterator[dict[str, Any]]:
        return self._bucket.list_objects(self._folder)

    def _check_open(self) -> None:
        if not self.is_open():
            raise self._gone()

    def _gone(self) -> RetryableError:
        return RetryableError(f"The work folder of {self._shown!r} is gone: the job has ended or was superseded.")
