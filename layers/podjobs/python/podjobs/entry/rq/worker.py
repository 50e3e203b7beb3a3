"""An RQ worker that does not fork for each job: its horse performs one after another.

RQ's own worker does the bookkeeping. What is different is written here: what a job is (jobs.py), who performs it
(harness.py), and what happens when

    the horse dies, or is out of time   the job fails at once, and the next one gets a new horse
    the job is stopped by a command     likewise
    Redis is away                       the worker waits, and what the horse has done is stored afterwards
    the worker is told to stop          the step may end within the grace time; then it is put back at the queue's front
    the function is not available       the worker pauses before it takes another step, so that others get it
"""

import signal
import time
from collections.abc import Callable
from http import HTTPStatus
from types import FrameType
from typing import Any

import structlog
from redis import Redis
from redis.client import PubSub, PubSubWorkerThread
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import DequeueTimeout, InvalidJobOperation
from rq.job import Job, JobStatus
from rq.registry import FailedJobRegistry, FinishedJobRegistry
from rq.serializers import JSONSerializer
from rq.utils import now
from rq.worker import Worker, WorkerStatus
from rq.worker_registration import WORKERS_BY_QUEUE_KEY, clean_worker_registry
from typing_extensions import override

from podjobs.contract.retry_after import read_retry_after
from podjobs.contract.rq_jobs import HEARTBEAT_S
from podjobs.entry.rq.harness import LOOK_S, Harness, StepEndedError
from podjobs.entry.rq.horse import HorseReply
from podjobs.entry.rq.jobs import JobRefusedError, NoDeathPenalty, StepJob, StepQueue

logger = structlog.get_logger(__name__)

TAKE_S = 2
"""How long a worker waits for a job until it looks whether it is to stop."""
TTL_S = 30
"""RQ forgets a worker a minute after this time without a heartbeat."""
REOPEN_S = 5.0
REDIS_RETRY_S = 1.0
SAME_SIGNAL_S = 1.0
"""A terminal's Ctrl-C reaches a worker twice: from the terminal, and from its pool."""
UNAVAILABLE = frozenset({HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS})
PAUSE_S, LONGEST_PAUSE_S = 5.0, 10.0


class StopError(Exception):
    """The worker is told to stop, and its grace time is over."""


