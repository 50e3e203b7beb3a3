"""Anything that somebody may send: arbitrary JSON, and Pod's own messages with something else in one place."""

import base64
import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

MESSAGES = Path(__file__).parents[1] / "data/pod-4.1-messages"
SHORT = 4
"""Elements of a list and characters of a text: hypothesis finds more with few."""

_texts = st.text(st.characters(), max_size=SHORT) | st.sampled_from(
    ["\ud800", "\0", "objectType", "extensions", "member", "x" * 5000, "é" * 9000, "/media/../x", "1e400", "…"]
)
_numbers = (
    st.integers()
    | st.floats()
    | st.sampled_from([10**4000, -(10**400), 2**63, 2**64, -0.0, float("nan"), float("inf"), float("-inf")])
)


def _deep(levels: int) -> Any:
    value: Any = []
    for level in range(levels):
        value = {"a": value} if level % 2 else [value]
    return value


_names = _texts | st.sampled_from(["actor", "verb", "object", "context", "id", "timestamp", "name", "account"])
_scalars = st.none() | st.booleans() | _numbers | _texts
any_json = st.recursive(
    _scalars | st.sampled_from([_deep(70), _deep(254), _deep(600), [[]], {"objectType": []}]),
    lambda inner: st.lists(inner, max_size=SHORT) | st.dictionaries(_names, inner, max_size=SHORT),
    max_leaves=8,
)
"""Values as `json.loads` may return them."""


def recorded(prefix: str = "") -> list[dict[str, Any]]:
    """Pod's messages, their bodies unpacked."""
    found = []
    for path in sorted(MESSAGES.glob(f"{prefix}*.body.json")):
        message = json.loads(path.with_name(path.name.replace(".body", "")).read_bytes())
        found.append({**message, "body": json.loads(path.read_bytes())})
    return found


@st.composite
def mutated(draw: st.DrawFn, originals: list[Any]) -> Any:
    """One of these values, with something else in a place or two."""
    value = json.loads(json.dumps(draw(st.sampled_from(originals))))
    for _ in range(draw(st.integers(1, 2))):
        value = _with_another(draw, value)
    return value


def _with_another(draw: st.DrawFn, value: Any) -> Any:
    """Replace, remove or add a part at any depth."""
    if not isinstance(value, dict | list) or not value or draw(st.integers(0, 9)) == 0:
        return draw(any_json)
    if isinstance(value, list):
        place = draw(st.integers(0, len(value) - 1))
        return [*value[:place], _with_another(draw, value[place]), *value[place + 1 :]]
    name = draw(st.sampled_from([*sorted(value), *sorted(value), "objectType"]) | _names)
    if draw(st.integers(0, 9)) == 0:
        return {other: inner for other, inner in value.items() if other != name}
    return {**value, name: _with_another(draw, value.get(name))}


def packed(message: Any) -> bytes:
    """A message as it lies on the queue; a body that is not a text is packed as kombu does it."""
    if isinstance(message, dict) and not isinstance(message.get("body"), str | None):
        body = base64.b64encode(json.dumps(message["body"]).encode()).decode()
        message = {**message, "body": body}
    return json.dumps(message).encode()


@st.composite
def _with_another_body(draw: st.DrawFn) -> bytes:
    message = draw(st.sampled_from(recorded()))
    return packed({**message, "body": draw(mutated([message["body"]]))})


any_message = st.one_of(
    _with_another_body(),
    mutated(recorded()).map(packed),
    any_json.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=50),
    st.sampled_from([b"[" * 100_000, b"9" * 5000, b'{"a":1e400}', b"\xff", b"", b"NaN", b'"\\ud800"']),
)
"""Elements of a queue."""
_statements = [message["body"][0][0] for message in recorded("xapi")]
any_statement = st.one_of(
    mutated(_statements).filter(lambda value: isinstance(value, dict)),
    st.dictionaries(_names, any_json, max_size=SHORT),
    # what once made a batch fail as a whole: the type of an actor or an object as an index into a table
    st.builds(
        lambda name, kind: {**_statements[0], name: {"objectType": kind}},
        st.sampled_from(["actor", "object"]),
        any_json,
    ),
)
"""JSON objects, most of them nearly statements."""
