"""The Celery door: messages move from Pod's queue into the job records, and are nowhere unsafe between.

    <queue> ──LMOVE──▶ <queue>:podjobs:<adapter> ──stored as jobs (or in `dead`)──▶ LREM

A crash between two arrows leaves the message in the processing list; this adapter finds it when Redis is back,
another one when this one's sign of life has run out. What is stored twice is dropped by its id.
"""

import asyncio
import base64
import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from redis.exceptions import RedisError

from adapter import keys
from adapter.connections import RedisClient
from adapter.door.messages import read_message
from adapter.patience import will_pass
from adapter.records import Records
from adapter.streams import Streams
from podjobs.contract.errors import InvalidRequestError, Problem
from podjobs.contract.jobs import Job, check_paths

logger = structlog.get_logger(__name__)

BATCH = 100
WAIT_S = 1
"""Longest wait for a message; a stop is noticed between two waits."""
REDIS_AWAY_WAIT_S = 0.5


@dataclass(frozen=True, slots=True)
class DoorRules:
    """Which jobs may come in, and when others' messages are taken over."""

    media_root: str
    """Pod's; jobs that name a path outside are refused."""
    types: frozenset[str]
    """Types of jobs that there is a function for."""
    lease_s: float
    """Seconds after which an adapter without a sign of life is gone."""

    def check(self, job: Job) -> None:
        """Refuse a job that is not to be taken in. Raises InvalidRequestError."""
        if job.type not in self.types:
            raise InvalidRequestError(
                f"There is no function for jobs of type {job.type!r} here. "
                f"Set PODJOBS_FUNCTION_URL_{job.type.upper()}, then replay this entry."
            )
        check_paths(job, self.media_root)


class CeleryDoor:
    """Takes in the messages of one queue."""

    def __init__(self, queue: str, broker: RedisClient, streams: Streams, records: Records, rules: DoorRules) -> None:
        """Prepare; `run` does the work.

        Args:
            queue: name of the broker's list.
            broker: the broker's database; its answers are bytes.
            streams: of this adapter; they know which adapters live.
            records: where jobs are stored.
            rules: which jobs may come in.
        """
        self.queue = queue
        self._broker = broker
        self._streams = streams
        self._records = records
        self._rules = rules
        self._own = keys.processing(queue, streams.adapter_id)
        self._stopping = False
        self.is_open = False
        """Messages are being taken in."""

    def stop(self) -> None:
        """Take nothing new; `run` ends when what was taken is stored."""
        self._stopping = True

    async def run(self) -> None:
        """Take messages in until stopped."""
        while not self._stopping:
            try:
                await self._run_while_redis_answers()
            except RedisError as error:
                self.is_open = False
                logger.warning("The queue cannot be read.", queue=self.queue, error=str(error))
                await asyncio.sleep(REDIS_AWAY_WAIT_S)

    async def _run_while_redis_answers(self) -> None:
        look_at = 0.0
        while not self._stopping:
            if time.monotonic() >= look_at:
                look_at = time.monotonic() + self._rules.lease_s / 2
                await self._announce()
                await self._take_over()
                await self._store_own()
                self.is_open = True
            if await self._fetch():
                await self._store_own()
        await self._broker.srem(keys.doors(self.queue), self._streams.adapter_id)

    async def _announce(self) -> None:
        """Say that this adapter may have a processing list: again and again, as others may have thought it gone."""
        await self._broker.sadd(keys.doors(self.queue), self._streams.adapter_id)

    async def _fetch(self) -> bool:
        """Move messages into the processing list, waiting a while for the first one."""
        first = await self._broker.blmove(self.queue, self._own, WAIT_S, "RIGHT", "LEFT")
        if first is None:
            return False
        async with self._broker.pipeline(transaction=False) as pipeline:
            for _ in range(BATCH - 1):
                pipeline.lmove(self.queue, self._own, "RIGHT", "LEFT")
            await pipeline.execute()
        return True

    async def _take_over(self) -> None:
        """Take over the processing lists of adapters that are gone."""
        names = {name.decode() for name in await self._broker.smembers(keys.doors(self.queue))}
        names.discard(self._streams.adapter_id)
        for name in sorted(names - await self._streams.alive(names)):
            count = 0
            while await self._broker.lmove(keys.processing(self.queue, name), self._own, "RIGHT", "LEFT"):
                count += 1
            await self._broker.srem(keys.doors(self.queue), name)
            logger.info("The messages of an adapter that is gone were taken over.", adapter=name, count=count)

    async def _store_own(self) -> None:
        """Store all messages of the processing list, the oldest first, and remove each one that is stored."""
        while batch := await self._broker.lrange(self._own, -BATCH, -1):
            batch.reverse()
            await self._store(batch)
            async with self._broker.pipeline(transaction=False) as pipeline:
                for raw in batch:
                    pipeline.lrem(self._own, -1, raw)
                await pipeline.execute()

    async def _store(self, batch: Sequence[bytes]) -> None:
        jobs: list[tuple[Job, bytes]] = []
        unusable: list[tuple[bytes, Problem]] = []
        for raw in batch:
            try:
                job = read_message(raw)
                self._rules.check(job)
                jobs.append((job, raw))
            except InvalidRequestError as error:
                unusable.append((raw, Problem.of(error)))
        await self._accept_all(jobs)
        for raw, problem in unusable:
            await self._bury(raw, problem)

    async def _accept_all(self, jobs: Sequence[tuple[Job, bytes]]) -> None:
        try:
            if jobs:
                await self._accept([job for job, _ in jobs])
        except RedisError as error:
            if will_pass(error):
                raise
            # one of them cannot be stored: it must not keep the others waiting
            await self._accept_one_by_one(jobs)

    async def _accept_one_by_one(self, jobs: Sequence[tuple[Job, bytes]]) -> None:
        for job, raw in jobs:
            try:
                await self._accept([job])
            except RedisError as error:
                if will_pass(error):
                    raise
                await self._bury(raw, Problem(title="The job cannot be stored.", status=500, detail=str(error)))

    async def _accept(self, jobs: Sequence[Job]) -> None:
        for job, accepted in zip(jobs, await self._records.accept(jobs), strict=True):
            log = logger.bind(job_id=job.id, type=job.type, target=job.target)
            if accepted.outcome == "duplicate":
                log.info("A message was dropped: its job is known already.")
                continue
            log.info("A job was accepted.")
            if accepted.superseded_id:
                log.info("An older job for the same target is superseded.", superseded=accepted.superseded_id)

    async def _bury(self, raw: bytes, problem: Problem) -> None:
        try:
            message = {"raw": raw.decode()}
        except UnicodeDecodeError:
            message = {"raw_base64": base64.b64encode(raw).decode()}
        await self._records.bury_message(self.queue, message, problem)
        logger.error(
            "A message cannot be used. It was put aside; `dead list` shows it.",
            queue=self.queue,
            reason=problem.detail,
        )
