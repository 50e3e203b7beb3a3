"""Errors of a disk or a shared folder, in terms that an administrator can act on."""

import contextlib
import errno
from collections.abc import Iterator

from podjobs.contract.errors import NotNowError, RetryableError

DISK_RETRY_S = 30.0
"""Seconds between two attempts until an operator has acted."""
DISK_FULL = "The disk that holds the media is full. Free some space; the step is retried automatically."


@contextlib.contextmanager
def disk_errors() -> Iterator[None]:
    """Turn every OSError into one of ours.

    Raises:
        NotNowError: the disk is full, or writing is not permitted.
        RetryableError: anything else.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NotNowError(DISK_FULL, retry_after_s=DISK_RETRY_S) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise NotNowError(
                f"The media cannot be written: {error}. Give the functions' user write access to the media root.",
                retry_after_s=DISK_RETRY_S,
            ) from error
        raise RetryableError(f"The media storage failed: {error}.") from error
