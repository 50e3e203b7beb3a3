"""The Celery door: moves messages from one of Pod's queues to where they are stored, without ever losing one.

    <queue> ──▶ <queue>:podjobs:<adapter> ──stored by the intake, or as a dead letter──▶ removed
       └──────▶ <queue>-pod, what is left to Pod's own workers (queue_share.py)

A crash between two arrows leaves the message in the processing list; this adapter finds it once Redis is back, or
another adapter does once this one's heart has not beaten for a lease. What is stored twice has the same id both times.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

import structlog
from redis.exceptions import RedisError

from adapter.counts import MESSAGES, REDIS_ERRORS
from adapter.door.dead_letters import DeadLetters
from adapter.door.processing_list import EVERYTHING, READ_BYTES, Message, ProcessingList, Share
from adapter.door.queue_share import QueueShare
from adapter.door.room import Room
from adapter.liveness import COUNTED_LEASES
from adapter.redis import keys
from adapter.redis.connections import RedisClient
from adapter.redis.streams import Streams
from adapter.redis_retry import is_transient
from podjobs.contract.errors import InvalidRequestError, Problem

logger = structlog.get_logger(__name__)

BATCH = 100
WAIT_S = 1
"""Longest wait for a message; a stop takes effect between two waits."""
REDIS_AWAY_WAIT_S = 0.5

ItemT = TypeVar("ItemT")


class Intake(Protocol[ItemT]):
    """Reads and stores the messages of a queue."""

    tasks: frozenset[str]
    """Names of the tasks that it can read."""

    async def room(self) -> Room:
        """How many more messages can be stored now; the others stay on Pod's queue. Raises RedisError."""

    def read(self, message: Message) -> ItemT:
        """Read a message. Raises InvalidRequestError if it cannot be processed."""

    async def store(self, items: Sequence[ItemT]) -> None:
        """Store what was read, in order. Safe to repeat.

        Raises:
            RedisError: some were not stored.
        """


