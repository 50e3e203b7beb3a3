"""An adapter's processing list of one queue: the messages which it is about to store (processing_list.lua).

A message gets its place in the order of all messages when it leaves Pod's queue, by the same script that moves it, and
keeps it until it is stored, whoever stores it: Celery's messages carry no time, and a message that an adapter left
behind when it died must not pass for a newer one than those that came later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapter.redis import keys
from adapter.redis.connections import RedisClient

_SCRIPT = Path(__file__).with_name("processing_list.lua").read_text(encoding="utf-8")

READ_BYTES = 16 * 1024 * 1024
"""The longest message, and the most bytes that are read at once. Pod's messages have some kilobytes."""
TAKE_OVER_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Message:
    """An element of one of Pod's queues."""

    raw: bytes
    """What it holds; only the beginning, if it is too long."""
    position: int
    """Its place in the order in which messages left the queue; 0: an older version moved it, so it is the oldest."""
    arrived_us: int
    """When it left the queue, by the broker's clock: microseconds since the epoch."""
    size_bytes: int
    digest: str
    """SHA-1 of all of it."""

    @property
    def is_too_long(self) -> bool:
        """Whether it is longer than any message that is read."""
        return self.size_bytes > len(self.raw)


class ProcessingList:
    """The processing list of one adapter and one queue."""

    def __init__(self, queue: str, broker: RedisClient, adapter_id: str) -> None:
        """Use a client of the broker's database that returns bytes."""
        self._queue = queue
        self._broker = broker
        self._adapter_id = adapter_id
        self._keys = [queue, keys.processing(queue, adapter_id), keys.places(queue), keys.doors(queue)]
        self._script = broker.register_script(_SCRIPT)

    async def wait(self, wait_s: float) -> bool:
        """Wait for the queue to have a message. Raises RedisError."""
        # moves the last element to where it is
        last = await self._broker.blmove(self._queue, self._queue, wait_s, "RIGHT", "RIGHT")
        return last is not None

    async def fetch(self, count: int) -> list[Message]:
        """Move up to `count` messages from the queue into the list, and read them, oldest first. Raises RedisError."""
        return [_message(*row) for row in await self._run("fetch", count, READ_BYTES)]

    async def oldest(self, count: int) -> list[Message]:
        """Read up to `count` messages, oldest first; a message that is too long comes alone. Raises RedisError."""
        return [_message(*row) for row in await self._run("oldest", count, READ_BYTES)]

    async def remove(self, messages: Sequence[Message]) -> None:
        """Remove the oldest messages, which are stored. Raises RedisError."""
        await self._run("remove", *(message.digest for message in messages))

    async def set_aside(self, message: Message) -> None:
        """Move the oldest message, which is too long, to where it stays. Raises RedisError."""
        await self._run("set_aside", message.digest, other=keys.too_long(self._queue))

    async def take_over(self, gone_id: str) -> int:
        """Take over the messages of an adapter that is gone. Returns how many. Raises RedisError."""
        total = 0
        while moved := int(
            await self._run("take_over", TAKE_OVER_AT_ONCE, other=keys.processing(self._queue, gone_id))
        ):
            total += moved
        return total

    async def _run(self, operation: str, *arguments: Any, other: str | None = None) -> Any:
        involved = [*self._keys, *([other] if other else [])]
        return await self._script(keys=involved, args=[operation, self._adapter_id, *arguments])


def _message(raw: bytes, digest: bytes, size_bytes: int, place: bytes) -> Message:
    position, arrived_us = place.split()
    return Message(raw, int(position), int(arrived_us), size_bytes, digest.decode())
