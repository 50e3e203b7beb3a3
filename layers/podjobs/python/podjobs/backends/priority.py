"""Lets a command leave the processors to others that want them."""

import contextlib
import shutil
from pathlib import Path

NICENESS = 10


def yielding_argv() -> list[str]:
    """The words before a command that give it a lower priority; none where there is no `nice`."""
    nice = shutil.which("nice")
    return [nice, "-n", str(NICENESS)] if nice else []


def lower_session(leader_pid: int) -> None:
    """Give a session a lower priority among sessions: Linux may share the processors between these first.

    Source: sched(7), the autogroup feature. Elsewhere nothing happens.

    Args:
        leader_pid: process id of its first process.
    """
    with contextlib.suppress(OSError):
        Path(f"/proc/{leader_pid}/autogroup").write_text(str(NICENESS), encoding="ascii")
