"""The intake of statements: Pod's messages become statements whose id and timestamp never change."""

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from adapter.door.envelope import open_envelope
from adapter.door.processing_list import Message
from adapter.door.room import DeadBound, Room
from adapter.plurals import counted
from adapter.statements.store import StatementStore
from podjobs.contract.errors import InvalidRequestError
from podjobs.contract.statements import Statement

STATEMENT_TASK = "pod.xapi.xapi_tasks.send_xapi_statement_task"
ID_NAMESPACE = uuid.UUID("0b7d8c8f-3b86-4c58-9f5c-6f0f3ad6a5a1")
"""A random UUID of our own: the namespace in which a statement's id is derived from its message's."""
LONGEST_MESSAGE_ID = 128
"""Celery's ids are UUIDs; anything longer is not an id, and the message is identified by its content."""


def read_statement(raw: bytes) -> Statement:
    """Read one element of the queue; a statement without an id gets one derived from the message. Pure.

    Args:
        raw: the element, as it is in the list.

    Raises:
        InvalidRequestError: it does not hold a statement; the message says why. A retry does not help.

    Returns:
        The statement; it may have no timestamp.

    Source: docs/contract-pod.md, xAPI.
    """
    envelope = open_envelope(raw)
    if envelope.task != STATEMENT_TASK:
        raise InvalidRequestError(f"The task {envelope.task!r} is not {STATEMENT_TASK!r}.")
    statement = envelope.arguments(("statement",)).get("statement")
    if not isinstance(statement, dict):
        raise InvalidRequestError("The task's argument 'statement' is not a JSON object.")
    if statement.get("id") is None:
        return {**statement, "id": str(uuid.uuid5(ID_NAMESPACE, _message_id(envelope.id, raw)))}
    return statement


def _message_id(given: Any, raw: bytes) -> str:
    """Identify a message; the same if it arrives again."""
    is_usable = isinstance(given, str) and 0 < len(given) <= LONGEST_MESSAGE_ID and given.isascii()
    return given if is_usable else hashlib.sha256(raw).hexdigest()


def write_statement(statement: Statement, limit_bytes: int) -> str:
    """Write a statement as compact JSON text.

    Args:
        statement: a complete one.
        limit_bytes: longest text, in UTF-8.

    Raises:
        InvalidRequestError: it is too long, or contains a number that JSON cannot express.
    """
    try:
        text = json.dumps(statement, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError as error:
        raise InvalidRequestError(
            "The statement contains a number that is not finite, which JSON does not allow."
        ) from error
    size_bytes = len(text.encode())
    if size_bytes > limit_bytes:
        raise InvalidRequestError(
            f"The statement has {size_bytes} bytes, but a batch holds {limit_bytes}. Raise PODJOBS_XAPI_BATCH_BYTES."
        )
    return text


def time_of_arrival(arrived_us: int) -> str:
    """A time in xAPI's notation. Takes microseconds since the epoch."""
    moment = datetime.fromtimestamp(arrived_us / 1_000_000, tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class StatementBounds:
    """How much is held in Redis for the LRS."""

    statements: int
    """In number, dead letters included, at which new ones stay on Pod's queue."""
    size_bytes: int
    """In memory, dead letters included, likewise."""
    statement_bytes: int
    """The longest statement."""


class StatementIntake:
    """Stores the messages of the queue `xapi` as statements."""

    tasks = frozenset({STATEMENT_TASK})

    def __init__(self, statements: StatementStore, bounds: StatementBounds, dead_bound: DeadBound) -> None:
        """Create the intake.

        Args:
            statements: where statements are stored.
            bounds: how many.
            dead_bound: how many dead letters there may be.
        """
        self._statements = statements
        self._bounds = bounds
        self._dead_bound = dead_bound
        self.is_full = False
        """Whether new statements stay on Pod's queue until some are gone."""

    async def room(self) -> Room:
        """See Intake."""
        count, size_bytes = await self._statements.count(), await self._statements.size_bytes()
        left = self._bounds.statements - count
        obstacle = await self._dead_bound.obstacle()
        if not obstacle and (left <= 0 or size_bytes >= self._bounds.size_bytes):
            obstacle = (
                f"The limit of statements in Redis is reached: {counted(count, 'takes', 'take')} {size_bytes} bytes. "
                "Others stay on Pod's queue. Find out why the LRS does not accept them (`/status`, `dead list`), or "
                "raise PODJOBS_XAPI_HELD_LIMIT or PODJOBS_XAPI_HELD_BYTES."
            )
        self.is_full = bool(obstacle)
        return Room(0 if obstacle else left, obstacle)

    async def describe(self) -> dict[str, int | bool]:
        """How many statements are in Redis, and whether new ones stay on Pod's queue. Raises RedisError."""
        return {
            "held": await self._statements.count(),
            "held_limit": self._bounds.statements,
            "held_bytes": await self._statements.size_bytes(),
            "held_bytes_limit": self._bounds.size_bytes,
            "is_full": self.is_full,
        }

    def read(self, message: Message) -> str:
        """See Intake. A statement without a timestamp gets the time at which its message arrived."""
        statement = read_statement(message.raw)
        if statement.get("timestamp") is None:
            statement = {**statement, "timestamp": time_of_arrival(message.arrived_us)}
        return write_statement(statement, self._bounds.statement_bytes)

    async def store(self, items: Sequence[str]) -> None:
        """Store statements; see Intake."""
        await self._statements.append(items)
