"""The messages of Celery's remote control, as kombu's transport for Redis carries them. Pure.

    request   PUBLISH /<database>.celery.pidbox             to all nodes; kombu calls that a fanout exchange
    reply     LPUSH <routing key>.reply.celery.pidbox       a list that only whoever asked reads
    event     PUBLISH /<database>.celeryev/<routing key>

Each is JSON with a body that is JSON in base64, as on Pod's queues.

Source: kombu 5.2 to 5.7, kombu/pidbox.py and kombu/transport/redis.py, and what they were seen to send.
"""

import base64
import fnmatch
import json
import re
import uuid
from dataclasses import dataclass
from typing import Any

from adapter.door.envelope import open_envelope
from podjobs.contract.errors import InvalidRequestError

PIDBOX = "celery.pidbox"
REPLIES = "reply.celery.pidbox"
EVENTS = "celeryev"
LONGEST_REQUEST_BYTES = 256 * 1024
"""Of a whole message: some three thousand ids."""
LARGEST_CLOCK = 2**53
_REPLY_KEY = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Celery makes it from a UUID. Nothing else becomes part of the name of a list that we write to."""


def topic(database: int, exchange: str, routing_key: str = "") -> str:
    """The channel of PUBLISH for an exchange of the type fanout."""
    return f"/{database}.{exchange}" + (f"/{routing_key}" if routing_key else "")


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """A command for some or all nodes."""

    method: str
    arguments: dict[str, Any]
    destination: tuple[str, ...] = ()
    """Names of nodes; empty: all."""
    pattern: str = ""
    """Of names of nodes, as for file names; empty: all."""
    reply_list: str = ""
    """Where the reply goes; empty: none is wanted."""
    ticket: str = ""
    """What the reply has to repeat."""
    clock: int = 0
    """The sender's logical clock."""

    @property
    def is_aimed(self) -> bool:
        """Whether certain nodes are named, so that no other one can act in their place."""
        return bool(self.destination or self.pattern)

    def is_for(self, node: str) -> bool:
        """Whether a node is addressed."""
        if self.destination:
            return node in self.destination
        return not self.pattern or fnmatch.fnmatchcase(node, self.pattern)


def read_request(raw: bytes) -> ControlRequest:
    """Read a message of the control channel.

    Raises:
        InvalidRequestError: it is not a request; the message says why.
    """
    if len(raw) > LONGEST_REQUEST_BYTES:
        raise InvalidRequestError(f"The message has {len(raw)} bytes, more than {LONGEST_REQUEST_BYTES}.")
    envelope = open_envelope(raw)
    body = envelope.content()
    if not isinstance(body, dict):
        raise InvalidRequestError("The message's body is not an object.")
    method, arguments = body.get("method"), body.get("arguments") or {}
    if not isinstance(method, str) or not isinstance(arguments, dict):
        raise InvalidRequestError("The message names no method, or its arguments are not an object.")
    pattern, matcher = body.get("pattern") or "", body.get("matcher") or ""
    if pattern and (not isinstance(pattern, str) or matcher != "glob"):
        # a regular expression may take years to match
        raise InvalidRequestError(f"Nodes are matched by {matcher!r}; only 'glob' is supported.")
    clock = envelope.message["headers"].get("clock")
    return ControlRequest(
        method=method,
        arguments=arguments,
        destination=_destination(body.get("destination")),
        pattern=pattern,
        reply_list=_reply_list(body.get("reply_to")),
        ticket=str(body.get("ticket") or "")[:100],
        clock=clock if isinstance(clock, int) and 0 <= clock < LARGEST_CLOCK else 0,
    )


def _destination(value: Any) -> tuple[str, ...]:
    if not value:
        return ()
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise InvalidRequestError("The message's destination is not a list of names.")
    return tuple(value)


def _reply_list(reply_to: Any) -> str:
    if not reply_to:
        return ""
    match reply_to:
        case {"exchange": str(exchange), "routing_key": str(key)} if exchange == REPLIES and _REPLY_KEY.fullmatch(key):
            return f"{key}.{exchange}"
        case _:
            raise InvalidRequestError("The message wants its reply at a place where Celery never wants it.")


@dataclass(frozen=True, slots=True)
class Sending:
    """Where a message goes, and what its headers say."""

    exchange: str
    routing_key: str
    headers: dict[str, Any]


def write_message(body: Any, sending: Sending) -> str:
    """Write a message as kombu does.

    Args:
        body: what JSON can express.
        sending: where it goes.
    """
    encoded = base64.b64encode(json.dumps(body, separators=(",", ":"), default=str).encode()).decode()
    delivery_info = {"exchange": sending.exchange, "routing_key": sending.routing_key}
    properties = {
        "delivery_mode": 1,
        "delivery_info": delivery_info,
        "priority": 0,
        "body_encoding": "base64",
        "delivery_tag": str(uuid.uuid4()),
    }
    message = {
        "body": encoded,
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": sending.headers,
        "properties": properties,
    }
    return json.dumps(message)


class LogicalClock:
    """A Lamport clock: an event is later than all those that its sender knew of."""

    def __init__(self) -> None:
        """Begin at 0."""
        self.value = 0

    def adjust(self, other: int) -> None:
        """Note the clock of another node."""
        self.value = max(self.value, other)

    def forward(self) -> int:
        """Something happens here: the next value."""
        self.value += 1
        return self.value
