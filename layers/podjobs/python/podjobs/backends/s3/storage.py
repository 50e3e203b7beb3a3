"""Media in a bucket of an object storage (AWS, MinIO, Ceph, SeaweedFS …). Implements the `Storage` port.

Objects appear complete or not at all, and readers see what was written before they asked: all of these servers promise
that. There are no folders: a folder is a beginning that keys have in common.
"""

import contextlib
import posixpath
import uuid
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import SplitResult, unquote

from podjobs.backends.s3.bucket import Bucket
from podjobs.backends.s3.copies import copy, join
from podjobs.backends.s3.gateway import RangeGateway
from podjobs.backends.s3.reader import open_object, read_range
from podjobs.backends.s3.uploads import abort_uploads, checksum_options, delete_all, write_options
from podjobs.backends.s3.work_prefix import WorkPrefix
from podjobs.backends.scratch import Scratch
from podjobs.contract.commands import MediaInput
from podjobs.contract.errors import FileChangedError, InvalidRequestError, MissingFileError, StepError
from podjobs.contract.media_paths import Key, MediaPaths
from podjobs.contract.ports.storage import FolderAge, JobWork
from podjobs.settings import MediaSettings

WORK_FOLDER = "work"


def open_bucket(url: SplitResult, settings: MediaSettings) -> "S3Storage":
    """Open the storage that a MEDIA_URL of the form s3://bucket/prefix names."""
    paths = MediaPaths(settings.media_root)
    bucket = Bucket(url.netloc, unquote(url.path).strip("/"), paths, settings)
    parent = Path(settings.podjobs_scratch) if settings.podjobs_scratch else None
    return S3Storage(bucket, Scratch(parent, settings.podjobs_scratch_mb << 20))


