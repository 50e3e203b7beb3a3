"""Functions invoked in this process as AWS Lambda invokes them: each request and each answer travels as JSON text."""

import json
import re
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Generic

from awslambdaric.lambda_context import LambdaContext
from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller

from adapter.delivery.answers import read_answer_message
from adapter.delivery.requests import request_event
from podjobs.contract.message_contracts import MessageContract, ReplyT, RequestT
from podjobs.entry.messages import MessageHandler
from podjobs.events import write_message
from support.processes import REPOSITORY

(HANDLER,) = re.findall(
    r"awslambdaric main\.(\w+)", (REPOSITORY / "layers/podjobs/bin/start").read_text(encoding="utf-8")
)
"""The entry point that images name."""

PAYLOAD_BYTES = 256 * 1024
"""What AWS carries at most in asynchronous invocations and in messages; synchronous ones may take 6 MB.
Source: AWS, «Lambda quotas»."""


LIMIT_S = 900
"""Of an invocation: Lambda's longest."""


@dataclass(frozen=True)
class Payload:
    """What one invocation carries, bytes of JSON."""

    subject: str
    """Job and step."""
    request_bytes: int
    answer_bytes: int

    @property
    def largest_bytes(self) -> int:
        """Of the two."""
        return max(self.request_bytes, self.answer_bytes)


@dataclass
class InvokedFunction(Generic[RequestT, ReplyT]):
    """A function behind its message handler; offers what the function itself does, and notes what travels."""

    handler: MessageHandler
    contract: MessageContract[RequestT, ReplyT]
    payloads: list[Payload] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def handle(self, request: RequestT) -> ReplyT:
        """Invoke the function. Raises DeliveryError."""
        sent = json.dumps(write_message(request_event(self.contract, request, "adapter-1")))
        runtime = LambdaMarshaller()
        answer, _ = runtime.marshal_response(self.handler(runtime.unmarshal_request(sent), new_context()))
        with self._lock:
            self.payloads.append(Payload(request.subject, len(sent.encode()), len(answer.encode())))
        return read_answer_message(self.contract, json.loads(answer))


def new_context(limit_s: float = LIMIT_S) -> LambdaContext:
    """What the runtime tells a handler of an invocation.

    Args:
        limit_s: how long it may take from now on.
    """
    arn = "arn:aws:lambda:eu-west-3:123456789012:function:pod"
    return LambdaContext(str(uuid.uuid4()), None, None, int((time.time() + limit_s) * 1000), arn)
