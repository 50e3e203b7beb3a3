"""Steps that write into a job's work folder, perhaps after the job has ended."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from podjobs.contract.errors import RetryableError
from podjobs.contract.ports.storage import Storage


def write_chunk(storage: Storage, job_id: str, name: str = "chunk/1") -> None:
    """A step: it writes files into the job's work folder."""
    with storage.writing(storage.work_key(job_id, name)) as folder:
        for file in "abc":
            (folder / file).write_bytes(file.encode() * 1000)


def try_write_chunk(storage: Storage, job_id: str, name: str = "chunk/1") -> bool:
    """Whether it was in time; any other error than the documented one is raised."""
    try:
        write_chunk(storage, job_id, name)
    except RetryableError as error:
        if "the job has ended or was superseded" not in error.detail:
            raise
        return False
    return True


def begin_writing(storage: Storage, job_id: str, names: Sequence[str] = ("a",)) -> AbstractContextManager[Path]:
    """A step that has written files, but not ended."""
    step = storage.writing(storage.work_key(job_id, "chunk"))
    folder = step.__enter__()
    for name in names:
        (folder / name).write_bytes(b"content")
    return step


def finish_writing(step: AbstractContextManager[Path]) -> bool:
    """Whether it was in time."""
    try:
        step.__exit__(None, None, None)
    except RetryableError as error:
        if "the job has ended or was superseded" not in error.detail:
            raise
        return False
    return True
