"""The processes below ours: adopted when their parent is killed, and ended with the rest.

Linux: what is left behind by a program that is killed becomes our child (subreaper). Elsewhere it is not found.
"""

import contextlib
import ctypes
import os
import time

import psutil

PR_SET_CHILD_SUBREAPER = 36
"""Source: prctl(2)."""
POLL_S = 0.05


def adopt_orphans() -> None:
    """Become the parent of what our descendants leave behind, where the system can do that."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_orphans(child: int | None) -> None:
    """Take note of the end of adopted processes, so that they do not stay as zombies.

    Args:
        child: our own child, whom somebody else waits for.
    """
    for process in psutil.Process().children():
        if process.pid != child:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process.pid, os.WNOHANG)


def end_descendants(grace_s: float) -> None:
    """Wait until no process is left below ours; those that are there after a while are killed.

    Args:
        grace_s: how long they may take to end by themselves.
    """
    deadline = time.monotonic() + grace_s
    while left := _descendants():
        if time.monotonic() >= deadline:
            for process in left:
                with contextlib.suppress(psutil.Error):
                    process.kill()
        time.sleep(POLL_S)


def _descendants() -> list[psutil.Process]:
    reap_orphans(None)
    return list(psutil.Process().children(recursive=True))
