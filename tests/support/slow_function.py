"""A function for RQ workers whose steps do what their parameters say; as a deployable."""

import os
import signal
import subprocess
import time
from pathlib import Path

from podjobs.contract.errors import NotNowError, PermanentError, RetryableError
from podjobs.contract.message_contracts import STEPS
from podjobs.contract.plans import Result
from podjobs.contract.steps import Step
from podjobs.entry.definition import FunctionDefinition, entry_points
from podjobs.entry.endpoint import StepHandler
from podjobs.settings import EndpointSettings

SLEEPER = ["sleep", "86399"]
"""Stands for ffmpeg: a command that outlives whoever started it, unless somebody ends it."""


class SlowSettings(EndpointSettings):
    """Where notes are written."""

    notes_dir: Path


class SlowFunction:
    """Does what a step's parameters say, and notes which process did it, and where."""

    def __init__(self, notes: Path) -> None:
        """Take the folder of the notes."""
        self._notes = notes

    def handle(self, step: Step) -> Result:
        """Perform a step."""
        host = os.environ.get("SLOW_HOST", "")
        (self._notes / f"{step.step_id}-{step.attempt}-{time.monotonic_ns()}").write_text(f"{os.getpid()} {host}")
        match step.action:
            case "sleep":
                time.sleep(step.params["takes_s"])
            case "command":
                subprocess.run(SLEEPER, check=True)
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "permanent":
                raise PermanentError("Broken.")
            case "retryable":
                raise RetryableError("Not this time.")
            case "busy":
                raise NotNowError("No memory.", retry_after_s=3)
            case "bug":
                raise ZeroDivisionError
        return Result(values={"pid": os.getpid(), "size": len(step.params.get("payload", ""))})


def build(settings: SlowSettings) -> tuple[StepHandler, int]:
    """Connect the function."""
    return SlowFunction(settings.notes_dir), 1


FUNCTION = FunctionDefinition("encoding", STEPS, SlowSettings, build)
__getattr__ = entry_points(FUNCTION)
