"""A function whose steps take as long as their parameters say, with as many slots as an operator has set."""

import os
import time
from pathlib import Path

from podjobs.contract.jobs import RecoveryJob
from podjobs.contract.message_contracts import STEPS
from podjobs.contract.plans import Plan, Result
from podjobs.contract.steps import Step
from podjobs.entry.definition import FunctionDefinition, entry_points
from podjobs.entry.endpoint import StepHandler
from podjobs.settings import EndpointSettings


class PacedSettings(EndpointSettings):
    """Where the notes are, and how many steps run at once."""

    podjobs_encoding_slots: int
    paced_notes: Path


class PacedFunction:
    """Notes `begin` and `end` of each step in the file `notes`; the plan is in `plan.json`."""

    def __init__(self, folder: Path) -> None:
        """Take the folder of both files."""
        self._folder = folder

    def handle(self, step: Step) -> Plan | Result:
        """Take the time that a step is to take. Looking for lost jobs' work, as adapters ask for, takes none."""
        if isinstance(step.job, RecoveryJob):
            return Result()
        self._note("begin", step)
        time.sleep(step.params.get("takes_s", 0))
        self._note("end", step)
        return (
            Plan.model_validate_json((self._folder / "plan.json").read_bytes()) if step.action == "plan" else Result()
        )

    def _note(self, what: str, step: Step) -> None:
        # the parent: gunicorn's first process, which is the pod's
        line = f"{what} {os.getppid()} {step.step_id} {step.attempt} {time.time():.3f}\n"
        with (self._folder / "notes").open("a", encoding="utf-8") as notes:
            notes.write(line)


def build(settings: PacedSettings) -> tuple[StepHandler, int]:
    """Make the handler."""
    return PacedFunction(settings.paced_notes), settings.podjobs_encoding_slots


FUNCTION = FunctionDefinition("encoding", STEPS, PacedSettings, build)
__getattr__ = entry_points(FUNCTION)
