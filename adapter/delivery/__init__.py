"""How a step, or a batch of statements, reaches its function: one small port, one module per way (ways.py).

How a delivery ends decides what the adapter does with a step (for batches see adapter/statements/dispatch.py):

    a reply               the step is committed
    StepRefusedError      no retry: the job fails
    StepFailedError       retried with backoff, counted against the function's limit
    FunctionBusyError     retried, not counted: the function is busy, or is not there
"""

from typing import Protocol, TypeVar

from podjobs.contract.errors import Problem

RequestT_contra = TypeVar("RequestT_contra", contravariant=True)
ReplyT_co = TypeVar("ReplyT_co", covariant=True)


class DeliveryError(Exception):
    """A step that was not done, with the problem as the function or the delivery describes it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


class StepRefusedError(DeliveryError):
    """The function says that trying again cannot help."""


class StepFailedError(DeliveryError):
    """The step did not succeed this time."""


class FunctionBusyError(DeliveryError):
    """The step was not tried: nothing is wrong with it."""

    def __init__(self, problem: Problem, retry_after_s: float | None = None) -> None:
        """Keep the problem and the function's wish.

        Args:
            problem: why not now.
            retry_after_s: seconds to wait; None: the adapter chooses.
        """
        super().__init__(problem)
        self.retry_after_s = retry_after_s


class Delivery(Protocol[RequestT_contra, ReplyT_co]):
    """A way to invoke one function."""

    async def deliver(self, request: RequestT_contra, /) -> ReplyT_co:
        """Invoke the function and wait for its reply.

        Raises:
            DeliveryError: one of its three kinds.
        """
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


def delivery_problem(detail: str, status: int) -> Problem:
    """Describe what went wrong on the way, where the function itself states no problem."""
    return Problem(title="The step was not done.", status=min(max(status, 400), 599), detail=detail)
