"""The xAPI statements that the LRS does not have yet: every change, each one atomic (statements.lua)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapter.redis import keys
from adapter.redis.connections import RedisClient
from podjobs.contract.errors import Problem

_SCRIPT = Path(__file__).with_name("statements.lua").read_text(encoding="utf-8")

INTAKE_TTL_S = 3600
"""How long the time is remembered at which a message without a timestamp came in. It is needed again only when an
adapter dies between storing a statement and removing its message, and another takes over after its lease."""


class Statements:
    """The statements in Redis."""

    def __init__(self, redis: RedisClient) -> None:
        """Use a client whose answers are text."""
        self._redis = redis
        self._script = redis.register_script(_SCRIPT)

    async def held(self) -> int:
        """Count the statements that take memory: those that wait, and all that was put aside. Raises RedisError."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.xlen(keys.STATEMENTS)
            pipeline.xlen(keys.DEAD)
            waiting, dead = await pipeline.execute()
        return int(waiting) + int(dead)

    async def intake_times(self, message_ids: Sequence[str]) -> list[str]:
        """Tell when messages came in, the same again when they come in a second time.

        Args:
            message_ids: what tells the messages apart.

        Returns:
            For each its time, as xAPI writes it.
        """
        now = datetime.now(tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        async with self._redis.pipeline(transaction=False) as pipeline:
            for message_id in message_ids:
                pipeline.set(keys.intake(message_id), now, nx=True, ex=INTAKE_TTL_S)
                pipeline.get(keys.intake(message_id))
            answers = await pipeline.execute()
        return [str(time or now) for time in answers[1::2]]

    async def store(self, statements: Sequence[str]) -> None:
        """Add statements to the stream, in their order.

        Args:
            statements: JSON texts.
        """
        await self._run("store", *statements)

    async def settle(self, accepted: Sequence[str], refused: Sequence[tuple[str, Problem]] = ()) -> None:
        """Take entries off the stream.

        Args:
            accepted: ids of those the LRS has.
            refused: ids of those it never will have, which go to `dead` with the reason.
        """
        pairs = [part for entry_id, problem in refused for part in (entry_id, problem.model_dump_json())]
        await self._run("settle", len(accepted), *accepted, *pairs)

    async def replay(self, dead_id: str) -> bool:
        """Put a statement that was put aside into the stream again. False when there is none under this id."""
        return bool(await self._run("replay", dead_id))

    async def _run(self, operation: str, *arguments: Any) -> Any:
        return await self._script(keys=[keys.STATEMENTS, keys.DEAD], args=[operation, *arguments])
