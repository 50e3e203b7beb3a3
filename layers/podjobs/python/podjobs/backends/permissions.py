"""Modes, groups and owners of what is left in the media root: Pod, which is another user, reads it and deletes some.

Files are readable by all, whatever the umask. Folders are like those above them: who may delete a file there may do so
here. Only root may give a folder away, and others only set a group of theirs, so these are attempts.
"""

import contextlib
import errno
import os
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path

READABLE_BY_ALL = 0o644
"""Files; Pod runs as another user, perhaps of another group."""
ENTERED_BY_ALL = 0o055
"""Added to the mode of folders whose group we may not set."""
REFUSALS = frozenset({errno.EPERM, errno.EACCES, errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
"""By the kernel, or by file systems without owners. EINVAL: a container's user namespace does not know that user."""
FALSE_START = ".podjobs-"
"""How the name of a folder begins that is only made to see to whom it belongs."""


def let_all_read(file: Path) -> None:
    """Set a file's mode, if the file system has modes."""
    with _if_permitted():
        file.chmod(READABLE_BY_ALL)


def make_folders(folder: Path) -> None:
    """Create a folder, and those above it that are missing, like the lowest one that exists."""
    if folder.is_dir():
        return
    make_folders(folder.parent)
    with contextlib.suppress(FileExistsError):
        make_folder(folder)


def make_folder(folder: Path) -> None:
    """Create a folder with the mode, the group and, if we may give it away, the owner of the one above.

    Raises:
        FileExistsError: there is one.
        FileNotFoundError: there is none above.
    """
    above = folder.parent.stat()
    folder.mkdir()
    # apart: whoever may not set the owner may still set the group
    with _if_permitted():
        os.chown(folder, -1, above.st_gid)
    # after the group, as the kernel lets nobody set the set-group-id bit for a group that is not theirs
    mode = stat.S_IMODE(above.st_mode)
    with _if_permitted():
        folder.chmod(mode if folder.stat().st_gid == above.st_gid else mode | ENTERED_BY_ALL)
    with _if_permitted():
        os.chown(folder, above.st_uid, -1)


def find_obstacle(root: Path) -> str:
    """Make a folder, to see whether whoever owns the media root could delete files in it.

    Args:
        root: the media root, as it is mounted here.

    Returns:
        What is wrong, and what an operator can do; empty: nothing.
    """
    trial = root / f"{FALSE_START}{uuid.uuid4().hex}"
    try:
        make_folder(trial)
        try:
            return judge_folder(root, trial.stat(), root.stat())
        finally:
            trial.rmdir()
    except FileNotFoundError:
        return f"The media root {str(root)!r} is not there. Mount it, or correct MEDIA_URL."
    except OSError as error:
        reason = os.strerror(error.errno or errno.EIO)
        return (
            f"The user {os.geteuid()} cannot write into the media root {str(root)!r}: {reason}. "
            "Give the user access to it, or run this as a user who has access."
        )


def judge_folder(root: Path, made: os.stat_result, above: os.stat_result) -> str:
    """Whether the owner of the media root, or the members of its group, could delete files in a folder. Pure.

    Args:
        root: how the sentence names the media root.
        made: of a folder that was made in it.
        above: of the media root.
    """
    by_group = made.st_gid == above.st_gid and made.st_mode & stat.S_IWGRP
    # in a sticky folder, only the owners of a file or the folder may delete
    by_others = (by_group or made.st_mode & stat.S_IWOTH) and not made.st_mode & stat.S_ISVTX
    if made.st_uid == above.st_uid or by_others:
        return ""
    return (
        f"Pod cannot delete what is written here: folders in the media root {str(root)!r} belong to user {made.st_uid} "
        f"and group {made.st_gid}, the media root to user {above.st_uid} and group {above.st_gid}. Run this as user "
        f"{above.st_uid}; or make the user a member of group {above.st_gid} and let the group write: "
        f"chgrp -R {above.st_gid}, chmod -R g+w, and chmod g+s for all folders of the media root."
    )


@contextlib.contextmanager
def _if_permitted() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in REFUSALS:
            raise
