"""The adapter's sign of life, and its claims on the steps it works on, renewed while it lives."""

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


class Holder(Protocol):
    """Whoever works on entries of a stream."""

    @property
    def stream(self) -> str:
        """The stream's key."""

    @property
    def claimed(self) -> tuple[str, ...]:
        """Ids of the entries this adapter works on."""


class Lease:
    """Keeps what this adapter holds from being taken over."""

    def __init__(self, redis: RedisClient, streams: Streams, dispatches: Sequence[Holder], lease_s: float) -> None:
        """Prepare.

        Args:
            redis: the jobs' database.
            streams: of this adapter.
            dispatches: whose entries are renewed.
            lease_s: seconds after which others take over.
        """
        self._redis = redis
        self._streams = streams
        self._dispatches = dispatches
        self._lease_s = lease_s

    async def renew(self) -> None:
        """Show a sign of life and renew the claims."""
        await self._redis.set(keys.heartbeat(self._streams.adapter_id), "", px=int(self._lease_s * 1000))
        for dispatch in self._dispatches:
            await self._streams.renew(dispatch.stream, dispatch.claimed)

    async def keep(self) -> None:
        """Renew until cancelled."""
        interval_s = self._lease_s / BEATS_PER_LEASE
        while True:
            try:
                await self.renew()
            except RedisError as error:
                logger.warning("The adapter cannot show a sign of life to Redis.", error=str(error))
            await asyncio.sleep(interval_s)

    async def end(self) -> None:
        """Give back what is still held and leave.

        Raises:
            RedisError: Redis is away; others take over when the lease has run out.
        """
        for dispatch in self._dispatches:
            count = await self._streams.give_back(dispatch.stream)
            if count:
                logger.info("What was not done is given back.", stream=dispatch.stream, count=count)
            await self._streams.forget_consumer(dispatch.stream, self._streams.adapter_id, even_alive=True)
        await self._redis.delete(keys.heartbeat(self._streams.adapter_id))
