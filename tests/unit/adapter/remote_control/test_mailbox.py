"""The messages of Celery's remote control: what is read, what is refused, what is written."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.remote_control.mailbox import (
    LONGEST_REQUEST_BYTES,
    ControlRequest,
    LogicalClock,
    Sending,
    read_request,
    topic,
    write_message,
)
from podjobs.contract.errors import InvalidRequestError

KEY = "3cfeb886-43c6-38b1-a778-c949ee0c3a1a"


def request(said=None, /, **message):
    """As kombu 5.7 was seen to write it."""
    content = {
        "method": "active", "arguments": {}, "destination": None, "pattern": None, "matcher": None,
        "ticket": "30252796-d943-437d-a9dc-968c24ec7024",
        "reply_to": {"exchange": "reply.celery.pidbox", "routing_key": KEY},
    } | (said or {})  # fmt: skip
    written = {
        "body": base64.b64encode(json.dumps(content).encode()).decode(),
        "content-encoding": "utf-8", "content-type": "application/json",
        "headers": {"clock": 7, "expires": 1795739442.1598694},
        "properties": {"delivery_mode": 2, "body_encoding": "base64"},
    } | message  # fmt: skip
    return json.dumps(written).encode()


def test_request_is_read_as_kombu_writes_it():
    assert read_request(request()) == ControlRequest(
        method="active",
        arguments={},
        reply_list=f"{KEY}.reply.celery.pidbox",
        ticket="30252796-d943-437d-a9dc-968c24ec7024",
        clock=7,
    )


def test_request_without_a_reply_wants_none():
    assert read_request(request({"reply_to": None, "ticket": None})).reply_list == ""


@pytest.mark.parametrize(
    ("body", "node", "is_addressed"),
    [
        ({}, "encode@one", True),
        ({"destination": ["encode@one"]}, "encode@one", True),
        ({"destination": ["encode@one"]}, "encode@two", False),
        ({"pattern": "encode@*", "matcher": "glob"}, "encode@two", True),
        ({"pattern": "encode@*", "matcher": "glob"}, "xapi@two", False),
    ],
)
def test_request_is_for_the_nodes_it_names(body, node, is_addressed):
    assert read_request(request(body)).is_for(node) == is_addressed


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "is not JSON"),
        (b"[]", "no 'headers'"),
        (b"x" * (LONGEST_REQUEST_BYTES + 1), "more than 262144"),
        (request({"method": 3}), "names no method"),
        (request({"arguments": [1]}), "names no method"),
        (request({"destination": "encode@one"}), "not a list"),
        (request({"destination": [1]}), "not a list"),
        (request({"pattern": "(a+)+$", "matcher": "pcre"}), "only 'glob'"),
        (request({"reply_to": {"exchange": "", "routing_key": "encoding"}}), "never wants it"),
        (request({"reply_to": {"exchange": "reply.celery.pidbox", "routing_key": "encoding"}}), "never wants it"),
        (request({"reply_to": "encoding"}), "never wants it"),
        (request(body="%%%"), "not base64"),
        (request(headers={"compression": "application/x-gzip"}), "compressed"),
        (request(**{"content-type": "application/x-python-serialize"}), "expected 'application/json'"),
    ],
)
def test_message_that_is_no_request_is_refused_with_its_reason(raw, reason):
    with pytest.raises(InvalidRequestError) as refused:
        read_request(raw)
    assert reason in refused.value.detail


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_NAMES = st.sampled_from(["method", "arguments", "destination", "pattern", "matcher", "ticket", "reply_to"])


@given(body=st.dictionaries(_NAMES, _JSON), headers=_JSON)
def test_no_message_does_more_harm_than_to_be_refused(body, headers):
    try:
        read = read_request(request(body, headers=headers))
    except InvalidRequestError:
        return
    assert isinstance(read, ControlRequest)
    assert read.reply_list in {"", f"{KEY}.reply.celery.pidbox"}


def test_reply_is_written_as_kombu_writes_it():
    sending = Sending("reply.celery.pidbox", KEY, {"ticket": "t", "clock": 3})
    message = json.loads(write_message({"encode@one": []}, sending))
    assert json.loads(base64.b64decode(message["body"])) == {"encode@one": []}
    tag = message["properties"].pop("delivery_tag")
    assert len(tag) == 36
    del message["body"]
    assert message == {
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"ticket": "t", "clock": 3},
        "properties": {
            "delivery_mode": 1,
            "delivery_info": {"exchange": "reply.celery.pidbox", "routing_key": KEY},
            "priority": 0,
            "body_encoding": "base64",
        },
    }


def test_topics_are_those_of_the_database():
    assert topic(5, "celery.pidbox") == "/5.celery.pidbox"
    assert topic(0, "celeryev", "worker.heartbeat") == "/0.celeryev/worker.heartbeat"


def test_clock_is_later_than_all_that_it_knows_of():
    clock = LogicalClock()
    clock.adjust(41)
    clock.adjust(7)
    assert clock.forward() == 42
