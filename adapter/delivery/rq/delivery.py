"""Delivers over RQ: adds jobs, waits for their answers without asking for them, and looks after them every 5 s.

    deliver ──add──▶ rq:queue ──worker──▶ rq:results:<job> ──one blocking XREAD for all──▶ deliver returns
                                                             └ a bell wakes it when another job was added

RQ's own results are read, not a list of this adapter's: when an adapter dies, its successor delivers the step again,
finds the job of the attempt before, queued, at work or done, and takes its answer: the work is not done twice.

A queued job has no time-out: it waits for a worker. One at work is its worker's, which enforces the time-out; if the
worker dies, the looks notice.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic
from urllib.parse import urlsplit

import structlog
from redis.exceptions import RedisError

from adapter.cancellation import cancel_and_wait
from adapter.counts import REDIS_ERRORS
from adapter.delivery.answers import read_answer_message
from adapter.delivery.requests import request_event
from adapter.delivery.rq.jobs import RqJob, failed, job_ids, read_result, write_job
from adapter.delivery.rq.sightings import DEAD_S, LOOK_S, QUEUED, STARTED, JobSight, Sightings
from adapter.delivery.rq.store import RedisClient, RqStore
from adapter.liveness import Liveness
from adapter.redis_retry import retry_until_redis_answers
from podjobs.contract.message_contracts import MessageContract, ReplyT, RequestT

logger = structlog.get_logger(__name__)

LISTEN_S = 5.0
LISTEN_RETRY_S = 1.0
LARGE_BYTES = 100_000
"""Of a request that is written in a thread, as compressing it takes milliseconds."""
KEPT_S = 20.0
"""How long the job of an answer that was taken is kept: if this adapter dies before it has stored what it learned, the
next one takes it again."""
WARN_S = 600.0


@dataclass
class _Awaited:
    """A job whose answer is waited for."""

    answer: "asyncio.Future[Any]"
    waiting: int = 0
    """How many wait for it: one that had to be given back may be here again before it has ended."""
    is_added: bool = False


@dataclass
class _Workers:
    """What is known of the queue's workers."""

    liveness: Liveness = field(default_factory=Liveness)
    count: int | None = None
    """None: not yet known."""
    at_s: float = float("-inf")
    """When they were counted, by the monotonic clock."""
    warned_s: float = float("-inf")


