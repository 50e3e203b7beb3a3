"""The Celery door: moves messages from one of Pod's queues to where they are stored, without ever losing one.

    <queue> ──LMOVE──▶ <queue>:podjobs:<adapter> ──stored by the intake (or as a dead letter)──▶ LREM

A crash between two arrows leaves the message in the processing list; this adapter finds it once Redis is back, or
another adapter does once this one's heart has not beaten for a lease. What is stored twice has the same id both times.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Protocol

import structlog
from redis.exceptions import RedisError

from adapter.redis import keys
from adapter.redis.connections import RedisClient
from adapter.redis.liveness import COUNTED_LEASES
from adapter.redis.streams import Streams

logger = structlog.get_logger(__name__)

BATCH = 100
WAIT_S = 1
"""Longest wait for a message; a stop takes effect between two waits."""
REDIS_AWAY_WAIT_S = 0.5


class Intake(Protocol):
    """Stores the messages of a queue."""

    async def room(self) -> int:
        """How many more messages can be stored now; 0: they stay on Pod's queue. Raises RedisError."""

    async def store(self, batch: Sequence[bytes]) -> None:
        """Store messages in order; those that cannot be read become dead letters. Safe to repeat.

        Raises:
            RedisError: some were not stored.
        """


class CeleryDoor:
    """Reads the messages of one queue."""

    def __init__(self, queue: str, broker: RedisClient, streams: Streams, intake: Intake, lease_s: float) -> None:
        """Create a door; `run` does the work.

        Args:
            queue: name of the broker's list.
            broker: a client of the broker's database that returns bytes.
            streams: this adapter's streams; they know which adapters are alive.
            intake: where messages are stored.
            lease_s: seconds without a heartbeat after which an adapter is gone.
        """
        self.queue = queue
        self._broker = broker
        self._streams = streams
        self._intake = intake
        self._lease_s = lease_s
        self._look_s = COUNTED_LEASES * lease_s
        self._own = keys.processing(queue, streams.adapter_id)
        self._stopping = False
        self.is_open = False
        """Whether messages are being read."""

    def stop(self) -> None:
        """Stop reading; `run` ends once everything that was read is stored."""
        self._stopping = True

    async def run(self) -> None:
        """Read messages until stopped."""
        while not self._stopping:
            try:
                await self._run_while_redis_answers()
            except RedisError as error:
                self.is_open = False
                logger.warning("The queue cannot be read.", queue=self.queue, error=str(error))
                await asyncio.sleep(REDIS_AWAY_WAIT_S)

    async def _run_while_redis_answers(self) -> None:
        take_over_at = 0.0
        while not self._stopping:
            if time.monotonic() >= take_over_at:
                take_over_at = time.monotonic() + self._look_s
                await self._announce()
                await self._take_over()
                await self._store_own()
                self.is_open = True
            room = await self._intake.room()
            if room <= 0:
                await asyncio.sleep(WAIT_S)
            elif await self._fetch(min(room, BATCH)):
                await self._store_own()
        await self._broker.srem(keys.doors(self.queue), self._streams.adapter_id)

    async def _announce(self) -> None:
        """Register as an adapter that may have a processing list: repeatedly, since others may have thought it gone."""
        await self._broker.sadd(keys.doors(self.queue), self._streams.adapter_id)

    async def waiting(self) -> int:
        """Count the messages that are still on Pod's queue. Raises RedisError."""
        return int(await self._broker.llen(self.queue))

    async def _fetch(self, count: int) -> bool:
        """Move up to `count` messages into the processing list, waiting up to WAIT_S for the first one."""
        wait_s = min(WAIT_S, self._look_s)
        first = await self._broker.blmove(self.queue, self._own, wait_s, "RIGHT", "LEFT")
        if first is None:
            return False
        async with self._broker.pipeline(transaction=False) as pipeline:
            for _ in range(count - 1):
                pipeline.lmove(self.queue, self._own, "RIGHT", "LEFT")
            await pipeline.execute()
        return True

    async def _take_over(self) -> None:
        """Take over the processing lists of adapters that are gone."""
        names = {name.decode() for name in await self._broker.smembers(keys.doors(self.queue))}
        names.discard(self._streams.adapter_id)
        for name in sorted(names - await self._streams.alive(names, self._lease_s)):
            count = 0
            while await self._broker.lmove(keys.processing(self.queue, name), self._own, "RIGHT", "LEFT"):
                count += 1
            await self._broker.srem(keys.doors(self.queue), name)
            logger.info("The messages of an adapter that is gone were taken over.", adapter=name, count=count)

    async def _store_own(self) -> None:
        """Store all messages of the processing list, oldest first, and remove each one that is stored."""
        while batch := await self._broker.lrange(self._own, -BATCH, -1):
            batch.reverse()
            await self._intake.store(batch)
            async with self._broker.pipeline(transaction=False) as pipeline:
                for raw in batch:
                    pipeline.lrem(self._own, -1, raw)
                await pipeline.execute()
