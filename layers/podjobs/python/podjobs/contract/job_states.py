"""The states of a job, as its record, the script that changes it (adapter/steps/jobs.lua) and the operator see them."""

from enum import StrEnum


class JobState(StrEnum):
    """How far a job is."""

    QUEUED = "queued"
    """No step of it was delivered yet."""
    RUNNING = "running"
    FAILING = "failing"
    """It cannot be done; the steps that report this are being performed."""
    DONE = "done"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    """A newer job for the same target took its place."""

    @property
    def is_final(self) -> bool:
        """Nothing more will happen that its sender could see."""
        return self in {JobState.DONE, JobState.FAILED, JobState.SUPERSEDED}
