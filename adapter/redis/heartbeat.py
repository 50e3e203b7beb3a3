"""The adapter's heartbeat: a key that expires, and the claims on its entries, both renewed while the adapter lives."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog
from redis.exceptions import RedisError

from adapter.redis import keys
from adapter.redis.connections import RedisClient
from adapter.redis.streams import Streams

logger = structlog.get_logger(__name__)

BEATS_PER_LEASE = 3


class Claimant(Protocol):
    """Something that claims entries of a stream and works on them."""

    @property
    def stream(self) -> str:
        """The stream's key."""

    @property
    def claimed(self) -> tuple[str, ...]:
        """Ids of the entries this adapter has claimed and works on."""


class Heartbeat:
    """Keeps other adapters from taking over what this one has claimed."""

    def __init__(self, redis: RedisClient, streams: Streams, claimants: Sequence[Claimant], lease_s: float) -> None:
        """Create a heartbeat; `run` keeps it going.

        Args:
            redis: the jobs' database.
            streams: this adapter's streams.
            claimants: whose claims are renewed.
            lease_s: seconds after the latest heartbeat until others take over.
        """
        self._redis = redis
        self._streams = streams
        self._claimants = claimants
        self._lease_s = lease_s

    async def beat(self) -> None:
        """Beat once: show that this adapter lives, and renew its claims. Raises RedisError."""
        await self._redis.set(keys.heartbeat(self._streams.adapter_id), "", px=int(self._lease_s * 1000))
        for claimant in self._claimants:
            await self._streams.renew(claimant.stream, claimant.claimed)

    async def run(self) -> None:
        """Beat until cancelled."""
        interval_s = self._lease_s / BEATS_PER_LEASE
        while True:
            try:
                await self.beat()
            except RedisError as error:
                logger.warning("The adapter's heartbeat does not reach Redis.", error=str(error))
            await asyncio.sleep(interval_s)

    async def end(self) -> None:
        """Give back all claims, then end the heartbeat.

        Raises:
            RedisError: Redis is unavailable; others take over once the lease has expired.
        """
        for claimant in self._claimants:
            count = await self._streams.give_back(claimant.stream)
            if count:
                logger.info("Unfinished entries have been given back.", stream=claimant.stream, count=count)
            await self._streams.remove_consumer(claimant.stream, self._streams.adapter_id, even_alive=True)
        await self._redis.delete(keys.heartbeat(self._streams.adapter_id))
