"""Processes that tests and benchmarks start, wait for, measure and kill."""

import contextlib
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

import psutil

REPOSITORY = Path(__file__).resolve().parents[2]
PYTHONPATH = os.pathsep.join(str(REPOSITORY / part) for part in ("", "layers/podjobs/python", "tests"))
OPERATOR_SETTINGS = (
    "PODJOBS_",
    "POD_API_",
    "XAPI_",
    "ENCODING_TRANSCODING_",
    "TRANSCRIPTION_",
    "MEDIA_",
    "FFMPEG_",
    "FFPROBE_",
    "VIDEO_RENDITIONS",
)
"""How the names of settings begin."""
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 10
POLL_S = 0.02


def environment_with(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child process: ours without an operator's settings, a path to all our code, and settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OPERATOR_SETTINGS)}
    return kept | {"PYTHONPATH": PYTHONPATH} | dict(settings)


def free_port() -> int:
    """Find a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(condition: Callable[[], Any], timeout_s: float, explain: Callable[[], str] = lambda: "") -> None:
    """Wait until something holds.

    Args:
        condition: asked again and again.
        timeout_s: how long.
        explain: returns what the error should add if it took too long.

    Raises:
        TimeoutError: it took too long.
    """
    end_s = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end_s:
            raise TimeoutError(f"What was waited for did not come within {timeout_s:g} s.\n{explain()}")
        time.sleep(POLL_S)


def serves(url: str) -> bool:
    """Whether an address answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=1) as response:  # noqa: S310 - our own address
            return bool(response.status == HTTPStatus.OK)
    except OSError:
        return False


def living_processes(wanted: Callable[[psutil.Process], bool]) -> list[psutil.Process]:
    """All processes of the machine that are wanted, except those that end meanwhile or may not be examined."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if wanted(process) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


@dataclass
class Program:
    """A program that can be killed and started again."""

    name: str
    argv: Sequence[str]
    settings: dict[str, str]
    log: Path
    """Everything it writes, of all its starts."""
    page: str = ""
    """An address that answers 200 when the program does its work."""
    folder: Path = REPOSITORY
    """Where it runs."""
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it; `wait` waits until it works."""
        with self.log.open("ab") as log:
            # a group of its own: a server's workers are killed with it
            self.process = subprocess.Popen(
                self.argv,
                env=environment_with(self.settings),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait(self) -> Self:
        """Wait until it works; returns it.

        Raises:
            RuntimeError: it has ended.
            TimeoutError: it took too long.
        """
        self.wait_for(lambda: serves(self.page), START_TIMEOUT_S)
        return self

    def wait_for(self, condition: Callable[[], Any], timeout_s: float = 10) -> None:
        """Wait for something that must come while the program runs.

        Raises:
            RuntimeError: it has ended.
            TimeoutError: it took too long.
        """

        def has_come() -> bool:
            if not self.is_running:
                raise RuntimeError(f"The program {self.name!r} has ended.\n{self.said()}")
            return bool(condition())

        wait_for(has_come, timeout_s, self.said)

    @property
    def is_running(self) -> bool:
        """It was started and has not ended."""
        return self.process is not None and self.process.poll() is None

    def said(self) -> str:
        """Its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """End it and its children at once."""
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, 9)
            self.process.wait()

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> int:
        """End it in order, or at once when that takes too long; returns the exit status."""
        if self.process is None:
            return 0
        self.process.terminate()
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.process.wait()

    def family(self) -> list[psutil.Process]:
        """Its process, then all below it."""
        if self.process is None:
            return []
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def rss_mib(self) -> float:
        """Its memory, with that of its children."""
        return float(sum(process.memory_info().rss for process in self.family())) / (1 << 20)
