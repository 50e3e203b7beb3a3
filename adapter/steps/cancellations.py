"""Cancellations: an operator does not want a job, and whoever requested it is told so."""

from dataclasses import dataclass
from typing import Any

from podjobs.contract.errors import Problem
from podjobs.contract.failure_kinds import FailureKind

TITLE = "The job was cancelled."


@dataclass(frozen=True, slots=True)
class Cancellation:
    """That a job is not wanted."""

    by: str
    """Who cancels it."""
    reason: str = ""

    @property
    def problem(self) -> Problem:
        """What whoever requested the job is told."""
        why = f" The reason given is: {self.reason.strip().rstrip('.')}." if self.reason.strip() else ""
        detail = f"An administrator has cancelled the job.{why}"
        return Problem(title=TITLE, status=410, detail=detail, kind=FailureKind.CANCELLED)

    @property
    def arguments(self) -> dict[str, Any]:
        """For the script."""
        sentence = f"The job was cancelled by {self.by}.{f' Reason: {self.reason}' if self.reason else ''}"
        return {"by": self.by, "problem": self.problem.model_dump_json(), "sentence": sentence}


REVOKED = Cancellation("celery control revoke")
"""Of a job whose message was revoked before it became a job."""
