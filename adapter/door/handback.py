"""The way back: a queue goes back to Pod's own workers, and no message is done twice or by nobody.

What has left the queue is in one of four places:

    <queue>-pod                 goes back to the queue, by the same script that keeps adapters from reading it
    a processing list           is stored by its adapter, or by another one if that is gone. Only if none lives: what is
                                not stored yet goes back to the queue
    the jobs, the statements    are finished here: they may be half done, and for some Pod waits
    the dead letters            stay

An adapter moves nothing from a queue that is handed back, but finishes what it has.
"""

import asyncio
import time
from dataclasses import dataclass

from adapter.door.dead_letters import DeadLetters
from adapter.door.envelope import open_envelope
from adapter.door.processing_list import ProcessingList
from adapter.door.queue_share import QueueShare
from adapter.liveness import COUNTED_LEASES
from adapter.redis import keys
from adapter.redis.connections import RedisClient
from adapter.redis.earlier_names import earlier_name
from adapter.redis.streams import Streams
from podjobs.contract.errors import InvalidRequestError, Problem

POLL_S = 0.5
PATIENCE_LEASES = 3
"""How long an adapter that lives is waited for. One that died is known to be gone after one."""


@dataclass(frozen=True, slots=True)
class Returned:
    """What became of the messages that had left a queue."""

    from_left: int
    """Those that were left to Pod's workers and not taken yet: on the queue again."""
    from_gone: int
    """Those that adapters which are gone had not stored: on the queue again."""
    in_hand: int
    """Those that an adapter which lives has not stored yet; it does that by itself."""


class Handback:
    """Hands one queue back."""

    def __init__(
        self, queue: str, broker: RedisClient, jobs: RedisClient, lease_s: float, *, in_cluster: bool = False
    ) -> None:
        """Create it; nothing is done yet.

        Args:
            queue: name of the broker's list.
            broker: a client of the broker's database that returns bytes.
            jobs: a client of the jobs' database that returns text.
            lease_s: seconds without a heartbeat after which an adapter is gone.
            in_cluster: whether the jobs' database is in cluster mode, where no earlier version has stored anything.
        """
        self._in_cluster = in_cluster
        self._queue = queue
        self._broker = broker
        self._jobs = jobs
        self._lease_s = lease_s
        self._share = QueueShare(queue, broker)
        self._streams = Streams(jobs, "handback")
        self._dead_letters = DeadLetters(jobs)

    async def run(self) -> Returned:
        """Hand the queue back, and wait until what adapters have in hand is stored.

        Safe to repeat. Raises RedisError.
        """
        from_left = await self._share.hand_back()
        from_gone, end_s = 0, time.monotonic() + PATIENCE_LEASES * self._lease_s
        while (holders := await self._holders()) and time.monotonic() < end_s:
            if not await self._living(holders):
                for name in holders:
                    from_gone += await self._put_back(name)
            await asyncio.sleep(min(POLL_S, COUNTED_LEASES * self._lease_s))
        return Returned(from_left, from_gone, sum(holders.values()))

    async def in_hand(self) -> int:
        """Count the messages in processing lists. Raises RedisError."""
        return sum((await self._holders()).values())

    async def _holders(self) -> dict[str, int]:
        """The adapters whose processing lists contain messages, and how many."""
        names = [name.decode() for name in await self._broker.smembers(keys.doors(self._queue))]
        lengths = {name: int(await self._broker.llen(keys.processing(self._queue, name))) for name in names}
        return {name: length for name, length in sorted(lengths.items()) if length}

    async def _living(self, holders: dict[str, int]) -> frozenset[str]:
        """The adapters that live, or may: any of them stores what those that are gone have left."""
        beating = {key.removeprefix(keys.heartbeat("")) async for key in self._jobs.scan_iter(keys.heartbeat("*"))}
        return await self._streams.alive(beating | set(holders), self._lease_s)

    async def _put_back(self, name: str) -> int:
        """Put back on the queue what an adapter that is gone has not stored. Returns how much that was."""
        own = ProcessingList(self._queue, self._broker, name)
        stored = []
        for message in await own.everything():
            try:
                job_id = open_envelope(message.raw).id
            except InvalidRequestError as error:
                # Pod's workers would drop it
                await self._dead_letters.add(self._queue, message.raw, Problem.of(error))
                stored.append(message.digest)
            else:
                if await self._is_stored(str(job_id)):
                    stored.append(message.digest)
        return await own.put_back(stored)

    async def _is_stored(self, job_id: str) -> bool:
        """Whether there is such a job, also by an earlier version whose records no adapter has carried over yet."""
        key = keys.job(job_id)
        return bool(
            await self._jobs.exists(key) or (not self._in_cluster and await self._jobs.exists(earlier_name(key)))
        )
