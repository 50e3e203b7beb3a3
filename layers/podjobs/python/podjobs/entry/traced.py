"""A handler whose steps are spans of their jobs' traces."""

from typing import Generic

from podjobs.contract.message_contracts import ReplyT, RequestT
from podjobs.contract.steps import Step
from podjobs.entry.endpoint import Handler
from podjobs.tracing import StepSpans


class TracedHandler(Generic[RequestT, ReplyT]):
    """Hands requests to a handler, each within its span."""

    def __init__(self, handler: Handler[RequestT, ReplyT], spans: StepSpans) -> None:
        """Wrap a handler."""
        self._handler = handler
        self._spans = spans

    def handle(self, request: RequestT, /) -> ReplyT:
        """See Handler."""
        action = request.action if isinstance(request, Step) else ""
        attributes = {f"podjobs.{name}": value for name, value in request.log_context.items()}
        with self._spans.step(f"{request.function} {action}".strip(), request.traceparent, attributes):
            return self._handler.handle(request)
