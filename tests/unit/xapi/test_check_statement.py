"""What every LRS refuses is refused before it is sent; everything else is left to the LRS."""

import copy
import json

import pytest

from podjobs.contract.errors import InvalidRequestError
from podjobs.xapi.statements import check_statement
from support.statements import new_statement

AGENT = {"mbox": "mailto:a@b.fr"}
ACCOUNT = {"homePage": "https://ent.univ.fr", "name": "a"}
SHA1 = "ebd31e95054c018b10727ccffd2ef2ec3a016ee9"
SUB = {
    "objectType": "SubStatement",
    "actor": AGENT,
    "verb": {"id": "https://example.org/verbs/planned"},
    "object": {"id": "https://example.org/1"},
}


def changed(path, value):
    statement = copy.deepcopy(new_statement(1))
    *parents, last = path.split(".")
    holder = statement
    for name in parents:
        holder = holder.setdefault(name, {})
    if value is ...:
        del holder[last]
    else:
        holder[last] = value
    return statement


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("id", "5A4D0C80-AEC5-4B85-8279-75A6EFB2C5F6"),
        ("timestamp", "2026-11-24T04:13:16+01:00"),
        ("timestamp", "2026-11-24T04:13:16.123456789Z"),
        ("timestamp", ...),
        ("actor", AGENT),
        ("actor", {"mbox_sha1sum": SHA1}),
        ("actor", {"openid": "https://id.example.org/a"}),
        ("actor", {"objectType": "Agent", "account": ACCOUNT}),
        ("actor", {"objectType": "Group", "member": [AGENT, {"account": ACCOUNT}]}),
        ("actor", {"objectType": "Group", "account": ACCOUNT}),
        ("actor", {"objectType": "Group", "account": ACCOUNT, "member": []}),
        ("verb.id", "http://adlnet.gov/expapi/verbs/terminated"),
        ("verb.id", "urn:example:vidéo"),
        ("verb.display", ...),
        ("object", {"id": "https://example.org/1"}),
        ("object", {"objectType": "Agent", **AGENT}),
        ("object", {"objectType": "Group", "member": [AGENT]}),
        ("object", {"objectType": "StatementRef", "id": "5a4d0c80-aec5-4b85-8279-75a6efb2c5f6"}),
        ("object", SUB),
        ("result.score", {"scaled": -1, "raw": 3, "min": 0, "max": 9.5}),
        ("result.extensions", {"https://example.org/x": None}),
        ("context.extensions", {"https://example.org/x": {"deep": None}}),
        ("something", "an LRS may know what it is"),
    ],
)
def test_check_statement_that_an_lrs_may_take_passes(path, value):
    check_statement(changed(path, value))


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("id", ..., "id: Field required"),
        ("id", "17", "id: must be a UUID"),
        ("id", 17, "id: must be a UUID"),
        ("id", "5a4d0c80aec54b85827975a6efb2c5f6", "id: must be a UUID"),
        ("timestamp", "yesterday", "timestamp: must be a time"),
        ("timestamp", 1700000000, "timestamp: must be a time"),
        ("actor", ..., "actor: Field required"),
        ("actor", "Anne", "actor: Input should be a valid dictionary"),
        ("actor", [AGENT], "actor: Input should be a valid dictionary"),
        ("actor", {"name": "Anne"}, "actor: must have exactly one of mbox, mbox_sha1sum, openid, account"),
        ("actor", {"name": "Anne"}, "; it has 0."),
        ("actor", {**AGENT, "openid": "https://a.b"}, "actor: must have exactly one of"),
        ("actor", {**AGENT, "openid": "https://a.b"}, "; it has 2."),
        ("actor", {"objectType": "Person", **AGENT}, "actor: objectType must be Agent or Group"),
        ("actor", {"objectType": ["Agent"], **AGENT}, "actor: objectType must be Agent or Group"),
        ("actor", {"mbox": "a@b.fr"}, "actor.mbox: must be of the form mailto:"),
        ("actor", {"mbox": 7}, "actor.mbox: must be"),
        ("actor", {"mbox_sha1sum": "x"}, "actor.mbox_sha1sum: must be the 40"),
        ("actor", {"openid": "me"}, "actor.openid: must be an absolute IRI"),
        ("actor", {"account": "me"}, "actor.account: Input should be a valid dictionary"),
        ("actor", {"account": {"name": "me"}}, "actor.account.homePage: Field required"),
        ("actor", {"account": {**ACCOUNT, "name": ""}}, "actor.account.name: String should have at least 1 character"),
        ("actor", {**AGENT, "name": 7}, "actor.name: Input should be a valid string"),
        ("actor", {"objectType": "Group"}, "actor: must have exactly one of"),
        ("actor", {"objectType": "Group", "member": []}, "a group without one must have members"),
        ("actor", {"objectType": "Group", "member": ["x"]}, "actor.member.0: Input should be a valid dictionary"),
        (
            "actor",
            {"objectType": "Group", "member": [{"objectType": "Group", **AGENT}]},
            "member.0.objectType: Input sh",
        ),
        ("verb", ..., "verb: Field required"),
        ("verb.id", ..., "verb.id: Field required"),
        ("verb.id", "played", "verb.id: must be an absolute IRI"),
        ("verb.id", "https://example.org/a b", "verb.id: must be an absolute IRI"),
        ("verb.display", "played", "verb.display: must be an object with a text"),
        ("verb.display", {"fr": 7}, "verb.display: must be an object with a text"),
        ("object", ..., "object: Field required"),
        ("object.id", ..., "object.id: Field required"),
        ("object.objectType", "Video", "object: objectType must be Activity"),
        ("object.definition", "x", "object.definition: Input should be a valid dictionary"),
        ("object.definition.name", {"fr": 1}, "object.definition.name: must be an object with a text"),
        ("object", {"objectType": "StatementRef", "id": "x"}, "object.id: must be a UUID"),
        ("object", {**SUB, "id": "x"}, "object.id: is not allowed in a sub-statement"),
        ("object", {**SUB, "object": SUB}, "object.object: in a sub-statement, objectType must be Activity"),
        ("object", {**SUB, "actor": {}}, "object.actor: must have exactly one"),
        ("result", "x", "result: Input should be a valid dictionary"),
        ("context", [], "context: Input should be a valid dictionary"),
        ("context.registration", "x", "context.registration: must be a UUID"),
        ("result.score", 1, "result.score: Input should be a valid dictionary"),
        ("result.score", {"scaled": 1.5}, "result.score.scaled: Input should be less than or equal to 1"),
        ("result.score", {"raw": True}, "result.score.raw: must be a number"),
        ("verb.display", None, "property 'display' is null"),
        ("context.contextActivities.category", [{"id": None}], "property 'id' is null"),
    ],
)
def test_check_statement_that_no_lrs_takes_is_refused_with_the_reason(path, value, reason):
    with pytest.raises(InvalidRequestError) as refused:
        check_statement(changed(path, value))
    assert reason in refused.value.detail


