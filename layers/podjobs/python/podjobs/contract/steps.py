"""What travels between the adapter and the functions: steps there, replies back.

A job is planned by its first step. The plan's stages follow one another; the steps of a stage run in parallel.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt

from podjobs.contract.errors import Problem
from podjobs.contract.jobs import Job
from podjobs.contract.requests import DEFAULT_TIMEOUT_S, Name, Request

STEP_EVENT_TYPE = "fr.esup-portail.podjobs.step"
PLAN_EVENT_TYPE = "fr.esup-portail.podjobs.plan"
RESULT_EVENT_TYPE = "fr.esup-portail.podjobs.result"


class StepSpec(BaseModel):
    """A step as a plan names it: only what is its own; what all steps share is joined in at delivery."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Name
    """Unique within the job, for ever: a stage that is planned again uses new ids."""
    function: Name
    """The deployable that performs it."""
    action: Name
    params: dict[str, Any] = Field(default_factory=dict)
    weight: PositiveFloat = 1.0
    """Share of the job's work, in seconds of a usual machine; for the progress display."""
    timeout_s: PositiveInt = DEFAULT_TIMEOUT_S
    needs: tuple[str, ...] = ()
    """Actions of earlier steps whose results are joined in at delivery."""


class Stage(BaseModel):
    """Steps that run in parallel; the next stage starts when all of them are done."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    steps: tuple[StepSpec, ...] = Field(min_length=1)


class Result(BaseModel):
    """A step that is done."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["result"] = "result"
    values: dict[str, Any] = Field(default_factory=dict)
    """What later steps need of it: a few numbers and names, never media."""
    log: tuple[str, ...] = ()
    """Sentences for the job's log."""


class Plan(BaseModel):
    """A step that is done and says what the rest of the job is: its stages take the place of those left."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["plan"] = "plan"
    shared: dict[str, Any] = Field(default_factory=dict)
    """What every later step is given: stored once with the job."""
    stages: tuple[Stage, ...] = Field(min_length=1)
    log: tuple[str, ...] = ()


class Step(Request):
    """One step to perform: the data of a step event."""

    job: Job
    step_id: Name
    action: Name
    params: dict[str, Any] = Field(default_factory=dict)
    shared: dict[str, Any] = Field(default_factory=dict)
    results: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Step id to `Result.values`, for the actions named in `StepSpec.needs`."""
    failure: Problem | None = None
    """Why the job failed: given to the steps that report the failure."""
    accepted_at: float
    """When the job was accepted, seconds since the epoch."""

    @property
    def subject(self) -> str:
        """What the event is about."""
        return f"{self.job.id}/{self.step_id}"

    @property
    def log_context(self) -> dict[str, Any]:
        """What log lines about this step carry."""
        return {"job_id": self.job.id, "step_id": self.step_id, "attempt": self.attempt}
