"""How a subject performs the steps of its jobs: one table maps each action to what performs it.

    ACTIONS: Actions[Context] = {"plan": plan_job, "chunk": encode_chunk, …}

    def handle(self, step: Step) -> Plan | Result:
        job = expect_job(step, EncodingJob)
        action = choose_action(step, ACTIONS)
        return action(Context(job, step, …))

A subject's context adds what its actions need besides the job and the step: backends and settings. Pure.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

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
    """What every action receives."""

    job: JobT
    step: Step

    def params(self, model: type[ModelT]) -> ModelT:
        """Read the step's own parameters. Raises ValidationError."""
        return model.model_validate(self.step.params)

    def shared(self, model: type[ModelT]) -> ModelT:
        """Read the values that the plan shares with all later steps. Raises ValidationError."""
        return model.model_validate(self.step.shared)


def expect_job(step: Step, kind: type[JobT]) -> JobT:
    """Check that a step belongs to a job of the function's own type.

    Args:
        step: as it was delivered.
        kind: the type of job that the function performs.

    Raises:
        InvalidRequestError: it belongs to a job of another type.
    """
    if not isinstance(step.job, kind):
        raise InvalidRequestError(f"The {step.function} function does not perform jobs of type {step.job.type!r}.")
    return step.job


def choose_action(step: Step, actions: Actions[ContextT]) -> Action[ContextT]:
    """Look up what a step asks for.

    Args:
        step: as it was delivered.
        actions: the actions of the function.

    Raises:
        InvalidRequestError: the function has no such action.
    """
    if step.action not in actions:
        raise InvalidRequestError(
            f"The {step.function} function has no action {step.action!r}, expected one of: {', '.join(actions)}."
        )
    return actions[step.action]


class StepFunction(Protocol):
    """Performs the steps of some jobs."""

    def handle(self, step: Step) -> Plan | Result:
        """Perform one step; safe to repeat. Raises StepError."""


class ByJobType:
    """A deployable that performs jobs of several types, each by a function of its own. Implements `StepFunction`."""

    def __init__(self, functions: Mapping[type[Job], StepFunction], otherwise: StepFunction) -> None:
        """Take the functions.

        Args:
            functions: by the type of their jobs.
            otherwise: for all other jobs; it refuses those that it does not know.
        """
        self._functions, self._otherwise = functions, otherwise

    def handle(self, step: Step) -> Plan | Result:
        """Perform one step by the function of its job's type."""
        return self._functions.get(type(step.job), self._otherwise).handle(step)


class ByAction:
    """A deployable of which some actions, of jobs of all types, are performed by one function. Is a `StepFunction`."""

    def __init__(self, functions: Mapping[str, StepFunction], otherwise: StepFunction) -> None:
        """Take the functions.

        Args:
            functions: by the names of their actions.
            otherwise: for all other actions.
        """
        self._functions, self._otherwise = functions, otherwise

    def handle(self, step: Step) -> Plan | Result:
        """Perform one step by the function of its action."""
        return self._functions.get(step.action, self._otherwise).handle(step)
