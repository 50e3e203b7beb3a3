"""What is noted of attempts, for operators: those that have ended, and those that run (lua/history.lua).

What cannot be read is left out: adapters of other versions may note other things, and nothing depends on it.
"""

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from adapter.steps.entries import ClaimedStep
from podjobs.contract.usage import Usage

REASON_CHARS = 300


class AttemptOutcome(StrEnum):
    """What became of an attempt."""

    DONE = "done"
    RETRIED = "retried"
    """It failed, and another one follows."""
    FAILED = "failed"
    """It failed, and was the last one."""
    BUSY = "busy"
    """The function did not take the step now. Not noted in Redis, for it does not count."""
    DROPPED = "dropped"
    """The step was no longer open. Not noted in Redis."""


@dataclass(frozen=True, slots=True)
class AttemptNote:
    """What an adapter knows of an attempt that has ended; the rest is known to Redis."""

    owner: str
    ran_s: float
    usage: Usage | None = None
    reason: str = ""

    def about(self, step: ClaimedStep) -> dict[str, Any]:
        """As an argument of the script."""
        usage = self.usage or Usage()
        return {
            "action": step.spec.action,
            "number": step.attempt,
            "owner": self.owner,
            "ran_s": round(max(0.0, self.ran_s), 3),
            "cpu_s": round(usage.cpu_s, 3),
            "memory_bytes": usage.memory_bytes,
            "read_bytes": usage.read_bytes,
            "written_bytes": usage.written_bytes,
            "reason": self.reason[:REASON_CHARS],
        }


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt of a step that has ended. Times are in seconds since the epoch, by the server's clock."""

    step: str
    function: str
    action: str
    stage: str
    number: int
    outcome: str
    """An AttemptOutcome: done, retried or failed."""
    ready_at: float
    """When its stage began: it waited for its turn from then on."""
    taken_at: float
    """When its turn came. Its earlier attempts were before `began_at`, too."""
    began_at: float
    """When this attempt was delivered."""
    ended_at: float
    owner: str
    """The adapter that delivered it."""
    cpu_s: float
    """0: not known."""
    memory_bytes: int
    """0: not known."""
    reason: str
    """Why it failed."""

    @property
    def ran_s(self) -> float:
        """How long it took."""
        return self.ended_at - self.began_at

    @classmethod
    def read(cls, text: str) -> "Attempt":
        """Read an element of the list. Raises ValueError or TypeError if it is none."""
        return cls(*json.loads(text))


@dataclass(frozen=True, slots=True)
class RunningStep:
    """An attempt that runs, or did when its adapter was last heard of."""

    function: str
    entry_id: str
    job_id: str
    step: str
    action: str
    attempt: int
    owner: str
    """The adapter that has delivered it."""
    since_s: float
    """Seconds since the epoch, by the server's clock."""

    @classmethod
    def read(cls, function: str, entry_id: str, text: str) -> "RunningStep":
        """Read a field of the hash. Raises ValueError, TypeError or KeyError if it is none."""
        found = json.loads(text)
        return cls(
            function=function,
            entry_id=entry_id,
            job_id=found["job"],
            step=found["step"],
            action=found["action"],
            attempt=int(found["attempt"]),
            owner=found["owner"],
            since_s=float(found["since"]),
        )


def read_attempts(texts: Iterable[str]) -> list[Attempt]:
    """Read the elements of a job's list of attempts."""
    found = []
    for text in texts:
        with contextlib.suppress(ValueError, TypeError):
            found.append(Attempt.read(text))
    return found


def read_running(function: str, fields: Mapping[str, str]) -> list[RunningStep]:
    """Read the fields of a function's hash of attempts that run."""
    found = []
    for entry_id, text in fields.items():
        with contextlib.suppress(ValueError, TypeError, KeyError):
            found.append(RunningStep.read(function, entry_id, text))
    return found
