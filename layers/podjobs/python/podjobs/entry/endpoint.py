"""The endpoint of a function, the same for every transport: an event in; an event, or a failure, out."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import structlog
from pydantic import BaseModel, ValidationError

import podjobs
from podjobs.contract.errors import (
    InvalidRequestError,
    NotNowError,
    OtherVersionError,
    Problem,
    StepError,
    UnavailableError,
    list_faults,
)
from podjobs.contract.examinations import ExaminationReport, Finding, Verdict
from podjobs.contract.looks import FUNCTION, Look, found
from podjobs.contract.message_contracts import EXAMINATIONS, MessageContract, ReplyT, RequestT, StepReply
from podjobs.contract.plans import Plan
from podjobs.contract.steps import Step
from podjobs.contract.usage import StepAccount, Usage
from podjobs.entry.examination import Examination, Examine
from podjobs.entry.looking import look_at_all
from podjobs.events import Event
from podjobs.metering import Meter, measuring

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
    usage: Usage | None = None
    """What it has cost all the same."""

    @classmethod
    def of(cls, error: StepError, usage: Usage | None = None) -> "Failure":
        """Describe an error for the caller."""
        return cls(Problem.of(error), error.retry_after_s if isinstance(error, NotNowError) else None, usage)


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
        self.looks: Callable[[], Sequence[Look]] = tuple
        """What is looked at when somebody asks how it is."""
        self.examined = ""
        """What `examine` finds out about, such as `speech models`."""
        self.openness = ""
        """Why others than the adapter can use it; empty: they cannot, as far as it knows."""

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

    def report(self, limit_s: float) -> ExaminationReport:
        """Examine everything now.

        Args:
            limit_s: how long that may take.
        """
        findings = list(look_at_all(self.looks(), limit_s))
        if self.examined:
            findings.append(self._examined())
        if self.openness:
            findings.append(Finding(subject=FUNCTION, part="secret", verdict=Verdict.FAULT, said=self.openness))
        return ExaminationReport(
            function=self._name, version=podjobs.__version__, time_s=time.time(), findings=tuple(findings)
        )

    def _examined(self) -> Finding:
        if not self._examination.is_over:
            said = "They are still being examined, since the first request; ask again."
            return Finding(subject=FUNCTION, part=self.examined, verdict=Verdict.UNCHECKED, said=said)
        return found(FUNCTION, self.examined, " ".join(self._examination.findings))

    def answer(self, event: Event) -> Event | Failure:
        """Handle the request that an event carries. Returns the reply as an event, or why there is none."""
        meter: Meter | None = None
        try:
            if event.type == EXAMINATIONS.request_type:
                # beside the slots: it must answer while all of them are taken
                asked = EXAMINATIONS.read_request(event.type, event.data)
                report = self.report(asked.limit_s)
                return self._reply(EXAMINATIONS.type_of(report), asked.subject, report)
            request = self._read(event)
            with structlog.contextvars.bound_contextvars(**request.log_context), self._slot(), measuring() as meter:
                reply = self._handler.handle(request)
        except StepError as error:
            return Failure.of(error, meter.usage if meter else None)
        return self._reply(self._contract.type_of(reply), request.subject, reply, _account_of(reply, meter.usage))

    def _reply(self, kind: str, subject: str, reply: BaseModel, account: StepAccount | None = None) -> Event:
        extensions = {"usage": account.as_text()} if account else {}
        data = reply.model_dump_json().encode()
        return Event(type=kind, source=f"/podjobs/{self._name}", subject=subject, data=data, extensions=extensions)

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


def _account_of(reply: BaseModel, usage: Usage) -> StepAccount:
    about = {"media_s": reply.media_s, "source_bytes": reply.source_bytes} if isinstance(reply, Plan) else {}
    return StepAccount(**usage.model_dump(), **about)
