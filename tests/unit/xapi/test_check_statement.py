"""What every LRS refuses is found before it is sent; everything else is left to it."""

import copy

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
        ("id", ..., "id must be a UUID"),
        ("id", "17", "id must be a UUID"),
        ("id", 17, "id must be a UUID"),
        ("id", "5a4d0c80aec54b85827975a6efb2c5f6", "id must be a UUID"),
        ("timestamp", "yesterday", "timestamp must be a time"),
        ("timestamp", 1700000000, "timestamp must be a time"),
        ("actor", ..., "actor must be an object"),
        ("actor", "Anne", "actor must be an object"),
        ("actor", [AGENT], "actor must be an object"),
        ("actor", {"name": "Anne"}, "actor must have exactly one of mbox, mbox_sha1sum, openid, account; it has 0"),
        ("actor", {**AGENT, "openid": "https://a.b"}, "it has 2"),
        ("actor", {"objectType": "Person", **AGENT}, "actor.objectType must be Agent or Group"),
        ("actor", {"mbox": "a@b.fr"}, "actor.mbox must be of the form mailto:"),
        ("actor", {"mbox": 7}, "actor.mbox must be"),
        ("actor", {"mbox_sha1sum": "x"}, "actor.mbox_sha1sum must be the 40"),
        ("actor", {"openid": "me"}, "actor.openid must be an absolute IRI"),
        ("actor", {"account": "me"}, "actor.account must be an object"),
        ("actor", {"account": {"name": "me"}}, "actor.account.homePage must be an absolute IRI"),
        ("actor", {"account": {**ACCOUNT, "name": ""}}, "actor.account.name must be a text"),
        ("actor", {**AGENT, "name": 7}, "actor.name must be a text"),
        ("actor", {"objectType": "Group"}, "actor.member must list"),
        ("actor", {"objectType": "Group", "member": []}, "actor.member must list"),
        ("actor", {"objectType": "Group", "member": ["x"]}, "actor.member[0] must be an object"),
        ("actor", {"objectType": "Group", "member": [{"objectType": "Group", **AGENT}]}, "member[0] must be an agent"),
        ("verb", ..., "verb must be an object"),
        ("verb.id", ..., "verb.id must be an absolute IRI"),
        ("verb.id", "played", "verb.id must be an absolute IRI"),
        ("verb.id", "https://example.org/a b", "verb.id must be an absolute IRI"),
        ("verb.display", "played", "verb.display must be an object"),
        ("verb.display", {"fr": 7}, "verb.display must give a text"),
        ("object", ..., "object must be an object"),
        ("object.id", ..., "object.id must be an absolute IRI"),
        ("object.objectType", "Video", "object.objectType must be Activity"),
        ("object.definition", "x", "object.definition must be an object"),
        ("object.definition.name", {"fr": 1}, "object.definition.name must give a text"),
        ("object", {"objectType": "StatementRef", "id": "x"}, "object.id must be a UUID"),
        ("object", {**SUB, "id": "x"}, "object.id must not stand"),
        ("object", {**SUB, "object": SUB}, "object.object must not be another"),
        ("object", {**SUB, "actor": {}}, "object.actor must have exactly one"),
        ("result", "x", "result must be an object"),
        ("context", [], "context must be an object"),
        ("context.registration", "x", "context.registration must be a UUID"),
        ("result.score", 1, "result.score must be an object"),
        ("result.score", {"scaled": 1.5}, "result.score.scaled must lie between"),
        ("result.score", {"raw": True}, "result.score.raw must be a number"),
        ("verb.display", None, "the property 'display' with the value null"),
        ("context.contextActivities.category", [{"id": None}], "the property 'id' with the value null"),
    ],
)
def test_check_statement_that_no_lrs_takes_is_refused_with_the_reason(path, value, reason):
    with pytest.raises(InvalidRequestError) as refused:
        check_statement(changed(path, value))
    assert reason in refused.value.detail


def test_check_statement_reason_repeats_no_address():
    with pytest.raises(InvalidRequestError) as refused:
        check_statement(changed("actor", {"mbox": "anne.martin at univ.fr", "name": "Anne"}))
    assert "anne" not in refused.value.detail.lower()
