"""How the adapter and the functions converse: a request travels as one event and is answered by one event."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from podjobs.contract.requests import Request
from podjobs.contract.statements import BATCH_EVENT_TYPE, REPORT_EVENT_TYPE, BatchReport, StatementBatch
from podjobs.contract.steps import PLAN_EVENT_TYPE, RESULT_EVENT_TYPE, STEP_EVENT_TYPE, Plan, Result, Step

RequestT = TypeVar("RequestT", bound=Request)
ReplyT = TypeVar("ReplyT", bound=BaseModel)


@dataclass(frozen=True)
class MessageContract(Generic[RequestT, ReplyT]):
    """One kind of conversation."""

    noun: str
    """What a request is called in sentences."""
    request_type: str
    """The request's CloudEvent type."""
    request: type[RequestT]
    replies: Mapping[str, type[ReplyT]]
    """CloudEvent types of the replies, and what they carry."""

    def read_reply(self, event_type: str, data: Any) -> ReplyT:
        """Read the data of a reply event.

        Args:
            event_type: the event's CloudEvent type.
            data: JSON text, or what it holds.

        Raises:
            ValueError: it is no reply of this conversation.
        """
        kind = self.replies.get(event_type)
        if kind is None:
            raise ValueError(f"an event of type {event_type!r} answers no {self.noun}")
        return kind.model_validate_json(data) if isinstance(data, bytes | str) else kind.model_validate(data)

    def type_of(self, reply: ReplyT) -> str:
        """The CloudEvent type under which a reply travels."""
        return next(name for name, kind in self.replies.items() if isinstance(reply, kind))


STEPS: MessageContract[Step, Plan | Result] = MessageContract(
    "step", STEP_EVENT_TYPE, Step, {PLAN_EVENT_TYPE: Plan, RESULT_EVENT_TYPE: Result}
)
STATEMENTS: MessageContract[StatementBatch, BatchReport] = MessageContract(
    "batch", BATCH_EVENT_TYPE, StatementBatch, {REPORT_EVENT_TYPE: BatchReport}
)