class CeleryDoor(Generic[ItemT]):
    """Reads the messages of one queue."""

    def __init__(  # noqa: PLR0913, PLR0917 - each is a different part of the adapter
        self,
        queue: str,
        broker: RedisClient,
        streams: Streams,
        intake: Intake[ItemT],
        dead_letters: DeadLetters,
        lease_s: float,
        percent: int = EVERYTHING.percent,
    ) -> None:
        """Create a door; `run` does the work.

        Args:
            queue: name of the broker's list.
            broker: a client of the broker's database that returns bytes.
            streams: this adapter's streams; they know which adapters are alive.
            intake: where messages are stored.
            dead_letters: where messages go that cannot be processed.
            lease_s: seconds without a heartbeat after which an adapter is gone.
            percent: how much of the queue is taken; the rest is left to Pod's workers.
        """
        self.queue = queue
        self._broker = broker
        self._streams = streams
        self._intake = intake
        self._dead_letters = dead_letters
        self._lease_s = lease_s
        self._look_s = COUNTED_LEASES * lease_s
        self._own = ProcessingList(queue, broker, streams.adapter_id)
        self._percent = percent
        self.share = QueueShare(queue, broker, percent)
        """Who else reads the queue."""
        self._stopping = False
        self.is_open = False
        """Whether the queue is being watched."""
        self.obstacle = ""
        """Why messages stay on the queue; empty: they are read."""

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
                REDIS_ERRORS.add("door")
                logger.warning("The queue cannot be read.", queue=self.queue, error=str(error))
                await asyncio.sleep(REDIS_AWAY_WAIT_S)

    async def _run_while_redis_answers(self) -> None:
        take_over_at = 0.0
        while not self._stopping:
            if time.monotonic() >= take_over_at:
                take_over_at = time.monotonic() + self._look_s
                await self._take_over()
                await self._store_own()
                self.is_open = True
            await self.share.watch()
            room = await self._intake.room()
            self._note_obstacle(room.obstacle)
            if room.messages <= 0:
                await asyncio.sleep(min(WAIT_S, self._look_s))
            else:
                await self._read(min(room.messages, BATCH))
        await self._broker.srem(keys.doors(self.queue), self._streams.adapter_id)

    async def _read(self, count: int) -> None:
        """Move up to `count` messages from the queue and store those that are ours, or wait for one."""
        fetched = await self._own.fetch(count, Share(self._percent, self._intake.tasks))
        MESSAGES.add(self.queue, "left", number=fetched.moved - len(fetched.messages))
        if fetched.is_handed_back:
            await asyncio.sleep(min(WAIT_S, self._look_s))
        elif any(message.is_too_long for message in fetched.messages):
            await self._store_own()
        elif fetched.messages:
            await self._store(fetched.messages)
        elif not fetched.moved:
            await self._own.wait(min(WAIT_S, self._look_s))

    def _note_obstacle(self, obstacle: str) -> None:
        """Log when messages begin to stay on the queue, and when they are read again."""
        if obstacle and not self.obstacle:
            logger.error("Messages stay on Pod's queue.", queue=self.queue, reason=obstacle)
        elif self.obstacle and not obstacle:
            logger.info("There is room for messages again.", queue=self.queue)
        self.obstacle = obstacle

    async def waiting(self) -> int:
        """Count the messages that are still on Pod's queue. Raises RedisError."""
        return int(await self._broker.llen(self.queue))

    async def _take_over(self) -> None:
        """Take over the processing lists of adapters that are gone."""
        names = {name.decode() for name in await self._broker.smembers(keys.doors(self.queue))}
        names.discard(self._streams.adapter_id)
        for name in sorted(names - await self._streams.alive(names, self._lease_s)):
            count = await self._own.take_over(name)
            await self._broker.srem(keys.doors(self.queue), name)
            logger.info("The messages of an adapter that is gone were taken over.", adapter=name, count=count)

    async def _store_own(self) -> None:
        """Store all messages of the processing list, oldest first, and remove each one that is stored."""
        while batch := await self._own.oldest(BATCH):
            if batch[0].is_too_long:
                await self._set_aside(batch[0])
            else:
                await self._store(batch)

    async def _store(self, batch: Sequence[Message]) -> None:
        """Store the oldest messages of the processing list, and remove them from it.

        Whatever one of them holds, it becomes a dead letter and holds up no other.
        """
        read: list[tuple[Message, ItemT]] = []
        for message in batch:
            try:
                read.append((message, self._intake.read(message)))
            except Exception as error:  # noqa: BLE001 - a blind catch: anybody may write anything into a message
                await self._refuse(message, error)
        try:
            if read:
                await self._intake.store([item for _, item in read])
                MESSAGES.add(self.queue, "stored", number=len(read))
        except Exception as error:
            if is_transient(error):
                raise
            # one of them cannot be stored, such as for something else that lies where it should be
            await self._store_one_by_one(read)
        await self._own.remove(batch)

    async def _store_one_by_one(self, read: Sequence[tuple[Message, ItemT]]) -> None:
        for message, item in read:
            try:
                await self._intake.store([item])
                MESSAGES.add(self.queue, "stored")
            except Exception as error:
                if is_transient(error):
                    raise
                await self._refuse(message, error)

    async def _refuse(self, message: Message, error: Exception) -> None:
        """Turn a message into a dead letter. Raises RedisError."""
        if isinstance(error, InvalidRequestError):
            problem = Problem.of(error)
        else:
            logger.error("Internal error while a message was read or stored.", queue=self.queue, exc_info=error)
            detail = f"The message cannot be read or stored: {type(error).__name__}: {error}"
            problem = Problem.of(InvalidRequestError(detail))
        await self._dead_letters.add(self.queue, message.raw, problem)
        MESSAGES.add(self.queue, "refused")

    async def _set_aside(self, message: Message) -> None:
        """Move a message that is too long to a list of its own, without reading it. Raises RedisError."""
        where = keys.too_long(self.queue)
        problem = Problem.of(
            InvalidRequestError(
                f"The message has {message.size_bytes} bytes, but at most {READ_BYTES} are read. It is kept in the "
                f"broker's list {where}. Find out who sent it, then delete it there (LREM or DEL) and drop this entry."
            )
        )
        await self._dead_letters.add_beginning(self.queue, message.raw, message.digest, problem)
        await self._own.set_aside(message)
        MESSAGES.add(self.queue, "refused")
