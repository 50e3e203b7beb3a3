"""Whether a statement is one: what the xAPI specification demands, and every LRS refuses to do without. Pure.

Only that: what an LRS may see differently (vocabularies, unknown properties, the form of durations) is left to it.

Source: xAPI 1.0.3, part 2, chapters 2 to 4.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from podjobs.contract.errors import InvalidRequestError
from podjobs.contract.statements import Statement
from podjobs.xapi.anonymise import IDENTIFIERS

_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"]+")
"""An absolute IRI: a scheme and something after it. Source: RFC 3987, without its lists of characters."""
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_SHA1 = re.compile(r"[0-9A-Fa-f]{40}")
_SUB_STATEMENT_LACKS = ("id", "stored", "version", "authority")


def check_statement(statement: Statement) -> None:
    """Check a statement.

    Args:
        statement: as it came.

    Raises:
        InvalidRequestError: what is wrong, and where; values that may be personal are not repeated.
    """
    _check_nulls(statement, "the statement")
    _check_uuid(statement.get("id"), "id")
    _check_parts(statement, "")


def _check_parts(statement: Mapping[str, Any], at: str) -> None:
    """Check what statements and sub-statements have in common."""
    _check_agent(statement.get("actor"), f"{at}actor")
    verb = _object(statement.get("verb"), f"{at}verb")
    _check_iri(verb.get("id"), f"{at}verb.id")
    _check_language_map(verb, "display", f"{at}verb.display")
    _check_target(_object(statement.get("object"), f"{at}object"), f"{at}object")
    for name in ("result", "context"):
        if name in statement:
            _object(statement[name], f"{at}{name}")
    context = statement.get("context", {})
    if "registration" in context:
        _check_uuid(context["registration"], f"{at}context.registration")
    if "score" in statement.get("result", {}):
        _check_score(_object(statement["result"]["score"], f"{at}result.score"), f"{at}result.score")
    if "timestamp" in statement:
        _check_time(statement["timestamp"], f"{at}timestamp")


def _check_nulls(value: Any, at: str) -> None:
    """No property is null, except in extensions. Source: 2.2."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if inner is None:
                raise InvalidRequestError(f"{at} has the property {name!r} with the value null, which xAPI forbids.")
            if name != "extensions":
                _check_nulls(inner, at)
    elif isinstance(value, list):
        for inner in value:
            _check_nulls(inner, at)


def _object(value: Any, at: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(at, "must be an object")
    return value


def _check_uuid(value: Any, at: str) -> None:
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise _wrong(at, "must be a UUID such as 5a4d0c80-aec5-4b85-8279-75a6efb2c5f6")


def _check_iri(value: Any, at: str) -> None:
    if not isinstance(value, str) or not _IRI.fullmatch(value):
        raise _wrong(at, "must be an absolute IRI such as https://example.org/verbs/played")


def _check_language_map(holder: Mapping[str, Any], name: str, at: str) -> None:
    if name in holder and not all(isinstance(text, str) for text in _object(holder[name], at).values()):
        raise _wrong(at, "must give a text for each language")


def _check_time(value: Any, at: str) -> None:
    try:
        datetime.fromisoformat(value if isinstance(value, str) and "T" in value else "")
    except ValueError as error:
        raise _wrong(at, "must be a time such as 2026-11-24T04:13:16.000Z") from error


def _check_score(score: Mapping[str, Any], at: str) -> None:
    for name in ("scaled", "raw", "min", "max"):
        if name in score and (isinstance(score[name], bool) or not isinstance(score[name], int | float)):
            raise _wrong(f"{at}.{name}", "must be a number")
    if not -1 <= score.get("scaled", 0) <= 1:
        raise _wrong(f"{at}.scaled", "must lie between -1 and 1")


def _check_agent(value: Any, at: str) -> None:
    """An agent has exactly one identifier; a group one, or members, or both. Source: 2.4.2."""
    agent = _object(value, at)
    kind = agent.get("objectType", "Agent")
    if kind not in {"Agent", "Group"}:
        raise _wrong(f"{at}.objectType", "must be Agent or Group")
    given = [name for name in IDENTIFIERS if name in agent]
    if len(given) > 1 or (kind == "Agent" and not given):
        raise _wrong(at, f"must have exactly one of {', '.join(IDENTIFIERS)}; it has {len(given)}")
    for name in given:
        _check_identifier(name, agent[name], f"{at}.{name}")
    if "name" in agent and not isinstance(agent["name"], str):
        raise _wrong(f"{at}.name", "must be a text")
    if kind == "Group":
        _check_members(agent, is_identified=bool(given), at=at)


def _check_members(group: Mapping[str, Any], *, is_identified: bool, at: str) -> None:
    members = group.get("member")
    if members is None and is_identified:
        return
    if not isinstance(members, list) or (not members and not is_identified):
        raise _wrong(f"{at}.member", "must list the members of a group without an identifier")
    for number, member in enumerate(members):
        if isinstance(member, dict) and member.get("objectType", "Agent") != "Agent":
            raise _wrong(f"{at}.member[{number}]", "must be an agent")
        _check_agent(member, f"{at}.member[{number}]")


def _check_identifier(name: str, value: Any, at: str) -> None:
    match name:
        case "mbox":
            if not isinstance(value, str) or not re.fullmatch(r"mailto:[^@\s]+@[^@\s]+", value, re.IGNORECASE):
                raise _wrong(at, "must be of the form mailto:name@host")
        case "mbox_sha1sum":
            if not isinstance(value, str) or not _SHA1.fullmatch(value):
                raise _wrong(at, "must be the 40 hexadecimal digits of a SHA-1")
        case "openid":
            _check_iri(value, at)
        case _:
            account = _object(value, at)
            _check_iri(account.get("homePage"), f"{at}.homePage")
            if not isinstance(account.get("name"), str) or not account["name"]:
                raise _wrong(f"{at}.name", "must be a text")


def _check_target(target: Mapping[str, Any], at: str) -> None:
    """What the statement is about. Source: 2.4.4."""
    match target.get("objectType", "Activity"):
        case "Activity":
            _check_iri(target.get("id"), f"{at}.id")
            if "definition" in target:
                definition = _object(target["definition"], f"{at}.definition")
                _check_language_map(definition, "name", f"{at}.definition.name")
                _check_language_map(definition, "description", f"{at}.definition.description")
        case "Agent" | "Group":
            _check_agent(target, at)
        case "StatementRef":
            _check_uuid(target.get("id"), f"{at}.id")
        case "SubStatement":
            _check_sub_statement(target, at)
        case _:
            kinds = "Activity, Agent, Group, StatementRef or SubStatement"
            raise _wrong(f"{at}.objectType", f"must be {kinds}")


def _check_sub_statement(target: Mapping[str, Any], at: str) -> None:
    for name in _SUB_STATEMENT_LACKS:
        if name in target:
            raise _wrong(f"{at}.{name}", "must not stand in a sub-statement")
    inner = target.get("object")
    if isinstance(inner, dict) and inner.get("objectType") == "SubStatement":
        raise _wrong(f"{at}.object", "must not be another sub-statement")
    _check_parts(target, f"{at}.")


def _wrong(at: str, demand: str) -> InvalidRequestError:
    return InvalidRequestError(f"The statement is not valid: {at} {demand}.")
