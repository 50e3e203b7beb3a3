"""How a step, or a batch of statements, reaches its function: one small port, one module per transport (transports.py).

The outcome of a delivery decides what the adapter does with a step (for batches see adapter/statements/dispatch.py):

    a reply               the step is committed
    StepRefusedError      no retry: the job fails
    StepFailedError       retried with backoff, counted against the function's limit
    FunctionBusyError     retried, not counted: the function is busy or unavailable, refuses the adapter, or says
                          «not now» about the step
"""

from typing import Protocol, TypeVar

from podjobs.contract.errors import Problem
from podjobs.contract.usage import Usage

RequestT_contra = TypeVar("RequestT_contra", contravariant=True)
ReplyT_co = TypeVar("ReplyT_co", covariant=True)


class DeliveryError(Exception):
    """The step was not done; carries the problem as the function or the delivery describes it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem
        self.usage: Usage | None = None
        """What the attempt has cost all the same; None: not known."""


class StepRefusedError(DeliveryError):
    """The function refused the step: a retry cannot help."""


class StepFailedError(DeliveryError):
    """The step failed this time; a retry may help."""


class FunctionBusyError(DeliveryError):
    """The step cannot be done now."""

    def __init__(self, problem: Problem, retry_after_s: float | None = None, *, concerns_step: bool = False) -> None:
        """Keep the problem and the wait that the function asked for.

        Args:
            problem: why the step cannot be done now.
            retry_after_s: seconds to wait; None: the adapter chooses.
            concerns_step: whether it was attempted, and might be the reason itself: then it does not wait for ever.
                Otherwise the function is busy or unavailable for any step.
        """
        super().__init__(problem)
        self.retry_after_s = retry_after_s
        self.concerns_step = concerns_step


class Delivery(Protocol[RequestT_contra, ReplyT_co]):
    """A way to invoke one function."""

    async def deliver(self, request: RequestT_contra, /) -> ReplyT_co:
        """Invoke the function and wait for its reply.

        Raises:
            DeliveryError: one of its three subclasses.
        """
        ...

    async def withdraw(self, request: RequestT_contra, /) -> None:
        """Free what works on a request whose reply is no longer wanted, as far as the transport can.

        `deliver` was cancelled before. The request may end all the same: that is not waited for.
        """
        ...

    async def workers(self) -> int | None:
        """How many requests can be handled at once, as of some seconds ago; None: the transport cannot tell."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


def delivery_problem(detail: str, status: int) -> Problem:
    """Describe what went wrong in transit, if the function itself sent no problem."""
    return Problem(title="The step was not done.", status=min(max(status, 400), 599), detail=detail)
