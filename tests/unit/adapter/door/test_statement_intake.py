"""Messages with statements: each becomes one statement with an id that never changes."""

import base64
import json
import uuid

import pytest

from adapter.door.envelope import DEEPEST
from adapter.door.statement_intake import STATEMENT_TASK, read_statement, write_statement
from podjobs.contract.errors import InvalidRequestError
from support.statements import message_of, new_statement


def without(statement, *names):
    return {name: value for name, value in statement.items() if name not in names}


def raw_message(arguments, *, task=STATEMENT_TASK, message_id="m-1"):
    body = base64.b64encode(json.dumps(arguments).encode()).decode()
    headers = {"task": task, "id": message_id}
    return json.dumps({"body": body, "content-type": "application/json", "headers": headers}).encode()


def nested(levels):
    value = {}
    for _ in range(levels):
        value = {"extensions": value}
    return value


def test_read_statement_leaves_it_as_it_is():
    statement = new_statement(1)
    assert read_statement(message_of(statement, "m-1")) == statement


@pytest.mark.parametrize("missing", [("id",), ("id", "timestamp")])
def test_read_statement_without_an_id_gets_one_that_follows_from_the_message(missing):
    """A message that comes in twice is one statement; two messages are two, even with the same content."""
    statement = without(new_statement(1), *missing)
    one, again, two = (read_statement(message_of(statement, name))["id"] for name in ("a", "a", "b"))
    assert one == again != two
    assert str(uuid.UUID(one)) == one


def test_read_statement_id_given_by_us_is_fixed_for_ever():
    """A message may come in again after an upgrade."""
    assert read_statement(raw_message([[{}], {}, {}]))["id"] == "633850c8-e802-5306-9c34-6f097ff35a5f"


@pytest.mark.parametrize("message_id", [None, "", 7, "x" * 500, "\ud800", "é"])
def test_read_statement_message_without_a_usable_id_is_known_by_its_content(message_id):
    one, again = (read_statement(raw_message([[{}], {}, {}], message_id=message_id)) for _ in range(2))
    other = read_statement(raw_message([[{"a": 1}], {}, {}], message_id=message_id))
    assert one == again
    assert other["id"] != one["id"]


def test_read_statement_takes_the_argument_by_name():
    assert read_statement(raw_message([[], {"statement": {"id": "x"}}, {}])) == {"id": "x"}


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"rubbish", "The message is not JSON"),
        (raw_message([[{}], {}, {}], task="pod.other"), "The task 'pod.other' is not"),
        (raw_message([[{}], {}, {}], task=["x"]), "The task ['x'] is not"),
        (raw_message([[], {}, {}]), "'statement' is not a JSON object"),
        (raw_message([["x"], {}, {}]), "'statement' is not a JSON object"),
        (raw_message([[[{}]], {}, {}]), "'statement' is not a JSON object"),
        (raw_message([[{}, {}], {}, {}]), "has 2 arguments, at most 1"),
        (raw_message([[nested(DEEPEST - 1)], {}, {}]), f"nested more than {DEEPEST} deep"),
        (raw_message([[nested(900)], {}, {}]), f"nested more than {DEEPEST} deep"),
        (raw_message([[{"a": "\ud800"}], {}, {}]), "not valid Unicode"),
    ],
)
def test_read_statement_that_cannot_be_used_is_refused_with_its_reason(raw, reason):
    with pytest.raises(InvalidRequestError) as caught:
        read_statement(raw)
    assert reason in caught.value.detail


def test_read_statement_as_deep_as_may_be_passes():
    assert read_statement(raw_message([[nested(DEEPEST - 2)], {}, {}]))["extensions"]


def test_write_statement_is_the_same_statement():
    statement = new_statement(1) | {"n": [1.5, 12345678901234567890, -0.0, True, None, "é\u2028"]}
    text = write_statement(statement, 10_000)
    assert json.loads(text) == statement
    assert ": " not in text.replace("« rig »", "")


@pytest.mark.parametrize("number", [float("nan"), float("inf"), json.loads("1e999")])
def test_write_statement_number_that_json_lacks_is_refused(number):
    with pytest.raises(InvalidRequestError, match="not finite"):
        write_statement({"result": {"score": number}}, 10_000)


def test_write_statement_longer_than_a_batch_is_refused():
    statement = {"name": "é" * 10}
    size = len(json.dumps(statement, ensure_ascii=False, separators=(",", ":")).encode())
    assert write_statement(statement, size)
    with pytest.raises(
        InvalidRequestError, match=f"{size} bytes, but a batch holds {size - 1}.*PODJOBS_XAPI_BATCH_BYTES"
    ):
        write_statement(statement, size - 1)
