"""A function for RQ workers whose steps do what their parameters say; as a deployable."""

import os
import signal
import subprocess
import time
from pathlib import Path

from podjobs.backends.wrappers import wrap
from podjobs.contract.commands import UNLIMITED
from podjobs.contract.errors import NotNowError, PermanentError, RetryableError
from podjobs.contract.message_contracts import STEPS
from podjobs.contract.plans import Result
from podjobs.contract.steps import Step
from podjobs.entry.definition import FunctionDefinition, entry_points
from podjobs.entry.endpoint import StepHandler
from podjobs.settings import EndpointSettings


def endless(notes: Path) -> list[str]:
    """A command that stands for ffmpeg, and outlives whoever started it unless somebody ends it."""
    return ["tail", "--follow", str(notes / "nothing")]


class SlowSettings(EndpointSettings):
    """Where notes are written."""

    notes_dir: Path


class SlowFunction:
    """Does what a step's parameters say, and notes which process did it, and where."""

    def __init__(self, notes: Path) -> None:
        """Take the folder of the notes."""
        self._notes = notes
        (notes / "nothing").touch()

    def handle(self, step: Step) -> Result:
        """Perform a step."""
        note = self._notes / f"{step.step_id}-{step.attempt}-{time.monotonic_ns()}"
        note.write_text(f"{os.getpid()} {os.environ.get('SLOW_HOST', '')}")
        result = self._perform(step)
        note.with_name(f"ended-{note.name}").write_text(str(time.monotonic_ns()))
        return result

    def _perform(self, step: Step) -> Result:
        match step.action:
            case "sleep":
                time.sleep(step.params["takes_s"] * float(os.environ.get("SLOW_FACTOR", "1")))
            case "command":
                # as ffmpeg is started: in a session of its own, tied to this process
                argv = [*wrap(1 << 32, UNLIMITED), *endless(self._notes)]
                subprocess.run(argv, check=True, start_new_session=True)
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
