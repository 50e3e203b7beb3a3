"""Cancellations: an operator does not want a job, and whoever requested it is told so."""

from dataclasses import dataclass
from typing import Any

from podjobs.contract.bounds import cut_text
from podjobs.contract.errors import Problem
from podjobs.contract.failure_kinds import FailureKind

TITLE = "The job was cancelled."
REASON_BYTES = 600
"""Of a reason in UTF-8: every step that reports the cancellation carries it, and Pod's log shows it."""


@dataclass(frozen=True, slots=True)
class Cancellation:
    """That a job is not wanted."""

    by: str
    """Who cancels it."""
    reason: str = ""

    @property
    def problem(self) -> Problem:
        """What whoever requested the job is told."""
        detail = f"An administrator has cancelled the job.{self._why}"
        return Problem(title=TITLE, status=410, detail=detail, kind=FailureKind.CANCELLED)

    @property
    def arguments(self) -> dict[str, Any]:
        """For the script."""
        sentence = f"The job was cancelled by {self.by}.{self._why}"
        return {"by": self.by, "problem": self.problem.model_dump_json(), "sentence": sentence}

    @property
    def _why(self) -> str:
        reason = cut_text(" ".join(self.reason.split()).rstrip("."), REASON_BYTES)
        return f" The reason given is: {reason}." if reason else ""


REVOKED = Cancellation("celery control revoke")
"""Of a job whose message was revoked before it became a job."""
