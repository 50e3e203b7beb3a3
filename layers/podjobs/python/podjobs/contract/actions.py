"""How a subject performs the steps of its jobs: one table says what is done for each action.

    ACTIONS: Actions[Context] = {"plan": plan_job, "chunk": encode_chunk, …}

    def handle(self, step: Step) -> Plan | Result:
        job = expect_job(step, EncodingJob)
        action = choose_action(step, ACTIONS)
        return action(Context(job, step, …))

A subject's context adds what its actions need beside the job and the step: the backends, the settings. Pure.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel

from podjobs.contract.errors import InvalidRequestError
from podjobs.contract.jobs import Job
from podjobs.contract.plans import Plan, Result
from podjobs.contract.steps import Step

JobT = TypeVar("JobT", bound=Job)
ModelT = TypeVar("ModelT", bound=BaseModel)
ContextT = TypeVar("ContextT")

Action = Callable[[ContextT], Plan | Result]
"""Performs one step; safe to repeat. Raises StepError."""
Actions = Mapping[str, Action[ContextT]]
"""By the names that plans use."""


@dataclass(frozen=True)
class StepContext(Generic[JobT]):
    """What every action is given."""

    job: JobT
    step: Step

    def params(self, model: type[ModelT]) -> ModelT:
        """Read what is the step's own. Raises ValidationError."""
        return model.model_validate(self.step.params)

    def shared(self, model: type[ModelT]) -> ModelT:
        """Read what the plan shares with all later steps. Raises ValidationError."""
        return model.model_validate(self.step.shared)


def expect_job(step: Step, kind: type[JobT]) -> JobT:
    """Check that a step is part of a job that the function does.

    Args:
        step: as it was delivered.
        kind: the jobs that the function does.

    Raises:
        InvalidRequestError: it is part of another kind of job.
    """
    if not isinstance(step.job, kind):
        raise InvalidRequestError(f"The {step.function} function does not do jobs of type {step.job.type!r}.")
    return step.job


def choose_action(step: Step, actions: Actions[ContextT]) -> Action[ContextT]:
    """Look up what a step asks for.

    Args:
        step: as it was delivered.
        actions: what the function can do.

    Raises:
        InvalidRequestError: it has no such action.
    """
    if step.action not in actions:
        raise InvalidRequestError(
            f"The {step.function} function has no action {step.action!r}, expected one of: {', '.join(actions)}."
        )
    return actions[step.action]
