"""CloudEvents are read and written alike with every supported version of the SDK."""

import base64
import json
from datetime import datetime

import pytest

from podjobs.events import Event, EventError, read_event, write_event

DATA = '{"title": "été", "frames": 3}'.encode()
HEADERS = {
    "Content-Type": "application/json",
    "ce-specversion": "1.0",
    "ce-type": "org.example.step",
    "CE-Source": "/adapter",
    "ce-id": "job-1/plan/2",
    "Ce-Subject": "job-1/plan",
    "Host": "function",
}
STRUCTURED = {"Content-Type": "application/cloudevents+json; charset=utf-8"}
ATTRIBUTES = {"specversion": "1.0", "type": "org.example.step", "source": "/adapter", "id": "1"}


def structured(**members):
    return json.dumps(ATTRIBUTES | members).encode()


def test_read_event_in_binary_mode_leaves_the_data_alone():
    assert read_event(HEADERS, DATA) == Event(
        type="org.example.step", source="/adapter", id="job-1/plan/2", subject="job-1/plan", data=DATA
    )
    assert read_event(HEADERS, b"[not looked at").data == b"[not looked at"


@pytest.mark.parametrize("headers", [STRUCTURED, {}])
def test_read_event_in_structured_mode_has_its_data_as_json_text(headers):
    event = read_event(headers, structured(subject="s", data=json.loads(DATA), time="2026-01-01T00:00:00Z", other="x"))
    assert json.loads(event.data) == json.loads(DATA)
    assert (event.type, event.source, event.id, event.subject) == ("org.example.step", "/adapter", "1", "s")


def test_read_event_in_structured_mode_with_data_in_base64():
    assert read_event(STRUCTURED, structured(data_base64=base64.b64encode(DATA).decode())).data == DATA


def test_read_event_without_data_or_subject_has_none():
    for event in (read_event(STRUCTURED, structured()), read_event(HEADERS | {"Ce-Subject": ""}, b"")):
        assert event.data is None
        assert not event.subject


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, b""),
        ({}, b"{}"),
        ({}, b"[]"),
        ({}, b"7"),
        ({}, b"null"),
        ({}, b"\xff"),
        ({}, b"x" * 10_000),
        ({}, b"[" * 200_000),
        (STRUCTURED, b"not JSON"),
        (STRUCTURED, json.dumps({"specversion": "1.0", "type": "t", "source": "/s"}).encode()),
        (STRUCTURED, structured(type=None)),
        (STRUCTURED, structured(specversion={})),
        (STRUCTURED, structured(specversion="0.1")),
        (STRUCTURED, structured(data_base64="abc")),
        (HEADERS | STRUCTURED, DATA[:-1]),
        ({name: value for name, value in HEADERS.items() if name != "ce-id"}, DATA),
        (HEADERS | {"ce-specversion": "9"}, DATA),
        (STRUCTURED, structured(specversion=["1.0"])),
        (STRUCTURED, structured(type=5)),
        (STRUCTURED, structured(source={})),
        (STRUCTURED, structured(id=[1])),
        (STRUCTURED, structured(subject=7)),
        (STRUCTURED, structured(data_base64=7)),
        (STRUCTURED, structured()[:-1] + b', "data": ' + b"9" * 9000 + b"}"),
    ],
)
def test_read_event_what_is_not_an_event_is_refused_with_a_short_reason(headers, body):
    with pytest.raises(EventError) as caught:
        read_event(headers, body)
    assert 0 < len(str(caught.value)) <= 300


@pytest.mark.parametrize("name", ["extensions", "data", "get", "__class__", "ce__id", "datacontenttype"])
@pytest.mark.parametrize("value", ["x", "ab", "", "0"])
def test_read_event_other_attributes_are_not_looked_at(name, value):
    """The SDK would keep them in its own objects, or fail."""
    plain = read_event(HEADERS, DATA)
    assert read_event(HEADERS | {f"ce-{name}": value, "ce-other": "x"}, DATA) == plain
    if name != "data":
        assert read_event(STRUCTURED, structured(**{name: value, "other": [[[], 1]]})).type == "org.example.step"


def test_write_event_is_a_message_in_binary_mode():
    headers, body = write_event(Event(type="org.example.plan", source="/encoding", id="1", subject="job/1", data=DATA))
    assert datetime.fromisoformat(headers.pop("ce-time")).tzinfo
    assert headers == {
        "content-type": "application/json",
        "ce-specversion": "1.0",
        "ce-type": "org.example.plan",
        "ce-source": "/encoding",
        "ce-id": "1",
        "ce-subject": "job/1",
    }
    assert body == DATA


@pytest.mark.parametrize("subject", [None, "job/1"])
def test_write_event_is_read_back(subject):
    event = Event(type="org.example.plan", source="/encoding", subject=subject, data=DATA)
    assert read_event(*write_event(event)) == event


def test_event_has_an_id_of_its_own():
    first, second = (Event(type="t", source="/s", data=b"") for _ in range(2))
    assert first.id != second.id