class S3Storage:
    """The part of a bucket that Pod has mounted as its media root."""

    def __init__(self, bucket: Bucket, scratch: Scratch) -> None:
        """Store where the media are, and where steps keep files until they are uploaded."""
        self._bucket = bucket
        self._scratch = scratch
        self._gateway = RangeGateway(partial(read_range, bucket), bucket.settings.podjobs_s3_cache_mb << 20)

    def pod_path(self, key: Key) -> str:
        """Map a key to Pod's view; see the port."""
        return self._bucket.shown(key)

    def input_of(self, key: Key) -> MediaInput:
        """The input for an object; see the port."""
        found = self._found(key)
        return self._gateway.input_of(key, found["ETag"], found["ContentLength"], self.pod_path(key))

    def open(self, key: Key, first: int = 0) -> BinaryIO:
        """Open an object for reading; see the port."""
        found = self._found(key)
        return open_object(self._bucket, key, found["ETag"], found["ContentLength"], first)

    def exists(self, key: Key) -> bool:
        """Whether there is an object at the key; see the port."""
        return self._bucket.head(key) is not None

    def size_bytes(self, key: Key) -> int:
        """Size of an object; see the port."""
        return int(self._found(key)["ContentLength"])

    def version(self, key: Key) -> str | None:
        """What tells an object's content from any other; see the port."""
        found = self._bucket.head(key)
        # equal contents have equal ETags
        return None if found is None else f"{found['ETag']} {found['LastModified'].timestamp():.0f}"

    def _found(self, key: Key) -> dict[str, Any]:
        found = self._bucket.head(key)
        if found is None:
            raise MissingFileError(
                f"The file {self.pod_path(key)!r} is not there. Check that MEDIA_ROOT is where Pod has mounted what "
                f"MEDIA_URL names in the {self._bucket.where}, and that what Pod writes there has been uploaded."
            )
        return found

    def list_files(self, folder: Key) -> tuple[Key, ...]:
        """The files directly in a folder; see the port."""
        pages = self._bucket.list_objects(folder, delimiter="/")
        objects = [one["Key"] for page in pages for one in page.get("Contents", ())]
        # programs that mount buckets make an object for each folder, whose key ends with a slash
        return tuple(sorted(self._bucket.key_of(one) for one in objects if not one.endswith("/")))

    def start_work(self, job_id: str, about: str = "") -> None:
        """Open the job's work folder; see the port."""
        self._work(job_id).start(about)

    def work_key(self, job_id: str, name: str) -> Key:
        """The key of a file in the job's work folder; see the port."""
        return posixpath.join(WORK_FOLDER, job_id, name)

    def has_work(self, job_id: str) -> bool:
        """Whether the job's work folder is open; see the port."""
        return self._work(job_id).is_open()

    def list_work(self) -> Sequence[JobWork]:
        """The work folders of all jobs; see the port."""
        self._bucket.check()
        pages = self._bucket.list_objects(WORK_FOLDER, delimiter="/")
        folders = [self._bucket.key_of(one["Prefix"]) for page in pages for one in page.get("CommonPrefixes", ())]
        names = sorted(posixpath.basename(folder.rstrip("/")) for folder in folders)
        found = ((name, self._work(name).describe()) for name in names)
        return [JobWork(name, *described) for name, described in found if described is not None]

    def remove_work(self, job_id: str) -> None:
        """Close the job's work folder and remove everything in it; see the port."""
        self._work(job_id).remove()

    def writing(self, folder: Key) -> AbstractContextManager[Path]:
        """Provide an empty local folder whose files appear in `folder` on a clean exit; see the port."""
        self._bucket.object_key(folder)
        parts = folder.split("/")
        if parts[0] != WORK_FOLDER or len(parts) < 2:  # noqa: PLR2004 - work/<job>/…
            raise InvalidRequestError(f"Results are written below the job's work folder, not in {folder!r}.")
        return self._work(parts[1], shown=folder).writing(folder)

    def write(self, key: Key, content: bytes) -> None:
        """Write a small file atomically; see the port."""
        self._bucket.put(
            key, content, **write_options(self._bucket, key, is_work=False), **checksum_options(self._bucket)
        )

    def replace(self, key: Key, content: bytes, version: str | None) -> None:
        """Write a small file unless it has changed; see the port.

        The server checks the version when it writes; those that do not know such conditions ignore it, so it is looked
        up before, too.
        """
        if self.version(key) != version:
            raise self._changed(key)
        condition = {"IfNoneMatch": "*"} if version is None else {"IfMatch": version.split()[0]}
        options = write_options(self._bucket, key, is_work=False) | checksum_options(self._bucket)
        try:
            self._bucket.put(key, content, **options, **condition)
        except (FileChangedError, MissingFileError) as error:
            # an attempt whose answer was lost may have written it
            if not self._contains(key, content):
                raise self._changed(key) from error

    def _changed(self, key: Key) -> FileChangedError:
        return FileChangedError(f"The file {self.pod_path(key)!r} was changed by somebody else meanwhile.")

    def _contains(self, key: Key, content: bytes) -> bool:
        with contextlib.suppress(MissingFileError, FileChangedError), self.open(key) as file:
            return file.read(len(content) + 1) == content
        return False

    def move(self, source: Key, target: Key) -> None:
        """Move an object; see the port."""
        self._bucket.object_key(target)
        if source == target:
            self._found(source)
            return
        copy(self._bucket, source, target)
        self._bucket.delete(source)

    def join(self, sources: Sequence[Key], target: Key) -> None:
        """Make one object of several; see the port."""
        if len(sources) == 1:
            self.move(sources[0], target)
            return
        join(self._bucket, sources, target)
        for key in sources:
            self._bucket.delete(key)

    def delete(self, key: Key, version: str | None = None) -> None:
        """Delete an object; see the port."""
        if version is None or self.version(key) == version:
            self._bucket.delete(key)

    def remove_folder(self, folder: Key) -> None:
        """Remove the object that stands for an empty folder; see the port.

        Programs that mount buckets make one. SeaweedFS shows an empty folder without one, until that is deleted.
        """
        pages = self._bucket.list_objects(folder)
        objects = [one["Key"] for page in pages for one in page.get("Contents", ())]
        own = f"{self._bucket.object_key(folder)}/"
        if set(objects) <= {own}:
            with self._bucket.errors(f"The folder {self.pod_path(folder)!r} cannot be removed"):
                self._bucket.client.delete_object(Bucket=self._bucket.name, Key=own)

    def list_folders(self, parent: Key) -> Sequence[FolderAge]:
        """The folders directly in a folder; see the port."""
        self._bucket.check()
        times: dict[str, float] = {}
        for page in self._bucket.list_objects(parent):
            for one in page.get("Contents", ()):
                name, slash, _ = self._bucket.key_of(one["Key"]).removeprefix(f"{parent}/").partition("/")
                if slash:
                    times[name] = max(times.get(name, 0.0), one["LastModified"].timestamp())
        return [FolderAge(name, times[name]) for name in sorted(times)]

    def remove_tree(self, folder: Key) -> None:
        """Remove everything in a folder; see the port."""
        if "/" not in folder:
            raise InvalidRequestError(f"The folder {self.pod_path(folder)!r} is not removed as a whole.")
        for page in self._bucket.list_objects(folder):
            delete_all(self._bucket, [one["Key"] for one in page.get("Contents", ())])

    def remove_unfinished(self, unchanged_s: float, *, dry_run: bool = False) -> int:
        """Abort the uploads that were broken off; see the port."""
        return abort_uploads(self._bucket, begun_before_s=unchanged_s, dry_run=dry_run)

    def find_obstacle(self) -> str:
        """What keeps files from being written and removed here; see the port."""
        key = self.work_key(f"start-check-{uuid.uuid4().hex}", "file")
        try:
            self._bucket.check()
            self.write(key, b"1")
            try:
                return self._find_unconditional(key)
            finally:
                self._bucket.delete(key)
        except StepError as error:
            return error.detail

    def _find_unconditional(self, key: Key) -> str:
        """Whether the server ignores the conditions of writes."""
        try:
            self._bucket.put(key, b"2", IfNoneMatch="*")
        except FileChangedError:
            return ""
        return (
            f"The server of the {self._bucket.where} ignores the conditions of writes (If-None-Match): if two "
            "encodes of one video end at the same moment, the older one may win. Update the server if you can "
            "(docs/object-storage.md)."
        )

    def _work(self, job_id: str, shown: str = "") -> WorkPrefix:
        key = posixpath.join(WORK_FOLDER, job_id)
        return WorkPrefix(self._bucket, key, shown or key, self._scratch)
