"""How a command ended, and what it has used: asked of the kernel when it is reaped."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from podjobs.metering import CommandUsage, add_command, read_memory

RSS_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024
"""Of ru_maxrss."""


class CommandEnd(NamedTuple):
    """How a command ended."""

    status: int
    """Exit status; negative: the signal that killed it."""
    cpu_s: float
    """Processor time that it used."""


def reap(process: subprocess.Popen[bytes]) -> CommandEnd:
    """Wait for the end of a command, and note what it has used for the step that ran it."""
    read_bytes, written_bytes = _wait_and_count(process.pid)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    cpu_s = usage.ru_utime + usage.ru_stime
    memory_bytes = usage.ru_maxrss * RSS_UNIT_BYTES
    if memory_bytes <= read_memory().most_bytes:
        # the kernel hands the peak of this process on to what it starts: the command's own is less, and not known
        memory_bytes = 0
    add_command(CommandUsage(cpu_s, memory_bytes, read_bytes, written_bytes))
    return CommandEnd(process.returncode, cpu_s)


def _wait_and_count(pid: int) -> tuple[int, int]:
    """Bytes that a command has read and written by its end, through pipes, too. 0: not known.

    Source: proc(5), /proc/[pid]/io, which is there until the process is reaped.
    """
    if not hasattr(os, "waitid"):
        return 0, 0
    with contextlib.suppress(OSError, ValueError):
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        lines = Path(f"/proc/{pid}/io").read_text().splitlines()
        counts = {name: int(value) for name, _, value in (line.partition(":") for line in lines)}
        return counts.get("rchar", 0), counts.get("wchar", 0)
    return 0, 0
