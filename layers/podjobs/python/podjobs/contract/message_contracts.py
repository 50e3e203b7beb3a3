"""Message contracts: the requests of the adapter and the replies of a function; one event there, one event back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from podjobs.contract.errors import InvalidRequestError, list_faults
from podjobs.contract.examinations import (
    EXAMINATION_EVENT_TYPE,
    REPORT_OF_EXAMINATION_EVENT_TYPE,
    ExaminationReport,
    ExaminationRequest,
)
from podjobs.contract.plans import PLAN_EVENT_TYPE, RESULT_EVENT_TYPE, Plan, Result
from podjobs.contract.relocations import RELOCATION_EVENT_TYPE, Relocation
from podjobs.contract.requests import Request
from podjobs.contract.statements import BATCH_EVENT_TYPE, REPORT_EVENT_TYPE, BatchReport, StatementBatch
from podjobs.contract.steps import STEP_EVENT_TYPE, Step

ModelT = TypeVar("ModelT", bound=BaseModel)
RequestT = TypeVar("RequestT", bound=Request)
ReplyT = TypeVar("ReplyT", bound=BaseModel)


@dataclass(frozen=True)
class MessageContract(Generic[RequestT, ReplyT]):
    """One kind of request, and the possible replies to it."""

    noun: str
    """What a request is called in messages."""
    request_type: str
    """The request's CloudEvent type."""
    request: type[RequestT]
    replies: Mapping[str, type[ReplyT]]
    """CloudEvent types of the replies, and what they carry."""

    def read_request(self, event_type: str, data: Any) -> RequestT:
        """Read the data of a request event.

        Args:
            event_type: the event's CloudEvent type.
            data: JSON text, or what it holds.

        Raises:
            InvalidRequestError: it is not a request of this contract.
        """
        if event_type != self.request_type:
            raise InvalidRequestError(f"Events of type {event_type!r} are not for this function.")
        try:
            return _read(self.request, data)
        except ValidationError as error:
            raise InvalidRequestError(f"The event does not hold a valid {self.noun}: {list_faults(error)}") from error

    def read_reply(self, event_type: str, data: Any) -> ReplyT:
        """Read the data of a reply event.

        Args:
            event_type: the event's CloudEvent type.
            data: JSON text, or what it holds.

        Raises:
            ValueError: it is not a reply of this contract.
        """
        kind = self.replies.get(event_type)
        if kind is None:
            raise ValueError(f"an event of type {event_type!r} does not answer a {self.noun}")
        return _read(kind, data)

    def type_of(self, reply: ReplyT) -> str:
        """The CloudEvent type under which a reply travels."""
        return next(name for name, kind in self.replies.items() if isinstance(reply, kind))


def _read(kind: type[ModelT], data: Any) -> ModelT:
    return kind.model_validate_json(data) if isinstance(data, bytes | str) else kind.model_validate(data)


StepReply = Plan | Result | Relocation
"""The possible replies to a step."""
STEPS: MessageContract[Step, StepReply] = MessageContract(
    "step",
    STEP_EVENT_TYPE,
    Step,
    {PLAN_EVENT_TYPE: Plan, RESULT_EVENT_TYPE: Result, RELOCATION_EVENT_TYPE: Relocation},
)
STATEMENTS: MessageContract[StatementBatch, BatchReport] = MessageContract(
    "batch", BATCH_EVENT_TYPE, StatementBatch, {REPORT_EVENT_TYPE: BatchReport}
)
EXAMINATIONS: MessageContract[ExaminationRequest, ExaminationReport] = MessageContract(
    "examination", EXAMINATION_EVENT_TYPE, ExaminationRequest, {REPORT_OF_EXAMINATION_EVENT_TYPE: ExaminationReport}
)
"""Every function answers these, beside its own requests."""
