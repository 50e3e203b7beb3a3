"""A worker's horse: the process that has opened the function and performs one step after another.

The worker's side; the process itself is horse_process.py. They talk over a socket pair: the process says that it is
ready, then gets a message and sends a reply, again and again. It ends when its worker closes the connection, and is
killed by the kernel when its worker is.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

END_S = 2.0
"""How long a horse may take to end by itself."""


class HorseLostError(Exception):
    """The process has ended; the message says how."""


class HorseReply(NamedTuple):
    """What a horse says when a step has ended."""

    answer: dict[str, Any]
    memory_bytes: int
    """What it holds now."""


class Horse:
    """A running horse."""

    def __init__(self, source: Path, environment: Mapping[str, str]) -> None:
        """Start the process.

        Args:
            source: the function's main.py.
            environment: of the process.
        """
        ours, theirs = socket.socketpair()
        argv = [sys.executable, "-m", "podjobs.entry.rq.horse_process", str(source), str(theirs.fileno())]
        with theirs:
            self._process = subprocess.Popen(
                [*argv, str(os.getpid())],
                env=environment,
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                process_group=0,  # signals of the terminal are for its worker
            )
        self._connection = Connection(ours.detach())
        self.pid = self._process.pid

    def wait_ready(self, timeout_s: float) -> bool:
        """Whether it has opened the function. Waits for that. Raises HorseLostError."""
        return self._read(timeout_s) is not None

    def send(self, message: Any) -> None:
        """Give it a message. Raises HorseLostError."""
        try:
            self._connection.send_bytes(json.dumps(message).encode())
        except OSError as error:
            raise self._lost() from error

    def receive(self, timeout_s: float) -> HorseReply | None:
        """Wait for its reply; None: it did not come in time. Raises HorseLostError."""
        said = self._read(timeout_s)
        return None if said is None else HorseReply(said["answer"], said["memory_bytes"])

    def kill(self) -> None:
        """Kill it, and with it the commands that it has started: each of them is tied to its life."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def end(self) -> None:
        """Let it end by itself, if it does so soon."""
        self._connection.close()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()

    def _read(self, timeout_s: float) -> Any:
        try:
            return json.loads(self._connection.recv_bytes()) if self._connection.poll(timeout_s) else None
        except (EOFError, OSError) as error:
            raise self._lost() from error

    def _lost(self) -> HorseLostError:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_S)  # it may end by itself, and its exit status says why
        self.kill()
        status = self._process.wait()
        self._connection.close()
        if status < 0:
            return HorseLostError(f"was killed by {signal.Signals(-status).name}")
        return HorseLostError(f"ended with exit status {status}")
