"""The processes below ours: adopted when their parent is killed, and ended with the rest.

On Linux, what a killed program leaves behind becomes our child (subreaper). Elsewhere it is not found.
"""

import contextlib
import ctypes
import os
import shutil
import time

import psutil

PR_SET_CHILD_SUBREAPER = 36
"""Source: prctl(2)."""
POLL_S = 0.05


def bound_to_parent(name: str = "TERM") -> tuple[str, ...]:
    """The wrapper that replaces itself with a program, so that it ends when its parent is killed. Linux only.

    Args:
        name: of the signal that it then gets.
    """
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", name, "--") if setpriv else ()


def adopt_orphans() -> None:
    """Become the parent of what our descendants leave behind, if the system supports it."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_orphans(child: int | None) -> None:
    """Reap adopted processes that have ended, so that they do not remain as zombies.

    Args:
        child: our own child, for which somebody else waits.
    """
    for process in psutil.Process().children():
        if process.pid != child:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process.pid, os.WNOHANG)


def end_descendants(grace_s: float) -> None:
    """Wait until no process is left below ours; those that are left after the grace time are killed.

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
