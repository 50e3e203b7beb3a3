"""CloudEvents, the form in which requests and replies travel: the one module that knows the CloudEvents SDK.

Works with SDK 1.12, which functions-framework pins, and with 2.x, which keeps the interface of 1.x as `cloudevents.v1`.

Source: CloudEvents 1.0.2 and its HTTP protocol binding; the SDK's MIGRATION.md.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

try:
    from cloudevents.exceptions import GenericException as SdkError
    from cloudevents.sdk.event.v1 import Event as SdkEvent
except ModuleNotFoundError:
    from cloudevents.v1.exceptions import GenericException as SdkError  # type: ignore[no-redef]
    from cloudevents.v1.sdk.event.v1 import Event as SdkEvent  # type: ignore[no-redef]

_VERSION = "1.0"
_JSON = "application/json"
STRUCTURED_CONTENT_TYPE = "application/cloudevents+json"
_TEXTS = ("specversion", "type", "source", "id", "subject")
"""The attributes that are read. Of all others the SDK would make attributes of its own objects."""
_EXTENSIONS = ("traceparent", "tracestate", "usage")
"""The extension attributes that travel: those of the distributed tracing extension, and what a step has used."""
_EXTENSION_CHARS = 1000
_REASON_CHARS = 300


class EventError(ValueError):
    """What was received is not a CloudEvent; the message says why."""


@dataclass(frozen=True, slots=True)
class Event:
    """A CloudEvent, as far as this project needs it."""

    type: str
    source: str
    data: Any
    """JSON text, or the parsed value; None: there are no data."""
    subject: str | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    extensions: Mapping[str, str] = field(default_factory=dict)
    """Extension attributes, of those that are known here; whoever does not know them ignores them."""


def read_event(headers: Mapping[str, str], body: bytes) -> Event:
    """Read the event of an HTTP request or response, in binary or structured content mode.

    Args:
        headers: of the message; their case does not matter.
        body: of the message.

    Returns:
        The event; its data are JSON text, which is not parsed.

    Raises:
        EventError: it is not a CloudEvent.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    event = SdkEvent()  # type: ignore[no-untyped-call]
    try:
        if "ce-specversion" in lower and not lower.get("content-type", "").startswith(STRUCTURED_CONTENT_TYPE):
            names = [f"ce-{name}" for name in _TEXTS]
            event.UnmarshalBinary({name: lower[name] for name in names if name in lower}, body, _as_is)
            extensions = _known_extensions({name: lower.get(f"ce-{name}") for name in _EXTENSIONS})
        else:
            members = _members(body)
            event.UnmarshalJSON(_known_members(members), _as_is)
            extensions = _known_extensions(members)
    except (SdkError, ValueError, TypeError, AttributeError, RecursionError) as error:
        # the SDK lets errors of the JSON parser and of its own attribute access through
        raise EventError(str(error)[:_REASON_CHARS]) from error
    if event.CloudEventVersion() != _VERSION:
        raise EventError(f"its specversion is not {_VERSION!r}")
    return Event(
        type=event.EventType(),
        source=event.Source(),
        id=event.EventID(),
        subject=event.Subject(),
        data=event.Data() or None,
        extensions=extensions,
    )


def read_message(members: Mapping[str, Any]) -> Event:
    """Read an event in structured mode whose JSON has been parsed already, as transports without HTTP hand it over.

    Args:
        members: of the JSON object.

    Returns:
        The event; its data are the parsed value, or JSON text if they were base64.

    Raises:
        EventError: it is not a CloudEvent.
    """
    return read_event({"content-type": STRUCTURED_CONTENT_TYPE}, json.dumps(members, default=str).encode())


def write_message(event: Event) -> dict[str, Any]:
    """Write an event as an object in structured mode.

    Args:
        event: its data are JSON text.
    """
    return {
        "specversion": _VERSION,
        "type": event.type,
        "source": event.source,
        "id": event.id,
        "subject": event.subject,
        "time": datetime.now(UTC).isoformat(),
        "datacontenttype": _JSON,
        "data": json.loads(event.data),
        **_known_extensions(event.extensions),
    }


def _members(body: bytes) -> dict[str, Any]:
    """Parse an event in structured mode. Raises ValueError, of which EventError is one."""
    members = json.loads(body)
    if not isinstance(members, dict):
        raise EventError("it is not a JSON object")
    return members


def _known_extensions(found: Mapping[str, Any]) -> dict[str, str]:
    """Keep the extension attributes that are known, and short texts of printable ASCII, as a header may hold them."""
    texts = {name: found[name] for name in _EXTENSIONS if isinstance(found.get(name), str)}
    return {
        name: text
        for name, text in texts.items()
        if text.isascii() and text.isprintable() and 0 < len(text) <= _EXTENSION_CHARS
    }


def _known_members(members: Mapping[str, Any]) -> str:
    """Keep what is known of an event in structured mode. Raises EventError."""
    for name in _TEXTS:
        value = members.get(name)
        if name in members and not isinstance(value, str) and not (name == "subject" and value is None):
            raise EventError(f"its attribute {name!r} is not text")
    return json.dumps({name: members[name] for name in (*_TEXTS, "data", "data_base64") if name in members})


def write_event(event: Event) -> tuple[dict[str, str], bytes]:
    """Write an event as an HTTP message in binary content mode.

    Args:
        event: its data are JSON text.

    Returns:
        Headers and body.
    """
    written = SdkEvent()  # type: ignore[no-untyped-call]
    written.SetEventType(event.type).SetSource(event.source).SetEventID(event.id).SetSubject(event.subject)
    written.SetEventTime(datetime.now(UTC).isoformat()).SetContentType(_JSON).SetData(event.data)
    headers, body = written.MarshalBinary(_as_is)
    return headers | {f"ce-{name}": text for name, text in _known_extensions(event.extensions).items()}, body


def _as_is(data: Any) -> Any:
    return data
