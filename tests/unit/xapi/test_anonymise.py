"""Anonymised statements: nobody can be identified, and the same person always has the same pseudonym."""

import json

import pytest

from podjobs.xapi.anonymise import Anonymiser
from podjobs.xapi.statements import check_statement
from support.statements import new_statement

KEY = "a key of sixteen characters or more"
ANNE = {"name": "Anne Martin", "mbox": "mailto:anne.martin@univ.fr"}
IDENTITIES = [
    {"mbox": "mailto:anne.martin@univ.fr"},
    {"mbox_sha1sum": "ebd31e95054c018b10727ccffd2ef2ec3a016ee9"},
    {"openid": "https://id.univ.fr/anne.martin"},
    {"account": {"homePage": "https://ent.univ.fr", "name": "anne.martin"}},
]


def actor_of(actor, key=KEY):
    return Anonymiser(key).anonymise({"actor": actor})["actor"]


@pytest.mark.parametrize("identity", IDENTITIES)
@pytest.mark.parametrize("kind", [{}, {"objectType": "Agent"}])
def test_anonymise_agent_keeps_nothing_but_its_kind_and_is_valid(identity, kind):
    hidden = actor_of({**kind, "name": "Anne Martin", **identity})
    assert hidden.keys() == {*kind, "name", "mbox_sha1sum"}
    assert "anne" not in json.dumps(hidden).lower()
    check_statement(new_statement(1) | {"actor": hidden})


def test_anonymise_pseudonym_is_fixed_for_ever():
    """An LRS has years of them: another version must give the same ones."""
    assert actor_of(ANNE)["mbox_sha1sum"] == "863c58a1c2f3b776f7e3e85d928d53b369b4c906"


def test_anonymise_same_person_same_pseudonym_and_another_key_another():
    assert actor_of(ANNE) == actor_of(ANNE | {"name": "A. Martin"}) == actor_of({"mbox": "mailto:Anne.Martin@univ.fr"})
    assert actor_of(ANNE) != actor_of(ANNE, "another key of sixteen characters")
    assert len({actor_of(identity)["mbox_sha1sum"] for identity in IDENTITIES}) == len(IDENTITIES)
    one, two = ({"account": {"homePage": "https://ent.univ.fr", "name": name}} for name in ("a", "b"))
    assert actor_of(one) != actor_of(two)


def test_anonymise_persons_wherever_they_stand():
    group = {"objectType": "Group", "name": "Group of Anne", "member": [ANNE, ANNE]}
    statement = {
        "actor": group,
        "authority": ANNE,
        "context": {"instructor": ANNE, "team": group | {"mbox": "mailto:team-anne@univ.fr"}, "platform": "Pod"},
        "object": {
            "objectType": "SubStatement",
            "actor": ANNE,
            "object": {"objectType": "Agent"} | ANNE,
            "context": {"instructor": ANNE},
        },
    }
    before = json.dumps(statement)
    hidden = Anonymiser(KEY).anonymise(statement)
    assert "anne" not in json.dumps(hidden).lower()
    assert hidden["actor"].keys() == {"objectType", "member"}
    assert hidden["context"]["platform"] == "Pod"
    assert hidden["context"]["team"]["objectType"] == "Group"
    assert json.dumps(statement) == before


def test_anonymise_leaves_everything_else():
    statement = new_statement(7)
    hidden = Anonymiser(KEY).anonymise(statement)
    assert {name: hidden[name] for name in statement if name != "actor"} == {
        name: statement[name] for name in statement if name != "actor"
    }