class StepWorker(Worker):
    """Performs the jobs of one queue, one at a time."""

    job_class = StepJob
    queue_class = StepQueue
    death_penalty_class = NoDeathPenalty
    log_result_lifespan = False

    def __init__(self, queue: str, connection: Redis, name: str, harness: Harness, grace_s: float) -> None:
        """Create a worker; `serve` lets it work.

        Args:
            queue: the queue's name.
            connection: to Redis.
            name: of the worker, which no other has had.
            harness: performs the steps.
            grace_s: how long a running step may take to end when the worker is stopped.
        """
        super().__init__(
            [queue],
            name,
            connection=connection,
            serializer=JSONSerializer,
            worker_ttl=TTL_S,
            job_monitoring_interval=HEARTBEAT_S,
        )
        self._harness = harness
        self._grace_s = grace_s
        self._stop_asked_s = 0.0
        self._ends_s = float("inf")
        """When a running step is given up, by the monotonic clock."""
        self._beat_s = 0.0
        """When the last heartbeat was sent."""
        self._is_away = False
        """Whether Redis did not answer the last time."""

    def serve(self) -> None:
        """Work until the process is told to stop."""
        signal.signal(signal.SIGINT, self.request_stop)
        signal.signal(signal.SIGTERM, self.request_stop)
        try:
            self._until_redis_answers(self._register)
            while not self._stop_requested:
                try:
                    self._serve_one()
                    self._note_back()
                except RedisError as error:
                    self._note_away(error)
                    self._pause(REDIS_RETRY_S)
        except StopError:
            logger.info("The grace time is over.")
        finally:
            self._leave()

    @override
    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Note that the worker is to stop; a second signal lets the grace time end."""
        now_s = time.monotonic()
        if not self._stop_requested:
            self._stop_requested = True
            self._stop_asked_s = now_s
            self._ends_s = now_s + self._grace_s
        elif now_s - self._stop_asked_s > SAME_SIGNAL_S:
            self._ends_s = now_s

    @override
    def kill_horse(self, sig: signal.Signals = signal.SIGKILL) -> None:
        """Kill the horse; for RQ's commands, which come in another thread."""
        self._harness.kill()

    @override
    def _pubsub_exception_handler(self, exc: Exception, pubsub: PubSub, pubsub_thread: PubSubWorkerThread) -> None:
        """Go on listening to commands, whatever came: RQ would end, and steps could no longer be stopped."""
        if not isinstance(exc, Exception):
            raise exc
        logger.warning("A command could not be read. The worker listens for others.", error=repr(exc))
        time.sleep(REDIS_RETRY_S)

    @override
    def run_maintenance_tasks(self) -> None:
        """Forget dead workers and old results.

        Not as RQ does it: jobs without a heartbeat are the adapter's, which does not go by this machine's clock.
        """
        queue = self.queues[0]
        for registry in (FinishedJobRegistry, FailedJobRegistry):
            registry(queue=queue, job_class=StepJob).cleanup()
        clean_worker_registry(queue)
        self.last_cleaned_at = now()  # type: ignore[assignment]  # RQ declares None

    @override
    def execute_job(self, job: Job, queue: Queue) -> None:
        """Have a job performed, and store how it ended."""
        if not isinstance(job, StepJob):
            raise TypeError("A worker reads its jobs as StepJob.")
        job.origin = queue.name  # not what it says itself
        self._until_redis_answers(lambda: self._begin(job))
        try:
            reply = self._perform(job)
        except StopError:
            self._until_redis_answers(lambda: self._give_back(job, queue))
            return
        except (StepEndedError, JobRefusedError) as error:
            reason = str(error)
            self._until_redis_answers(lambda: self._fail(job, queue, reason))
        else:
            job._result, job.ended_at = reply.answer, now()  # noqa: SLF001 - as RQ's perform_job
            self._until_redis_answers(lambda: self.handle_job_success(job, queue, queue.started_job_registry))
            self._pause_if_unavailable(reply)
        self.set_state(WorkerStatus.IDLE)

    def _serve_one(self) -> None:
        """Perform a job, if one comes soon."""
        if self.should_run_maintenance_tasks:
            self.run_maintenance_tasks()
        self._beat_idle()
        if not self._harness.prepare(self._beat_idle):
            self._pause(REOPEN_S)
            return
        self._horse_pid = self._harness.pid
        try:
            taken = self.queue_class.dequeue_any(
                self.queues, TAKE_S, self.connection, self.job_class, self.serializer, self.death_penalty_class
            )
        except DequeueTimeout:
            return
        except ValueError as error:  # it has no valid name
            logger.warning("What is on the queue is no job.", reason=str(error))
            return
        if taken is not None:
            self.execute_job(*taken)

    def _perform(self, job: StepJob) -> HorseReply:
        """Have a job performed. Raises StepEndedError, JobRefusedError or StopError."""
        deadline_s = time.monotonic() + (job.timeout or 0)

        def check() -> None:
            now_s = time.monotonic()
            if now_s >= self._ends_s:
                raise StopError
            if now_s >= deadline_s:
                raise StepEndedError(f"The step did not end within {job.timeout} s and was stopped.")
            if now_s - self._beat_s >= HEARTBEAT_S:
                self._beat(job)

        return self._harness.perform(job.message, check)

    def _begin(self, job: StepJob) -> None:
        """Write down that this worker has a job; from now on the adapter watches this worker."""
        self.prepare_execution(job)
        self.prepare_job_execution(job, remove_from_intermediate_queue=True)
        self._beat_s = time.monotonic()

    def _beat(self, job: StepJob) -> None:
        self._beat_s = time.monotonic()
        try:
            self.maintain_heartbeats(job)
        except RedisError as error:
            logger.warning("Redis does not answer. The step goes on.", error=str(error))

    def _beat_idle(self) -> None:
        """Send a heartbeat if it is time. Raises StopError if the worker is to stop."""
        if self._stop_requested:
            raise StopError
        if time.monotonic() - self._beat_s >= HEARTBEAT_S:
            if not self._is_registered():
                logger.warning("Redis has forgotten the worker, which registers again.")
                self.connection.delete(self.key)
                self.register_birth()  # type: ignore[no-untyped-call]
            self.heartbeat()
            self._beat_s = time.monotonic()

    def _is_registered(self) -> bool:
        """Whether Redis knows the worker: it may have lost its data, or its clock was set, and what expires did so."""
        with self.connection.pipeline(transaction=False) as pipeline:
            pipeline.hexists(self.key, "birth")
            pipeline.sismember(self.redis_workers_keys, self.key)
            pipeline.sismember(WORKERS_BY_QUEUE_KEY % self.queues[0].name, self.key)
            return all(pipeline.execute())

    def _fail(self, job: StepJob, queue: Queue, reason: str) -> None:
        """Store that a job failed, or was stopped by a command."""
        if self._stopped_job_id == job.id:
            reason = "The step was stopped by a command."
        logger.warning("A job failed.", rq_job=job.id, reason=reason)
        job.ended_at = now()
        self.handle_job_failure(job, queue, exc_string=reason)
        try:
            is_stored = job.get_status() != JobStatus.STARTED
        except InvalidJobOperation:
            return  # somebody has removed it
        if not is_stored:  # RQ takes a broken connection for good
            raise RedisConnectionError("the failure of a job was not stored")

    def _give_back(self, job: StepJob, queue: Queue) -> None:
        """Put a job back at the front of its queue, as if it had not been taken."""
        if not self.connection.exists(job.key):
            return  # nobody waits for it
        with self.connection.pipeline() as pipeline:
            self.cleanup_execution(job, pipeline)
            pipeline.hset(job.key, mapping={"status": JobStatus.QUEUED.value, "worker_name": ""})
            pipeline.lpush(queue.key, job.id)
            pipeline.execute()
        logger.info("The step was given back: another worker begins it anew.", rq_job=job.id)

    def _pause_if_unavailable(self, reply: HorseReply) -> None:
        if reply.answer.get("statusCode") in UNAVAILABLE:
            headers: dict[str, Any] = reply.answer.get("headers", {})
            self._pause(min(read_retry_after(headers.get("Retry-After")) or PAUSE_S, LONGEST_PAUSE_S))

    def _register(self) -> None:
        self.connection.delete(self.key)  # of an attempt whose answer was lost
        self.bootstrap("WARNING")

    def _leave(self) -> None:
        self._harness.release()
        try:
            self.teardown()  # type: ignore[no-untyped-call]
        except RedisError as error:
            logger.warning("Redis does not answer: it forgets the worker by itself.", error=str(error))

    def _until_redis_answers(self, operation: Callable[[], Any]) -> None:
        """Repeat what is safe to repeat until Redis accepts it. Raises StopError when the grace time is over."""
        while True:
            try:
                operation()
            except RedisError as error:
                if time.monotonic() >= self._ends_s:
                    raise StopError from error
                self._note_away(error)
                time.sleep(REDIS_RETRY_S)
            else:
                self._note_back()
                return

    def _note_away(self, error: RedisError) -> None:
        """Say once that the worker waits, however long that takes."""
        if not self._is_away:
            logger.warning("Redis does not answer. The worker waits for it.", error=str(error))
        self._is_away = True

    def _note_back(self) -> None:
        if self._is_away:
            logger.info("Redis answers again.")
        self._is_away = False

    def _pause(self, pause_s: float) -> None:
        """Wait, unless the worker is to stop."""
        until_s = time.monotonic() + pause_s
        while not self._stop_requested and time.monotonic() < until_s:
            time.sleep(LOOK_S)