class RqDelivery(Generic[RequestT, ReplyT]):
    """Invokes one function through a queue."""

    def __init__(
        self,
        url: str,
        contract: MessageContract[RequestT, ReplyT],
        adapter_id: str,
        margin_s: float,
        redis: RedisClient,
    ) -> None:
        """Create a delivery.

        Args:
            url: rq:<queue>.
            contract: the function's requests and replies.
            adapter_id: names the source of the events.
            margin_s: seconds beyond a request's own time limit after which its worker stops it.
            redis: of the queue; returns text. It is closed with the delivery.
        """
        self._queue = urlsplit(url).path
        self._contract = contract
        self._adapter_id = adapter_id
        self._margin_s = margin_s
        self._store = RqStore(redis, self._queue, adapter_id)
        self._awaited: dict[str, _Awaited] = {}
        self._taken: dict[str, float] = {}
        """Jobs whose answers were taken → when, by the monotonic clock."""
        self._sightings = Sightings()
        self._workers = _Workers()
        self._tasks: list[asyncio.Task[None]] = []

    async def deliver(self, request: RequestT) -> ReplyT:
        """Have a worker perform it. Raises: see Delivery.deliver."""
        self._start()
        job = await self._write(request)
        with self._waiting(job.id) as awaited:  # before it is added, so that the bell finds it
            job_id = await retry_until_redis_answers(lambda: self._store.add(job), "add a job to a queue of RQ")
            self._taken.pop(job_id, None)
            if job_id == job.id:
                awaited.is_added = True
                entry = await asyncio.shield(awaited.answer)
        if job_id != job.id:
            entry = await self._adopt(job_id)
        try:
            reply = read_answer_message(self._contract, read_result(entry))
        except BaseException:
            await self._remove([job_id])  # the next attempt is not to find it
            raise
        self._taken[job_id] = time.monotonic()
        return reply

    async def _adopt(self, job_id: str) -> Any:
        """Wait for the job of an earlier attempt."""
        logger.info("The job of an earlier attempt goes on.", rq_job=job_id)
        with self._waiting(job_id) as awaited:
            awaited.is_added = True
            await retry_until_redis_answers(self._store.ring, "wait for a job of RQ")
            return await asyncio.shield(awaited.answer)

    @contextmanager
    def _waiting(self, job_id: str) -> Iterator[_Awaited]:
        awaited = self._awaited.get(job_id) or _Awaited(asyncio.get_running_loop().create_future())
        self._awaited[job_id] = awaited
        awaited.waiting += 1
        try:
            yield awaited
        finally:
            awaited.waiting -= 1
            if not awaited.waiting and self._awaited.get(job_id) is awaited:
                del self._awaited[job_id]

    async def withdraw(self, request: RequestT) -> None:
        """Take a request back: what is queued is removed, what is at work is stopped."""
        try:
            for job_id in job_ids(request):
                await self._withdraw(job_id)
        except RedisError as error:
            logger.warning("Redis does not answer. A step that nobody needs any more goes on.", error=str(error))

    async def _withdraw(self, job_id: str) -> None:
        status, worker = await self._store.status(job_id)
        if status == QUEUED:
            if await self._store.give_up(job_id, QUEUED):
                return
            status, worker = await self._store.status(job_id)
        if status == STARTED and worker:
            logger.info("A step that nobody needs any more is stopped.", rq_job=job_id, worker=worker)
            await self._store.stop(job_id, worker)

    async def workers(self) -> int | None:
        """How many workers the queue has, as of some seconds ago; None: unknown."""
        if time.monotonic() - self._workers.at_s > LOOK_S:
            try:
                await self._count_workers()
            except RedisError as error:
                logger.debug("The workers cannot be counted.", queue=self._queue, error=str(error))
        return self._workers.count

    async def close(self) -> None:
        """Release the connections. Jobs that were added stay."""
        await cancel_and_wait(self._tasks)
        await self._remove(self._taken)
        await self._store.close()

    def _start(self) -> None:
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._look_after())]
            for task in self._tasks:
                task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """A bug of ours has ended a task without which no answer comes: the steps in flight fail, others begin anew."""
        if task.cancelled():
            return
        logger.error("Internal error in the delivery over RQ.", queue=self._queue, exc_info=task.exception())
        for other in self._tasks:
            other.cancel()
        self._tasks = []
        for job_id in tuple(self._awaited):
            self._give_up(job_id, f"Internal error in the adapter: {type(task.exception()).__name__}.")

    async def _write(self, request: RequestT) -> RqJob:
        event = request_event(self._contract, request, self._adapter_id)
        if len(event.data) < LARGE_BYTES:
            return write_job(event, request, self._queue, self._margin_s)
        return await asyncio.to_thread(write_job, event, request, self._queue, self._margin_s)

    async def _listen(self) -> None:
        """Hand answers to those who wait for them."""
        while True:
            try:
                results = await self._store.results(self._awaited, LISTEN_S)
            except RedisError as error:
                REDIS_ERRORS.add("rq")
                logger.warning("Redis does not answer. Answers of RQ are waited for.", error=str(error))
                await asyncio.sleep(LISTEN_RETRY_S)
                continue
            for job_id, entry in results.items():
                awaited = self._awaited.pop(job_id, None)
                if awaited is not None and not awaited.answer.done():
                    awaited.answer.set_result(entry)

    async def _look_after(self) -> None:
        """Notice jobs of which no answer will come."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self._look()
                await self._count_workers()
            except RedisError as error:
                self._sightings.forget()
                self._workers.liveness.forget()
                logger.warning("Redis does not answer. Jobs of RQ are looked after later.", error=str(error))

    async def _look(self) -> None:
        job_ids = [job_id for job_id, awaited in self._awaited.items() if awaited.is_added]
        seen = await self._store.look(job_ids) if job_ids else {}
        verdict = self._sightings.judge(seen, time.monotonic())
        for job_id, worker in verdict.orphaned.items():
            if await self._store.give_up(job_id, STARTED, worker):
                detail = f"The worker {worker!r} has died or lost its connection to Redis while it performed the "
                self._give_up(job_id, f"{detail}{self._contract.noun}.")
        for job_id in verdict.lost:
            self._give_up(job_id, f"RQ has lost the job of the {self._contract.noun}, or its result.")
        for job_id in verdict.stranded:
            logger.info("A worker died before it had begun a job, which is queued again.", rq_job=job_id)
            await self._store.put_back(job_id)
        await self._remove_taken()
        self._warn_of_no_workers(seen.values())

    def _give_up(self, job_id: str, detail: str) -> None:
        awaited = self._awaited.pop(job_id, None)
        if awaited is not None and not awaited.answer.done():
            awaited.answer.set_exception(failed(detail))

    async def _count_workers(self) -> None:
        now_s = time.monotonic()
        beats = await self._store.beats()
        alive = self._workers.liveness.look(beats, now_s, DEAD_S)
        self._workers.count = sum(1 for worker, beat in beats.items() if beat is not None and worker in alive)
        self._workers.at_s = now_s

    def _warn_of_no_workers(self, seen: Iterable[JobSight]) -> None:
        waiting = sum(1 for sight in seen if sight.status == QUEUED)
        now_s = time.monotonic()
        if waiting and self._workers.count == 0 and now_s - self._workers.warned_s >= WARN_S:
            self._workers.warned_s = now_s
            remedy = f"Start some: `scripts/podjobs worker {self._queue}` on a server that has the media."
            logger.warning("No worker pulls from a queue.", queue=self._queue, waiting=waiting, remedy=remedy)

    async def _remove_taken(self) -> None:
        oldest_s = time.monotonic() - KEPT_S
        old = [job_id for job_id, taken_s in self._taken.items() if taken_s < oldest_s]
        await self._remove(old)
        for job_id in old:
            self._taken.pop(job_id, None)

    async def _remove(self, job_ids: Iterable[str]) -> None:
        try:
            await self._store.remove(tuple(job_ids))
        except RedisError as error:
            logger.debug("Jobs of RQ were not removed; they expire.", error=str(error))
