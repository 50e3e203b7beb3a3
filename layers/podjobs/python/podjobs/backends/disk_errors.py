"""Errors of a disk or a shared folder, in terms that an administrator can act on."""

import contextlib
import errno
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from podjobs.contract.errors import (
    FULL,
    OperatorNeededError,
    PermanentError,
    RetryableError,
    StepError,
    blames_disk,
)

DISK_RETRY_S = 30.0
"""Seconds between two attempts until an operator has acted."""
LITTLE_ROOM_BYTES = 64 << 20
"""With less, a disk counts as full: what a command wrote in vain may already be gone."""
FEW_FILES = 16
TRIAL_BYTES = 1 << 20


@dataclass(frozen=True)
class Disk:
    """What a disk is for, in the words of its errors."""

    full: str
    """Complete sentences, with the remedy."""
    unwritable: str
    """How the sentence begins that tells of a refusal; the system's own words follow."""
    remedy: str
    """What to do about a refusal: a complete sentence."""
    failed: str
    """How the sentence begins that tells of any other trouble."""


MEDIA = Disk(
    full="The disk that holds the media is full. Free some space; the step is retried automatically.",
    unwritable="The media cannot be written",
    remedy="Give the functions' user write access to the media root.",
    failed="The media storage failed",
)


@contextlib.contextmanager
def disk_errors(disk: Disk = MEDIA) -> Iterator[None]:
    """Turn every OSError into one of ours.

    Args:
        disk: the one that is accessed.

    Raises:
        OperatorNeededError: the disk is full, or writing is not permitted.
        RetryableError: anything else.
    """
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise disk_full(disk) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise OperatorNeededError(
                f"{disk.unwritable}: {error}. {disk.remedy}", retry_after_s=DISK_RETRY_S
            ) from error
        raise RetryableError(f"{disk.failed}: {error}.") from error


def disk_full(disk: Disk = MEDIA) -> OperatorNeededError:
    """The error of a full disk."""
    return OperatorNeededError(disk.full, retry_after_s=DISK_RETRY_S)


def explain_failure(error: PermanentError, folder: Path, disk: Disk = MEDIA) -> StepError:
    """Find out whether a command failed because the disk was full; its own word does not suffice.

    Args:
        error: of a command that wrote into the folder.
        folder: exists, still with everything that the command wrote.
        disk: the one that the folder is on.

    Returns:
        The error to raise: the same if the command does not speak of the disk.
    """
    if not blames_disk(error):
        return error
    with disk_errors(disk):
        if is_full(folder):
            return OperatorNeededError(disk.full, retry_after_s=DISK_RETRY_S, **error.context)
    # Either others have just freed space, or the file was made to say so: it will say so at each attempt.
    return RetryableError(f"{error.detail} The disk has room, however.", **error.context)


def is_full(folder: Path) -> bool:
    """Whether next to nothing can be written into a folder: by its file system, or because a quota is used up.

    Raises OSError for other troubles.
    """
    if has_little_room(folder):
        return True
    # statvfs does not know quotas
    trial = folder / f".trial-{uuid.uuid4().hex}"
    try:
        with trial.open("wb") as file:
            file.write(bytes(TRIAL_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        if error.errno in FULL:
            return True
        raise
    finally:
        trial.unlink(missing_ok=True)
    return False


def has_little_room(folder: Path) -> bool:
    """Whether a file system counts as full, quotas apart. Raises OSError."""
    state = os.statvfs(folder)
    return state.f_bavail * state.f_frsize < LITTLE_ROOM_BYTES or (state.f_files > 0 and state.f_favail < FEW_FILES)
