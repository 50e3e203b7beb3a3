"""The process that performs a worker's steps: `python -m podjobs.entry.rq.horse_process SOURCE DESCRIPTOR WORKER`.

It knows nothing of RQ and Redis. Its worker's connection is all that it listens to, and its end is the process' end.
"""

import json
import os
import signal
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

import structlog

from podjobs.backends.kernel import KernelRefusedError, die_with_parent
from podjobs.entry.messages import MessageHandler
from podjobs.entry.rq.source import load_source

logger = structlog.get_logger(__name__)

READY = {"ready": True}


def main(source: Path, connection: Connection, worker_pid: int) -> None:
    """Serve a worker until it closes the connection.

    Args:
        source: the function's main.py.
        connection: to the worker.
        worker_pid: its process.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        # the worker decides; a handler, unlike SIG_IGN, is not handed on to ffmpeg
        signal.signal(number, lambda *_: None)
    with suppress(KernelRefusedError):
        die_with_parent(signal.SIGKILL)
    if os.getppid() != worker_pid:  # it has died meanwhile
        return
    handler = load_source(source).handle_message
    connection.send_bytes(json.dumps(READY).encode())
    with suppress(EOFError, ConnectionError):
        while True:
            reply = perform(handler, connection.recv_bytes())
            connection.send_bytes(reply)


def perform(handler: MessageHandler, message: bytes) -> bytes:
    """Perform one step; returns the reply for the worker.

    An error that is not a step's own ends the process: who knows what it has left behind.
    """
    try:
        answer = handler(json.loads(message))
    except Exception:
        logger.exception("The function failed unexpectedly, and is started anew.")
        raise SystemExit(1) from None
    return json.dumps({"answer": answer, "memory_bytes": held_memory_bytes()}).encode()


def held_memory_bytes() -> int:
    """Memory that this process holds; 0: unknown here. Source: proc_pid_statm(5)."""
    try:
        resident_pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0
    return resident_pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Connection(int(sys.argv[2])), int(sys.argv[3]))
