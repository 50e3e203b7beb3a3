"""The intake of statements: Pod's messages become statements whose id and time are fixed for good."""

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from adapter.door.dead_letters import bury_message
from adapter.door.envelope import open_envelope
from adapter.statements.store import Statements
from adapter.steps.records import Records
from podjobs.contract.errors import InvalidRequestError, Problem
from podjobs.contract.statements import Statement

logger = structlog.get_logger(__name__)

STATEMENT_TASK = "pod.xapi.xapi_tasks.send_xapi_statement_task"
ID_NAMESPACE = uuid.UUID("0b7d8c8f-3b86-4c58-9f5c-6f0f3ad6a5a1")
"""Ours, drawn once: a statement's id follows from its message's within it."""
LONGEST_MESSAGE_ID = 128
"""Celery's ids are UUIDs; what is longer is none, and its message is known by its content."""
DEEPEST = 64
"""Objects and lists inside one another. A statement has some eight; JSON parsers give up between 100 and 1,000."""


@dataclass(frozen=True, slots=True)
class Received:
    """A statement as a message holds it."""

    message_id: str
    """Tells the message apart; the same when it comes in again."""
    statement: Statement
    """With an id; perhaps without a timestamp."""


def read_statement(raw: bytes) -> Received:
    """Read one element of the queue; a statement without an id is given one that follows from the message. Pure.

    Args:
        raw: the element, as it lies in the list.

    Raises:
        InvalidRequestError: it cannot be used; the sentence says why. A retry does not help.

    Source: docs/contract-pod.md, xAPI.
    """
    envelope = open_envelope(raw)
    if envelope.task != STATEMENT_TASK:
        raise InvalidRequestError(f"The task {envelope.task!r} is not {STATEMENT_TASK!r}.")
    statement = envelope.arguments(("statement",)).get("statement")
    if not isinstance(statement, dict):
        raise InvalidRequestError("The task's argument 'statement' is no JSON object.")
    if _is_deeper(statement, DEEPEST):
        raise InvalidRequestError(f"The statement has objects and lists more than {DEEPEST} deep.")
    has_id = isinstance(envelope.id, str) and 0 < len(envelope.id) <= LONGEST_MESSAGE_ID
    message_id = envelope.id if has_id else hashlib.sha256(raw).hexdigest()
    if statement.get("id") is None:
        statement = {**statement, "id": str(uuid.uuid5(ID_NAMESPACE, message_id))}
    return Received(message_id, statement)


def write_statement(statement: Statement, limit_bytes: int) -> str:
    """Write a statement as compact JSON text.

    Args:
        statement: complete.
        limit_bytes: longest text, in UTF-8.

    Raises:
        InvalidRequestError: it is too long, or holds a number that JSON does not have.
    """
    try:
        text = json.dumps(statement, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError as error:
        raise InvalidRequestError("The statement holds a number that is not finite, and JSON has no such.") from error
    size_bytes = len(text.encode())
    if size_bytes > limit_bytes:
        raise InvalidRequestError(
            f"The statement has {size_bytes} bytes, at most {limit_bytes} fit a batch. Raise PODJOBS_XAPI_BATCH_BYTES."
        )
    return text


def _is_deeper(value: object, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels < 0 or any(_is_deeper(part, levels - 1) for part in inner if isinstance(part, dict | list))


class StatementIntake:
    """Stores the messages of the queue `xapi` as statements."""

    def __init__(
        self, queue: str, statements: Statements, records: Records, *, held_limit: int, statement_limit_bytes: int
    ) -> None:
        """Prepare.

        Args:
            queue: whose messages they are.
            statements: where statements are stored.
            records: where messages that cannot be used are put aside.
            held_limit: statements held from which on Pod's queue keeps them.
            statement_limit_bytes: longest statement.
        """
        self._queue = queue
        self._statements = statements
        self._records = records
        self._statement_limit_bytes = statement_limit_bytes
        self.held_limit = held_limit
        self.is_full = False
        """No more are taken until some are gone."""

    async def room(self) -> int:
        """How many more may be taken; see Intake. Says so when that begins and when it ends."""
        held = await self._statements.held()
        is_full = held >= self.held_limit
        if is_full and not self.is_full:
            logger.warning(
                "As many statements are held as may be: from now on they stay on Pod's queue. Look at what keeps the "
                "LRS from taking them (`/status`, `dead list`), or raise PODJOBS_XAPI_HELD_LIMIT.",
                queue=self._queue,
                held=held,
                limit=self.held_limit,
            )
        elif self.is_full and not is_full:
            logger.info("There is room for statements again.", queue=self._queue, held=held)
        self.is_full = is_full
        return max(self.held_limit - held, 0)

    async def describe(self) -> dict[str, int | bool]:
        """How many statements are held, and whether Pod's queue keeps the others. Raises RedisError."""
        return {"held": await self._statements.held(), "held_limit": self.held_limit, "is_full": self.is_full}

    async def store(self, batch: Sequence[bytes]) -> None:
        """Store messages; see Intake."""
        received: list[tuple[bytes, Received]] = []
        for raw in batch:
            try:
                received.append((raw, read_statement(raw)))
            except InvalidRequestError as error:
                await self._bury(raw, error)
        texts = []
        for (raw, _), statement in zip(received, await self._timed([one for _, one in received]), strict=True):
            try:
                texts.append(write_statement(statement, self._statement_limit_bytes))
            except InvalidRequestError as error:
                await self._bury(raw, error)
        if texts:
            await self._statements.store(texts)

    async def _bury(self, raw: bytes, error: InvalidRequestError) -> None:
        await bury_message(self._records, self._queue, raw, Problem.of(error))

    async def _timed(self, received: Sequence[Received]) -> list[Statement]:
        """Give the time of intake to statements that have none."""
        untimed = [one.message_id for one in received if one.statement.get("timestamp") is None]
        times = iter(await self._statements.intake_times(untimed) if untimed else ())
        return [
            {**one.statement, "timestamp": next(times)} if one.statement.get("timestamp") is None else one.statement
            for one in received
        ]
