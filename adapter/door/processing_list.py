"""An adapter's processing list of one queue: the messages which it is about to store (processing_list.lua, sides.lua).

A message gets its place in the order of all messages when it leaves Pod's queue, by the same script that moves it, and
keeps it until it is stored, whoever stores it: Celery's messages carry no time, and a message that an adapter left
behind when it died must not pass for a newer one than those that came later.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapter.redis import keys
from adapter.redis.connections import RedisClient

_PARTS = ("sides", "processing_list")
_SCRIPT = "\n".join((Path(__file__).parent / f"{part}.lua").read_text(encoding="utf-8") for part in _PARTS)

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


@dataclass(frozen=True, slots=True)
class Share:
    """How much of a queue is taken; the rest is left to Pod's workers."""

    percent: int
    tasks: frozenset[str] = frozenset()
    """Names of the tasks of which that many are taken. All others are left, unless everything is taken."""


EVERYTHING = Share(100)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was moved from a queue."""

    messages: list[Message]
    """Those that are now in the processing list, oldest first."""
    moved: int
    """With those that were left to Pod's workers."""
    is_handed_back: bool
    """Nothing is moved until the queue is taken over again."""


class ProcessingList:
    """The processing list of one adapter and one queue."""

    def __init__(self, queue: str, broker: RedisClient, adapter_id: str) -> None:
        """Use a client of the broker's database that returns bytes."""
        self._queue = queue
        self._broker = broker
        self._adapter_id = adapter_id
        own = keys.processing(queue, adapter_id)
        self._keys = [
            *(queue, own, keys.places(queue), keys.doors(queue)),
            *(keys.share(queue), keys.left_to_pod(queue), keys.handed_back(queue), keys.side(queue)),
        ]
        self._script = broker.register_script(_SCRIPT)

    async def wait(self, wait_s: float) -> bool:
        """Wait for the queue to have a message. Raises RedisError."""
        # moves the last element to where it is
        last = await self._broker.blmove(self._queue, self._queue, wait_s, "RIGHT", "RIGHT")
        return last is not None

    async def fetch(self, count: int, share: Share = EVERYTHING) -> Fetched:
        """Move up to `count` messages from the queue: ours into the list, where they are read. Raises RedisError."""
        moved, *rows = await self._run("fetch", count, READ_BYTES, share.percent, *sorted(share.tasks))
        return Fetched([_message(*row) for row in rows], max(moved, 0), is_handed_back=moved < 0)

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

    async def everything(self) -> list[Message]:
        """Read all messages of the list, whatever their length. Raises RedisError."""
        own = keys.processing(self._queue, self._adapter_id)
        elements = await self._broker.lrange(own, 0, -1)
        return [Message(raw, 0, 0, len(raw), hashlib.sha1(raw, usedforsecurity=False).hexdigest()) for raw in elements]

    async def put_back(self, stored: Sequence[str]) -> int:
        """Put all messages back on the queue but those that are stored, for an adapter that is gone.

        Args:
            stored: their digests.

        Returns:
            How many are on the queue again.

        Raises:
            RedisError: nothing was done.
        """
        return int(await self._run("put_back", *stored))

    async def _run(self, operation: str, *arguments: Any, other: str | None = None) -> Any:
        involved = [*self._keys, *([other] if other else [])]
        return await self._script(keys=involved, args=[operation, self._adapter_id, *arguments])


def _message(raw: bytes, digest: bytes, size_bytes: int, place: bytes) -> Message:
    position, arrived_us = place.split()
    return Message(raw, int(position), int(arrived_us), size_bytes, digest.decode())
