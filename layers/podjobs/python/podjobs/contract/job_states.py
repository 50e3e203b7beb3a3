"""The states of a job, as its record, the script that changes it (adapter/steps/lua) and operators see them."""

from enum import StrEnum


class JobState(StrEnum):
    """The state of a job."""

    QUEUED = "queued"
    """None of its steps has been delivered yet."""
    RUNNING = "running"
    FAILING = "failing"
    """It has failed; the steps that report this are being performed."""
    DONE = "done"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    """A newer job for the same target took its place."""

    CANCELLED = "cancelled"
    """Its video was deleted, or an operator did not want it."""

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen that its sender could see."""
        return self in {JobState.DONE, JobState.FAILED, JobState.SUPERSEDED, JobState.CANCELLED}
