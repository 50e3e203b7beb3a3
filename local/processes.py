"""Keeps supervisord running as our child, and leaves no process behind.

Linux: what its programs leave behind when they are killed becomes our child (subreaper), and is ended with the rest.
"""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

PR_SET_CHILD_SUBREAPER = 36
"""Source: prctl(2)."""
STOP_S = 9.0
"""From SIGTERM to SIGKILL: the whole stack is gone within 10 s."""
LEFTOVERS_S = 6.0
"""What a killed supervisord leaves behind gets this long to end by itself."""


class Supervisor:
    """supervisord and, through it, the programs."""

    def __init__(self, conf: Path, environment: Mapping[str, str], write_log: Callable[[bytes], None]) -> None:
        """Prepare; nothing is started yet.

        Args:
            conf: supervisord's configuration file.
            environment: of supervisord and all programs.
            write_log: receives every line that supervisord and the programs write.
        """
        self._conf = conf
        self._environment = dict(environment)
        self._write_log = write_log
        self._process: subprocess.Popen[bytes] | None = None
        adopt_orphans()

    def start(self) -> None:
        """Start supervisord, which starts the programs."""
        supervisord = str(Path(sys.executable).with_name("supervisord"))
        setpriv = shutil.which("setpriv")
        prefix = [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
        # a session of its own: Ctrl-C reaches us alone, and we stop the programs in their order
        self._process = subprocess.Popen(
            [*prefix, supervisord, "-n", "-c", str(self._conf)],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        if self._process.stdout:
            threading.Thread(target=self._copy_log, args=(self._process.stdout,), daemon=True).start()

    def look_after(self) -> bool:
        """Start supervisord again if it has died, after what it left behind has ended.

        Returns:
            Whether it had died.
        """
        self._reap_orphans()
        if self._process is None or self._process.poll() is None:
            return False
        self._end_leftovers(LEFTOVERS_S)
        self.start()
        return True

    def stop(self) -> None:
        """Stop everything; returns when no process is left, at most some 10 s later."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                _kill_all(descendants(os.getpid()))
                process.wait()
        self._end_leftovers(0)

    def _copy_log(self, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                self._write_log(line)

    def _end_leftovers(self, patience_s: float) -> None:
        deadline = time.monotonic() + patience_s
        while left := self._leftovers():
            if time.monotonic() >= deadline:
                _kill_all(left)
            time.sleep(0.05)

    def _leftovers(self) -> set[int]:
        self._reap_orphans()
        return descendants(os.getpid())

    def _reap_orphans(self) -> None:
        """Take note of the end of adopted processes, so that they do not stay as zombies."""
        ours = self._process.pid if self._process else None
        for pid in children(os.getpid()) - {ours}:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def adopt_orphans() -> None:
    """Become the parent of what our descendants leave behind, where the system can do that."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children(parent: int) -> set[int]:
    """The direct children of a process; none where there is no /proc."""
    return {pid for pid, its_parent in _parents().items() if its_parent == parent}


def descendants(ancestor: int) -> set[int]:
    """All processes below a process; none where there is no /proc."""
    parents = _parents()
    found: set[int] = set()
    generation = {ancestor}
    while generation:
        generation = {pid for pid, parent in parents.items() if parent in generation} - found
        found |= generation
    return found


def _parents() -> dict[int, int]:
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # the name, in parentheses, may hold anything: what follows the last one is state, parent, …
            parents[int(stat.parent.name)] = int(stat.read_text(errors="replace").rpartition(")")[2].split()[1])
    return parents


def _kill_all(pids: set[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
