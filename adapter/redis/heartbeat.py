"""The adapter's heartbeat: a key that changes while the adapter lives, so that others leave its entries alone."""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog
from redis.exceptions import RedisError

from adapter.about import AdapterAbout
from adapter.counts import REDIS_ERRORS
from adapter.redis import keys
from adapter.redis.connections import RedisClient
from adapter.redis.server_clock import ServerClock
from adapter.redis.streams import Streams

logger = structlog.get_logger(__name__)

BEATS_PER_LEASE = 3
KEPT_LEASES = 10
"""How long the key outlives the adapter, in leases: only to be cleaned up."""
ABOUT_S = 3600
"""How long an adapter that was killed is listed, so that an operator learns of it."""
FORGOTTEN_S = 86400
"""After this, its name is removed, too, by whatever clock."""


class Claimant(Protocol):
    """Something that claims entries of a stream and works on them."""

    @property
    def stream(self) -> str:
        """The stream's key."""


class Heartbeat:
    """Keeps other adapters from taking over what this one has claimed."""

    def __init__(self, redis: RedisClient, streams: Streams, claimants: Sequence[Claimant], lease_s: float) -> None:
        """Create a heartbeat; `run` keeps it going.

        Args:
            redis: the jobs' database.
            streams: this adapter's streams.
            claimants: whose claims are given back in the end.
            lease_s: seconds after the latest heartbeat until others take over.
        """
        self._redis = redis
        self._streams = streams
        self._claimants = claimants
        self._lease_s = lease_s
        self._beats = 0
        self.about = AdapterAbout(streams.adapter_id, lease_s=lease_s)
        """Told to whoever asks, with every beat."""
        self.refresh: Callable[[AdapterAbout], None] = lambda _: None
        """Brings it up to date before that."""
        self.drain_wanted = asyncio.Event()
        """Set once an operator wants this adapter to take nothing more."""
        self._server_clock = ServerClock()

    async def beat(self) -> None:
        """Beat once: show that this adapter lives; look at the server's clock. Raises RedisError."""
        self._beats += 1
        self.refresh(self.about)
        asked_at_s = time.monotonic()
        async with self._redis.pipeline(transaction=False) as pipeline:
            kept_ms = int(KEPT_LEASES * self._lease_s * 1000)
            pipeline.set(keys.heartbeat(self._streams.adapter_id), self._beats, px=kept_ms)
            pipeline.zadd(keys.ADAPTERS, {self._streams.adapter_id: time.time()})
            pipeline.zremrangebyscore(keys.ADAPTERS, "-inf", time.time() - FORGOTTEN_S)
            pipeline.set(keys.about(self._streams.adapter_id), json.dumps(self.about.as_fields()), ex=ABOUT_S)
            pipeline.hexists(keys.DRAINS, self._streams.adapter_id)
            pipeline.time()
            *_, is_drained, (seconds, microseconds) = await pipeline.execute()
        if is_drained:
            self.drain_wanted.set()
        jump_s = self._server_clock.look(seconds + microseconds / 1e6, asked_at_s, time.monotonic())
        if jump_s:
            logger.warning(
                "The clock of the Redis server was set. Retries and takeovers go on as before, for they do not follow "
                "it; times that are shown do. Set the server's clock by NTP.",
                jump_s=round(jump_s, 1),
            )

    async def run(self) -> None:
        """Beat until cancelled."""
        interval_s = self._lease_s / BEATS_PER_LEASE
        while True:
            try:
                await self.beat()
            except RedisError as error:
                # what keeps ours away keeps those of the others away: their silence means nothing
                self._streams.forget_silence()
                REDIS_ERRORS.add("heartbeat")
                logger.warning("The adapter's heartbeat does not reach Redis.", error=str(error))
            await asyncio.sleep(interval_s)

    async def end(self) -> None:
        """Give back all claims, then end the heartbeat.

        Raises:
            RedisError: Redis is unavailable; others take over once the lease has expired.
        """
        await self.give_back()
        await self._redis.delete(keys.heartbeat(self._streams.adapter_id), keys.about(self._streams.adapter_id))
        await self._redis.zrem(keys.ADAPTERS, self._streams.adapter_id)
        await self._redis.hdel(keys.DRAINS, self._streams.adapter_id)

    async def give_back(self) -> None:
        """Give back all claims; what is claimed afterwards is not affected. Raises RedisError."""
        for claimant in self._claimants:
            count = await self._streams.give_back(claimant.stream)
            if count:
                logger.info("Unfinished entries have been given back.", stream=claimant.stream, count=count)
            await self._streams.remove_consumer(claimant.stream, self._streams.adapter_id)
