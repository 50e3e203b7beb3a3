"""What the adapter requests of a function: one step of a job, with everything it needs to know about the job."""

import operator
from typing import Any

from pydantic import Field, SecretStr, field_serializer

from podjobs.contract.errors import Problem
from podjobs.contract.requests import Name, Request
from podjobs.contract.traces import TraceContext
from podjobs.contract.workflows import AnyJob

STEP_EVENT_TYPE = "fr.esup-portail.podjobs.step"


class Step(Request):
    """One step to perform: the data of a step event."""

    job: AnyJob
    step_id: Name
    action: Name
    params: dict[str, Any] = Field(default_factory=dict)
    shared: dict[str, Any] = Field(default_factory=dict)
    results: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Step id to `Result.values`, for the actions named in `StepSpec.needs`."""
    failure: Problem | None = None
    """Why the job failed; set for the steps that report the failure."""
    private: dict[str, SecretStr] = Field(default_factory=dict, exclude_if=operator.not_)
    """What only the function `notification` gets to know, such as URLs with secrets. Written only if there is any."""
    accepted_at: float
    """When the job was accepted, seconds since the epoch."""
    requested_in: str = Field(default="", exclude=True)
    """The `traceparent` of whoever requested the job; empty: they have said none. Does not travel."""

    @field_serializer("private", when_used="json")
    def _reveal(self, private: dict[str, SecretStr]) -> dict[str, str]:
        return {name: secret.get_secret_value() for name, secret in private.items()}

    @property
    def subject(self) -> str:
        """The event's subject."""
        return f"{self.job.id}/{self.step_id}"

    @property
    def log_context(self) -> dict[str, Any]:
        """What log lines about this step carry."""
        context = TraceContext.read(self.traceparent)
        trace = {"trace_id": context.trace_id} if context else {}
        return {"job_id": self.job.id, "step_id": self.step_id, "attempt": self.attempt, **trace}
