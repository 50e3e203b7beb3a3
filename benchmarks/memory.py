"""Watches how much memory a process and its children hold."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]  # it has no annotations

EVERY_S = 0.05


@dataclass
class PeakMemory:
    """The most that was held at once."""

    held_bytes: int = 0


@contextmanager
def watching_memory() -> Iterator[PeakMemory]:
    """Watch this process and its children inside the block; what it gives grows meanwhile."""
    peak, ended = PeakMemory(), threading.Event()
    process = psutil.Process()

    def watch() -> None:
        while not ended.is_set():
            peak.held_bytes = max(peak.held_bytes, _held_bytes(process))
            ended.wait(EVERY_S)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        ended.set()
        watcher.join()


def _held_bytes(process: psutil.Process) -> int:
    held = 0
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            held += one.memory_info().rss
    return held
