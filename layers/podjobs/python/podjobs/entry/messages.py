"""Functions without HTTP, for RQ and AWS Lambda: an event in an object, an answer in another.

Nothing is checked of the sender: who may write to the queue, or invoke the function, is for Redis and AWS to decide.

Source: CloudEvents 1.0.2, JSON format (structured mode); AWS, «Define Lambda function handler in Python».
"""

from collections.abc import Callable, Mapping
from typing import Any

from podjobs.contract.bounds import REQUEST_BYTES, json_bytes
from podjobs.contract.errors import InvalidRequestError
from podjobs.contract.message_contracts import ReplyT, RequestT
from podjobs.entry.answers import Answer, write_answer
from podjobs.entry.endpoint import Endpoint, Failure
from podjobs.events import Event, EventError, read_message
from podjobs.settings import EndpointSettings

MessageHandler = Callable[..., dict[str, Any]]


def message_handler(endpoint: Endpoint[RequestT, ReplyT], _settings: EndpointSettings) -> MessageHandler:
    """Create what RQ's worker and Lambda's runtime call for every request."""

    def handle_message(message: Any, _context: object = None) -> dict[str, Any]:
        endpoint.wake()
        return _answer(endpoint, message).as_message()

    return handle_message


def _answer(endpoint: Endpoint[RequestT, ReplyT], message: Any) -> Answer:
    try:
        event = _read(message)
    except EventError as error:
        return write_answer(Failure.of(InvalidRequestError(f"The request is not a CloudEvent: {error}.")))
    return write_answer(endpoint.answer(event))


def _read(message: Any) -> Event:
    if not isinstance(message, Mapping):
        raise EventError("it is not a JSON object")
    size_bytes = json_bytes(message)
    if size_bytes > REQUEST_BYTES:
        raise EventError(f"it takes {size_bytes} bytes, but a function reads at most {REQUEST_BYTES}")
    return read_message(message)
