"""The files of a result, as clients fetch them: from the media storage, confined to the task's folder."""

import asyncio
import hashlib
import json
import posixpath
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from podjobs.contract.errors import MissingFileError, StepError
from podjobs.contract.media_paths import Key
from podjobs.contract.ports.storage import Storage
from podjobs.contract.runner_places import FOLDER, job_folder, result_folder

logger = structlog.get_logger(__name__)

BLOCK_BYTES = 1 << 20
THREADS = 8
"""That wait for the storage: a folder that hangs must not hold up what else needs threads."""
CHECKSUMS = "checksums.json"
"""Beside the folder of the result: each file's name → its SHA-256. What publishes the files writes it."""
LONGEST_CHECKSUMS_BYTES = 4 << 20
Found = TypeVar("Found")


class InvalidPathError(ValueError):
    """What was asked for is not the name of a file in the task's folder."""


@dataclass(frozen=True, slots=True)
class ResultFile:
    """A file of a result."""

    key: Key
    size_bytes: int
    etag: str
    """In quotes: its checksum or, where none is known, what tells it from any other."""
    sha256: str | None


def check_path(path: str) -> str:
    """Check the path of a file below the task's folder.

    Raises:
        InvalidPathError: it is absolute, leads out of it, or is not written plainly.
    """
    parts = path.split("/")
    if not path or path.startswith("/") or "\0" in path or "\\" in path or {"", ".", ".."} & set(parts):
        raise InvalidPathError("The path must name a file of the result, as the list of its files does.")
    return path


class Results:
    """The results of all tasks. All methods raise StepError if the storage does not answer."""

    def __init__(self, storage: Storage) -> None:
        """Use the media storage; nothing is accessed before the first request."""
        self._storage = storage
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="results")

    def close(self) -> None:
        """Let go of the threads; those that hang are left behind."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def are_readable(self) -> bool:
        """Whether the storage answers; if not, the log says why."""
        try:
            await self._run(lambda: self._storage.exists(posixpath.join(FOLDER, CHECKSUMS)))
        except StepError as error:
            logger.warning("Results cannot be read from the media storage.", reason=error.detail)
            return False
        return True

    async def names(self, task_id: str) -> list[str]:
        """The names of the files of a task's result; none: they have expired."""
        found = await self._run(lambda: self._storage.list_files(result_folder(task_id)))
        return [posixpath.basename(key) for key in found]

    async def checksums(self, task_id: str) -> dict[str, str]:
        """The SHA-256 of these files, as far as it is known."""
        return await self._run(lambda: self._read_checksums(task_id))

    async def find(self, task_id: str, path: str) -> ResultFile | None:
        """Find a file; None: there is none.

        Args:
            task_id: whose folder is looked into.
            path: below it; see `check_path`.
        """
        return await self._run(lambda: self._find(task_id, path))

    async def blocks(self, file: ResultFile, first: int, length: int) -> AsyncGenerator[bytes]:
        """Read a part of a file, block by block.

        Args:
            file: as `find` returned it.
            first: position of the first byte.
            length: how many bytes are wanted; fewer come only if the file has become shorter.
        """
        opened = await self._run(lambda: self._storage.open(file.key, first))
        try:
            while length > 0:
                wanted = min(length, BLOCK_BYTES)
                block = await self._run(lambda: opened.read(wanted))  # noqa: B023 - awaited at once
                if not block:
                    return
                length -= len(block)
                yield block
        finally:
            await self._run(opened.close)

    def _find(self, task_id: str, path: str) -> ResultFile | None:
        key = posixpath.join(result_folder(task_id), path)
        version = self._storage.version(key)
        if version is None:
            return None
        try:
            size_bytes = self._storage.size_bytes(key)
        except MissingFileError:
            return None
        sha256 = self._read_checksums(task_id).get(path)
        etag = sha256 or hashlib.sha256(version.encode()).hexdigest()[:32]
        return ResultFile(key, size_bytes, f'"{etag}"', sha256)

    def _read_checksums(self, task_id: str) -> dict[str, str]:
        try:
            with self._storage.open(posixpath.join(job_folder(task_id), CHECKSUMS)) as file:
                found: Any = json.loads(file.read(LONGEST_CHECKSUMS_BYTES))
        except (MissingFileError, ValueError):
            return {}
        return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}

    async def _run(self, work: Callable[[], Found]) -> Found:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
