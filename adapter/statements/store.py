"""The store of the xAPI statements that the LRS does not have yet: every change to it is atomic (statements.lua)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adapter.redis import keys
from adapter.redis.connections import RedisClient
from adapter.redis.memory import KeyMemory
from adapter.redis.pauses import is_paused
from podjobs.contract.errors import Problem
from podjobs.contract.statements import XAPI_FUNCTION

_SCRIPT = Path(__file__).with_name("statements.lua").read_text(encoding="utf-8")


class StatementStore:
    """The statements in Redis."""

    def __init__(self, redis: RedisClient) -> None:
        """Use a client that returns text."""
        self._redis = redis
        self._script = redis.register_script(_SCRIPT)
        self._memory = [KeyMemory(redis, key) for key in (keys.STATEMENTS, keys.DEAD)]

    async def is_paused(self) -> bool:
        """Whether operators want no statements to be delivered now. Raises RedisError."""
        return await is_paused(self._redis, XAPI_FUNCTION)

    async def count(self) -> int:
        """Count what takes memory: the statements in the stream and all dead letters. Raises RedisError."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.xlen(keys.STATEMENTS)
            pipeline.xlen(keys.DEAD)
            waiting, dead = await pipeline.execute()
        return int(waiting) + int(dead)

    async def size_bytes(self) -> int:
        """The memory of the statements in the stream and of all dead letters. Raises RedisError."""
        return sum([await memory.size_bytes() for memory in self._memory])

    async def append(self, statements: Sequence[str]) -> None:
        """Append statements to the stream, in order.

        Args:
            statements: JSON texts.
        """
        await self._run("append", *statements)

    async def settle(self, accepted: Sequence[str], refused: Sequence[tuple[str, Problem]] = ()) -> None:
        """Remove entries from the stream.

        Args:
            accepted: ids of those the LRS has.
            refused: ids of those it will never accept, with the reason; they become dead letters.
        """
        pairs = [part for entry_id, problem in refused for part in (entry_id, problem.model_dump_json())]
        await self._run("settle", len(accepted), *accepted, *pairs)

    async def replay(self, letter_id: str) -> bool:
        """Return a dead letter's statement to the stream. False if there is no such dead letter."""
        return bool(await self._run("replay", letter_id))

    async def sweep(self) -> None:
        """See to it that Redis knows how many entries are unread: it may have been restarted."""
        await self._run("sweep")

    async def _run(self, operation: str, *arguments: Any) -> Any:
        return await self._script(keys=[keys.STATEMENTS, keys.DEAD], args=[operation, *arguments])
