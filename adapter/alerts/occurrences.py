"""What administrators are told of. Pure."""

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What has happened. Those of one kind are folded into one mail."""

    JOB_FAILED = "job_failed"
    OPERATOR_NEEDED = "operator_needed"
    """A function says that nothing changes until an operator acts: Pod's token is refused, a bucket is missing."""
    SHUT_OUT = "shut_out"
    """A function refuses the adapter."""
    LRS_REFUSES = "lrs_refuses"
    BACKLOG = "backlog"
    """Something has waited for too long."""
    QUEUE_CLOSED = "queue_closed"
    """Messages stay on Pod's queue."""
    OVER = "over"
    """What was told before is over."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One of them."""

    kind: str
    about: str
    """What it concerns: a job's id, a function, a queue."""
    reason: str = ""
    at_s: float = 0.0
    """Seconds since the epoch."""
    values: dict[str, str] = field(default_factory=dict)
    """What else is told: `target` and `type` of a job, `kind` of what is over, `waited_s`."""

    def as_text(self) -> str:
        """As it is kept in Redis."""
        return json.dumps(asdict(self))

    @classmethod
    def of_text(cls, text: str) -> "Occurrence":
        """Read it again. Raises ValueError or TypeError if it is none."""
        return cls(**json.loads(text))
