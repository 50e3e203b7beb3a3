"""The event that carries a request to a function, the same for every transport."""

from podjobs.contract.message_contracts import MessageContract, ReplyT, RequestT
from podjobs.events import Event


def request_event(contract: MessageContract[RequestT, ReplyT], request: RequestT, adapter_id: str) -> Event:
    """Make the event that carries a request.

    Args:
        contract: the function's requests and replies.
        request: the request.
        adapter_id: names the source of the event.
    """
    subject = request.subject
    return Event(
        type=contract.request_type,
        source=f"/podjobs/adapter/{adapter_id}",
        id=f"{subject}/{request.attempt}",
        subject=subject,
        data=request.model_dump_json().encode(),
        extensions={"traceparent": request.traceparent} if request.traceparent else {},
    )