def test_check_statement_names_every_fault_at_once():
    wrong = changed("actor", {"mbox": "a@b.fr"}) | {"verb": {}, "timestamp": "yesterday"}
    with pytest.raises(InvalidRequestError) as refused:
        check_statement(wrong)
    for place in ("actor.mbox: ", "verb.id: ", "timestamp: "):
        assert place in refused.value.detail


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("actor", {"mbox": "anne.martin at univ.fr", "name": "Anne"}),
        ("actor", {"objectType": "Anne", **AGENT}),
        ("actor", {"account": {"homePage": "anne.univ.fr", "name": ""}, "name": "Anne"}),
        ("object", {"objectType": "anne@univ.fr"}),
        ("verb.display", {"Anne": 7}),
        ("result.score", {"raw": "Anne"}),
        ("timestamp", "Anne's birthday"),
    ],
)
def test_check_statement_reason_repeats_no_value(path, value):
    with pytest.raises(InvalidRequestError) as refused:
        check_statement(changed(path, value))
    assert "anne" not in refused.value.detail.lower()


@pytest.mark.parametrize(
    "statement",
    [
        new_statement(1),
        changed("object", SUB),
        changed("result.score", {"scaled": 1, "raw": 3.0, "more": [None, 10**400]}),
    ],
)
def test_check_statement_leaves_the_statement_as_it_came(statement):
    """Numbers, unknown properties and their order are the LRS's to see."""
    before = json.dumps(statement)
    check_statement(statement)
    assert json.dumps(statement) == before


def test_check_statement_nested_very_deeply_is_checked():
    nested = {}
    for _ in range(50_000):
        nested = {"in": nested}
    check_statement(changed("verb.display", ...) | {"something": nested})
