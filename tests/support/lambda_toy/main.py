"""A function that does to itself what it is told, as no function of ours would."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def handle(event: dict[str, Any], context: Any) -> Any:
    """Do what the event says; tell who did it."""
    print(f"Told: {event}", flush=True)  # noqa: T201 - what it writes is its log
    if "fork" in event:
        subprocess.Popen(["sleep", "600"])
    time.sleep(event.get("sleep_s", 0))
    if "kill" in event:
        os.kill(os.getpid(), signal.SIGKILL)
    if "exit" in event:
        sys.exit(event["exit"])
    if "raise" in event:
        raise ValueError(event["raise"])
    if "length" in event:
        return "x" * event["length"]
    return {
        "pid": os.getpid(),
        "request_id": context.aws_request_id,
        "folder": tempfile.gettempdir(),
        "files": sorted(path.name for path in Path(tempfile.gettempdir()).iterdir()),
        "environment": dict(os.environ),
    }
