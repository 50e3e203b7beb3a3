"""The endpoint of a function, the same for every transport: an event in; an event, or a failure, out."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import structlog
from pydantic import ValidationError

from podjobs.contract.errors import (
    InvalidRequestError,
    NotNowError,
    OtherVersionError,
    Problem,
    StepError,
    UnavailableError,
    list_faults,
)
from podjobs.contract.message_contracts import MessageContract, ReplyT, RequestT, StepReply
from podjobs.contract.steps import Step
from podjobs.entry.examination import Examination, Examine
from podjobs.events import Event

logger = structlog.get_logger(__name__)

BUSY_RETRY_S = 2.0

RequestT_contra = TypeVar("RequestT_contra", contravariant=True)
ReplyT_co = TypeVar("ReplyT_co", covariant=True)


class Handler(Protocol[RequestT_contra, ReplyT_co]):
    """What a subject offers: requests in, replies out."""

    def handle(self, request: RequestT_contra, /) -> ReplyT_co:
        """Handle a request; safe to repeat. Raises StepError."""


StepHandler = Handler[Step, StepReply]
"""A subject that performs steps of jobs."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no reply."""

    problem: Problem
    retry_after_s: float | None = None
    """Seconds after which the request may be repeated; None: the caller chooses, or a retry is useless."""

    @classmethod
    def of(cls, error: StepError) -> "Failure":
        """Describe an error for the caller."""
        return cls(Problem.of(error), error.retry_after_s if isinstance(error, NotNowError) else None)


class Endpoint(Generic[RequestT, ReplyT]):
    """Serves one function: reads requests, limits how many are handled at once, writes replies."""

    def __init__(  # noqa: PLR0913 - the last two say how well it is
        self,
        name: str,
        contract: MessageContract[RequestT, ReplyT],
        handler: Handler[RequestT, ReplyT],
        slots: int,
        *,
        advice: str = "",
        examine: Examine | None = None,
    ) -> None:
        """Serve a handler.

        Args:
            name: the deployable's name, as in its requests.
            contract: the function's requests and replies.
            handler: handles requests.
            slots: requests that may be handled in parallel; any more fail immediately and are retried later.
            advice: what an operator should change, as far as it is known at the start.
            examine: finds out more, beside the first requests; None: there is no more.
        """
        self._name = name
        self._contract = contract
        self._handler = handler
        self._done, self._failed = f"A {contract.noun} is done.", f"A {contract.noun} failed."
        self.slots = slots
        self._slots = threading.BoundedSemaphore(slots)
        self.start_advice = advice
        self._examination = Examination(examine)

    @property
    def advice(self) -> str:
        """What an operator should change; shown to whoever asks for the function's health. Empty: nothing."""
        return "\n".join(filter(None, (self.start_advice, *self._examination.findings)))

    def wake(self) -> None:
        """Note that the first request has come: what was put off at the start is done now, beside it."""
        self._examination.begin()

    def find_faults(self) -> tuple[str, ...]:
        """Find out now what `wake` would find out beside the first requests: sentences for the operator."""
        return self._examination.finish()

    def answer(self, event: Event) -> Event | Failure:
        """Handle the request that an event carries. Returns the reply as an event, or why there is none."""
        try:
            request = self._read(event)
            with structlog.contextvars.bound_contextvars(**request.log_context), self._slot():
                reply = self._handler.handle(request)
        except StepError as error:
            return Failure.of(error)
        return Event(
            type=self._contract.type_of(reply),
            source=f"/podjobs/{self._name}",
            subject=request.subject,
            data=reply.model_dump_json().encode(),
        )

    def _read(self, event: Event) -> RequestT:
        request = self._contract.read_request(event.type, event.data)
        if request.function != self._name:
            noun = self._contract.noun
            raise InvalidRequestError(f"The {noun} is for the function {request.function!r}, this is {self._name!r}.")
        traceparent = event.extensions.get("traceparent")
        return request.model_copy(update={"traceparent": traceparent}) if traceparent else request

    @contextmanager
    def _slot(self) -> Iterator[None]:
        """Occupy a slot, and log how the request ended. Raises UnavailableError if none is free."""
        if not self._slots.acquire(blocking=False):
            raise UnavailableError("This instance has no free slot.", retry_after_s=BUSY_RETRY_S)
        try:
            yield
        except ValidationError as error:
            refusal = OtherVersionError(f"The {self._contract.noun}'s own data are not valid: {list_faults(error)}")
            self._log_failure(refusal)
            raise refusal from error
        except StepError as error:
            self._log_failure(error)
            raise
        finally:
            self._slots.release()
        logger.info(self._done)

    def _log_failure(self, error: StepError) -> None:
        logger.warning(self._failed, reason=error.detail, status=int(error.status))
