"""The intake of statements: Pod's messages become statements whose id and timestamp never change."""

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from adapter.door.dead_letters import DeadLetters
from adapter.door.envelope import open_envelope
from adapter.statements.store import StatementStore
from podjobs.contract.errors import InvalidRequestError, Problem
from podjobs.contract.statements import Statement
from podjobs.contract.workflows import XAPI

logger = structlog.get_logger(__name__)

STATEMENT_TASK = "pod.xapi.xapi_tasks.send_xapi_statement_task"
ID_NAMESPACE = uuid.UUID("0b7d8c8f-3b86-4c58-9f5c-6f0f3ad6a5a1")
"""A random UUID of our own: the namespace in which a statement's id is derived from its message's."""
LONGEST_MESSAGE_ID = 128
"""Celery's ids are UUIDs; anything longer is not an id, and the message is identified by its content."""
DEEPEST = 64
"""Levels of nested objects and lists. A statement has some eight; JSON parsers give up between 100 and 1,000."""


@dataclass(frozen=True, slots=True)
class Received:
    """A statement as it arrived in a message."""

    message_id: str
    """Identifies the message; the same if it arrives again."""
    statement: Statement
    """Has an id, but perhaps no timestamp."""


def read_statement(raw: bytes) -> Received:
    """Read one element of the queue; a statement without an id gets one derived from the message. Pure.

    Args:
        raw: the element, as it is in the list.

    Raises:
        InvalidRequestError: it does not hold a statement; the message says why. A retry does not help.

    Source: docs/contract-pod.md, xAPI.
    """
    envelope = open_envelope(raw)
    if envelope.task != STATEMENT_TASK:
        raise InvalidRequestError(f"The task {envelope.task!r} is not {STATEMENT_TASK!r}.")
    statement = envelope.arguments(("statement",)).get("statement")
    if not isinstance(statement, dict):
        raise InvalidRequestError("The task's argument 'statement' is not a JSON object.")
    if _is_deeper(statement, DEEPEST):
        raise InvalidRequestError(f"The statement's objects and lists are nested more than {DEEPEST} deep.")
    has_id = isinstance(envelope.id, str) and 0 < len(envelope.id) <= LONGEST_MESSAGE_ID
    message_id = envelope.id if has_id else hashlib.sha256(raw).hexdigest()
    if statement.get("id") is None:
        statement = {**statement, "id": str(uuid.uuid5(ID_NAMESPACE, message_id))}
    return Received(message_id, statement)


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


def _is_deeper(value: object, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels < 0 or any(_is_deeper(part, levels - 1) for part in inner if isinstance(part, dict | list))


class StatementIntake:
    """Stores the messages of the queue `xapi` as statements."""

    def __init__(
        self,
        statements: StatementStore,
        dead_letters: DeadLetters,
        *,
        held_limit: int,
        statement_limit_bytes: int,
    ) -> None:
        """Create the intake.

        Args:
            statements: where statements are stored.
            dead_letters: where messages go that cannot be processed.
            held_limit: statements in Redis, dead letters included, at which new ones stay on Pod's queue.
            statement_limit_bytes: longest statement.
        """
        self._statements = statements
        self._dead_letters = dead_letters
        self._statement_limit_bytes = statement_limit_bytes
        self.held_limit = held_limit
        self.is_full = False
        """Whether new statements stay on Pod's queue until some are gone."""

    async def room(self) -> int:
        """How many more can be stored; see Intake. Logs when the limit is reached and when there is room again."""
        held = await self._statements.count()
        is_full = held >= self.held_limit
        if is_full and not self.is_full:
            logger.warning(
                "The limit of statements in Redis is reached: from now on they stay on Pod's queue. Find out why the "
                "LRS does not accept them (`/status`, `dead list`), or raise PODJOBS_XAPI_HELD_LIMIT.",
                queue=XAPI.queue,
                held=held,
                limit=self.held_limit,
            )
        elif self.is_full and not is_full:
            logger.info("There is room for statements again.", queue=XAPI.queue, held=held)
        self.is_full = is_full
        return max(self.held_limit - held, 0)

    async def describe(self) -> dict[str, int | bool]:
        """How many statements are in Redis, and whether new ones stay on Pod's queue. Raises RedisError."""
        return {"held": await self._statements.count(), "held_limit": self.held_limit, "is_full": self.is_full}

    async def store(self, batch: Sequence[bytes]) -> None:
        """Store messages; see Intake."""
        received: list[tuple[bytes, Received]] = []
        for raw in batch:
            try:
                received.append((raw, read_statement(raw)))
            except InvalidRequestError as error:
                await self._dead_letter(raw, error)
        texts = []
        for (raw, _), statement in zip(received, await self._timed([one for _, one in received]), strict=True):
            try:
                texts.append(write_statement(statement, self._statement_limit_bytes))
            except InvalidRequestError as error:
                await self._dead_letter(raw, error)
        if texts:
            await self._statements.append(texts)

    async def _dead_letter(self, raw: bytes, error: InvalidRequestError) -> None:
        await self._dead_letters.add(XAPI.queue, raw, Problem.of(error))

    async def _timed(self, received: Sequence[Received]) -> list[Statement]:
        """Give statements without a timestamp the time at which their message arrived."""
        untimed = [one.message_id for one in received if one.statement.get("timestamp") is None]
        times = iter(await self._statements.intake_times(untimed) if untimed else ())
        return [
            {**one.statement, "timestamp": next(times)} if one.statement.get("timestamp") is None else one.statement
            for one in received
        ]
