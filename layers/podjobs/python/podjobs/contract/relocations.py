"""The reply of a step that looked into where a job's media are now: moved, deleted, or still where they were."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from podjobs.contract.bounds import Log
from podjobs.contract.usage import Usage
from podjobs.contract.workflows import AnyJob

RELOCATION_EVENT_TYPE = "fr.esup-portail.podjobs.relocation"


class Whereabouts(StrEnum):
    """What has become of a job's source."""

    MOVED = "moved"
    """The job goes on with its source and its results at another place."""
    DELETED = "deleted"
    """Whoever requested the job no longer wants it: it is cancelled, and its files are removed."""
    UNCHANGED = "unchanged"
    """It should be where the job says; the steps that miss it are tried again."""


class Relocation(BaseModel):
    """The reply of a step that looked into where the source is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    whereabouts: Whereabouts
    job: AnyJob
    """The job as it must be from now on."""
    log: Log = ()
    """Sentences for the job's log."""
    usage: Usage | None = Field(default=None, exclude=True)
    """See Result.usage."""
