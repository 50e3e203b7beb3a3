"""The most memory that this process and its commands used together while something was done."""

import contextlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

INTERVAL_S = 0.1


@dataclass
class Peak:
    """What was seen."""

    memory_bytes: int = 0
    """Resident. What commands share counts once (PSS)."""
    scratch_bytes: int = 0
    """In the folder for files of running steps."""


@contextmanager
def watching_peak(scratch: Path) -> Iterator[Peak]:
    """Look ten times a second; children that are there at the beginning do not count.

    Args:
        scratch: a folder whose size is looked at, too.
    """
    peak, ended = Peak(), threading.Event()
    process = psutil.Process()
    others = {child.pid for child in process.children(recursive=True)}

    def look() -> None:
        commands = [child for child in process.children(recursive=True) if child.pid not in others]
        memory_bytes = process.memory_info().rss + sum(_resident_bytes(one) for one in commands)
        peak.memory_bytes = max(peak.memory_bytes, memory_bytes)
        peak.scratch_bytes = max(peak.scratch_bytes, _size_bytes(scratch))

    def look_on() -> None:
        while not ended.wait(INTERVAL_S):
            look()

    thread = threading.Thread(target=look_on, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        ended.set()
        thread.join()
        look()


def _resident_bytes(process: psutil.Process) -> int:
    with contextlib.suppress(OSError, psutil.Error):
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return 0  # it has just ended


def _size_bytes(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):  # unlike glob, it does not mind that folders vanish
        for name in names:
            with contextlib.suppress(OSError):
                total += (Path(parent) / name).lstat().st_size
    return total
