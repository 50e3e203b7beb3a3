"""Checks statements: what the xAPI specification requires and every LRS enforces. Pure.

Nothing else: what LRSs may judge differently (vocabularies, unknown properties, the form of durations) is left to them.
The types only check. The statement is sent unchanged, never as pydantic parsed it.

Source: xAPI 1.0.3, part 2, whose sections are given beside the types.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, Never, NotRequired

from pydantic import AfterValidator, Discriminator, FailFast, Field, Tag, TypeAdapter, ValidationError
from pydantic_core import CoreSchema, PydanticCustomError, core_schema
from typing_extensions import TypedDict

from podjobs.contract.errors import InvalidRequestError
from podjobs.contract.statements import Statement
from podjobs.xapi.anonymise import IDENTIFIERS

OBJECT_TYPES = frozenset({"Activity", "Agent", "Group", "StatementRef", "SubStatement"})
NO_TYPE = ""
"""In place of an objectType that is not even a text."""


@dataclass(frozen=True)
class _Demand:
    """Annotates a type with the message for an invalid value, in place of pydantic's."""

    words: str

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return core_schema.custom_error_schema(handler(source), "demand", custom_error_message=self.words)


def _check_time(text: str) -> str:
    datetime.fromisoformat(text if "T" in text else "")
    return text


def _check_identifiers(actor: Mapping[str, Any]) -> Mapping[str, Any]:
    """An agent has exactly one identifier; a group one, or members, or both. Source: 2.4.2."""
    count = sum(name in actor for name in IDENTIFIERS)
    if count > 1 or not (count or actor.get("member")):
        demand = "must have exactly one of {names} (a group without one must have members); it has {count}"
        raise PydanticCustomError("demand", demand, {"names": ", ".join(IDENTIFIERS), "count": count})
    return actor


def _forbid(_: Any) -> Never:
    raise PydanticCustomError("demand", "is not allowed in a sub-statement")


def _by_object_type(default: str, demand: str) -> Discriminator:
    """Chooses the type of a union; `default` if the statement names none."""

    def read(value: Any) -> str:
        kind = value.get("objectType", default) if isinstance(value, dict) else default
        # anything may be there, and pydantic looks it up in a dictionary
        return kind if isinstance(kind, str) else NO_TYPE

    return Discriminator(read, custom_error_type="demand", custom_error_message=demand)


UUID = r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"
IRI = r"^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"]+$"
"""A scheme and something after it. Source: RFC 3987, without its lists of characters."""
MBOX = r"^(?i:mailto):[^@\s]+@[^@\s]+$"
SHA1 = r"^[0-9A-Fa-f]{40}$"

Uuid = Annotated[str, Field(pattern=UUID), _Demand("must be a UUID such as 5a4d0c80-aec5-4b85-8279-75a6efb2c5f6")]
Iri = Annotated[str, Field(pattern=IRI), _Demand("must be an absolute IRI such as https://example.org/verbs/played")]
Mbox = Annotated[str, Field(pattern=MBOX), _Demand("must be of the form mailto:name@host")]
Sha1 = Annotated[str, Field(pattern=SHA1), _Demand("must be the 40 hexadecimal digits of a SHA-1")]
Time = Annotated[str, AfterValidator(_check_time), _Demand("must be a time such as 2026-11-24T04:13:16.000Z")]
LanguageMap = Annotated[dict[str, str], _Demand("must be an object with a text for each language")]
Number = Annotated[int | float, _Demand("must be a number")]
Forbidden = Annotated[Any, AfterValidator(_forbid)]


class _Account(TypedDict):  # 2.4.2.4
    homePage: Iri
    name: Annotated[str, Field(min_length=1)]


class _Actor(TypedDict, total=False):  # 2.4.2
    name: str
    mbox: Mbox
    mbox_sha1sum: Sha1
    openid: Iri
    account: _Account


class _Agent(_Actor, total=False):  # 2.4.2.1
    objectType: Literal["Agent"]


Agent = Annotated[_Agent, AfterValidator(_check_identifiers)]


class _Group(_Actor, total=False):  # 2.4.2.2
    member: Annotated[list[Agent], FailFast()]


Group = Annotated[_Group, AfterValidator(_check_identifiers)]


class _Verb(TypedDict):  # 2.4.3
    id: Iri
    display: NotRequired[LanguageMap]


class _Definition(TypedDict, total=False):  # 2.4.4.1
    name: LanguageMap
    description: LanguageMap


class _Activity(TypedDict):  # 2.4.4.1
    id: Iri
    definition: NotRequired[_Definition]


class _StatementRef(TypedDict):  # 2.4.4.3
    id: Uuid


class _Score(TypedDict, total=False):  # 2.4.5.1
    scaled: Annotated[float, Field(ge=-1, le=1)]
    raw: Number
    min: Number
    max: Number


class _Result(TypedDict, total=False):  # 2.4.5
    score: _Score


class _Context(TypedDict, total=False):  # 2.4.6
    registration: Uuid


AgentOrGroup = Annotated[Agent, Tag("Agent")] | Annotated[Group, Tag("Group")]
SimpleObject = AgentOrGroup | Annotated[_Activity, Tag("Activity")] | Annotated[_StatementRef, Tag("StatementRef")]


class _AnyStatement(TypedDict):  # 2.4
    actor: Annotated[AgentOrGroup, _by_object_type("Agent", "objectType must be Agent or Group")]
    verb: _Verb
    result: NotRequired[_Result]
    context: NotRequired[_Context]
    timestamp: NotRequired[Time]


class _SubStatement(_AnyStatement):  # 2.4.4.3
    object: Annotated[
        SimpleObject,
        _by_object_type("Activity", "in a sub-statement, objectType must be Activity, Agent, Group or StatementRef"),
    ]
    id: NotRequired[Forbidden]
    stored: NotRequired[Forbidden]
    version: NotRequired[Forbidden]
    authority: NotRequired[Forbidden]


class _Statement(_AnyStatement):  # 2.4
    id: Uuid
    object: Annotated[
        SimpleObject | Annotated[_SubStatement, Tag("SubStatement")],
        _by_object_type("Activity", "objectType must be Activity, Agent, Group, StatementRef or SubStatement"),
    ]


_STATEMENT = TypeAdapter(_Statement)


def check_statement(statement: Statement) -> None:
    """Check a statement; it is not changed.

    Args:
        statement: as received.

    Raises:
        InvalidRequestError: what is wrong, and where; values, which may be personal, are not repeated.
    """
    _check_nulls(statement)
    try:
        _STATEMENT.validate_python(statement, strict=True)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        named = "; ".join(f"{_path(fault['loc'])}: {fault['msg']}" for fault in faults)
        raise InvalidRequestError(f"The statement is not valid: {named}.") from None


def _check_nulls(statement: Statement) -> None:
    """Check that no property is null, except in extensions. Source: 2.2."""
    waiting: list[Any] = [statement]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            for name, inner in value.items():
                if inner is None:
                    raise InvalidRequestError(f"The statement's property {name!r} is null, which xAPI forbids.")
                if name != "extensions":
                    waiting.append(inner)


def _path(location: tuple[int | str, ...]) -> str:
    """The path to a fault, without the object types that pydantic inserts."""
    return ".".join(str(part) for part in location if part not in OBJECT_TYPES)
