"""What functions reply to a step: a result, or the plan of the rest of the job.

A job is planned by its first step. The plan's stages follow one another; the steps of a stage run in parallel.
"""

import operator
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt

from podjobs.contract.bounds import Log, Travelling
from podjobs.contract.requests import DEFAULT_TIMEOUT_S, Name
from podjobs.contract.usage import Usage

PLAN_EVENT_TYPE = "fr.esup-portail.podjobs.plan"
RESULT_EVENT_TYPE = "fr.esup-portail.podjobs.result"


class StepSpec(BaseModel):
    """A step as a plan specifies it: only its own data; what all steps share is joined in at delivery."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    id: Name
    """Unique within the job, forever: a stage that is planned again uses new ids."""
    function: Name
    """The deployable that performs it."""
    action: Name
    params: dict[str, Any] = Field(default_factory=dict)
    weight: PositiveFloat = 1.0
    """Its share of the job's work, in seconds of a typical machine; for the progress display."""
    timeout_s: PositiveInt = DEFAULT_TIMEOUT_S
    needs: tuple[str, ...] = ()
    """Actions of earlier steps whose results are joined in at delivery."""


class Stage(BaseModel):
    """Steps that run in parallel; the next stage starts when all of them are done."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    name: Name
    steps: tuple[StepSpec, ...] = Field(min_length=1)


class Result(BaseModel):
    """The reply of a step that is done."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    values: Travelling = Field(default_factory=dict)
    """What later steps need from it: a few numbers and names, never media."""
    log: Log = ()
    """Sentences for the job's log."""
    usage: Usage | None = Field(default=None, exclude=True)
    """What the step has used. Travels beside the reply, so that adapters which do not know it can read the reply."""


class Plan(BaseModel):
    """The reply of a step that is done and plans the rest of the job: its stages replace those left."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    shared: Travelling = Field(default_factory=dict)
    """What every later step receives; stored once with the job."""
    stages: tuple[Stage, ...] = Field(min_length=1)
    log: Log = ()
    job: dict[str, Any] | None = Field(default=None, exclude_if=operator.not_)
    """The job as it goes on, where the step has found out more about it; of any type. Written only if it is set."""
    usage: Usage | None = Field(default=None, exclude=True)
    """See Result.usage."""
    media_s: float = Field(default=0.0, exclude=True)
    """Length of what the job makes, in seconds; 0: not known. Travels beside the reply, like `usage`."""
    source_bytes: int = Field(default=0, exclude=True)
    """Size of the source; 0: not known. Likewise."""
