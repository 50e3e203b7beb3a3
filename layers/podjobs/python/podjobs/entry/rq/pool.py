"""The workers of one server: RQ's pool, which starts again those that die."""

import os
import signal
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import structlog
from redis.exceptions import RedisError
from rq.serializers import JSONSerializer
from rq.worker_pool import ForkProcess, WorkerPool
from typing_extensions import override

from podjobs.backends.kernel import KernelRefusedError, die_with_parent
from podjobs.contract.redaction import redact
from podjobs.entry.rq.harness import Harness
from podjobs.entry.rq.horse import Horse
from podjobs.entry.rq.jobs import StepJob, StepQueue
from podjobs.entry.rq.pool_reports import PoolReports
from podjobs.entry.rq.worker import REDIS_RETRY_S, StepWorker
from podjobs.redis_connections import open_redis_sync

logger = structlog.get_logger(__name__)

NAME_CHARS = 8


@dataclass(frozen=True)
class PoolPlan:
    """What a pool runs."""

    source: Path
    """The function's main.py."""
    queue: str
    workers: int
    redis_url: str
    """May contain a password."""
    environment: Mapping[str, str]
    """Of the horses."""
    grace_s: float
    """How long running steps may take to end when the workers are stopped."""
    memory_bytes: int
    """A horse that holds more between two steps is replaced; 0: never."""


class FunctionPool(WorkerPool):
    """Workers of one function."""

    def __init__(self, plan: PoolPlan) -> None:
        """Prepare a pool; `serve` lets it work until the process is told to stop."""
        super().__init__(
            [plan.queue],
            open_redis_sync(plan.redis_url),
            num_workers=plan.workers,
            worker_class=StepWorker,
            serializer=JSONSerializer,
            job_class=StepJob,
            queue_class=StepQueue,
        )
        self._plan = plan
        self._reports = PoolReports(plan.queue, plan.source, plan.environment, open_redis_sync(plan.redis_url))

    @override
    def check_workers(self, respawn: bool = True) -> None:
        """Start again those that have died; tell how they are."""
        super().check_workers(respawn)
        self._reports.tend()

    def serve(self, logging_level: str) -> None:
        """Work until the process is told to stop."""
        try:
            self.start(logging_level=logging_level)
        finally:
            self._reports.end()

    @override
    def get_worker_process(self, name: str, *_: Any, **__: Any) -> BaseProcess:
        """Prepare a worker's process."""
        return ForkProcess(target=run_worker, args=(self._plan, name[:NAME_CHARS], os.getpid()))


def wait_for_redis(plan: PoolPlan) -> None:
    """Wait until Redis answers: a worker that starts before it does not have to be started again."""
    connection = open_redis_sync(plan.redis_url)
    shown = redact(plan.redis_url)
    is_told = False
    while True:
        try:
            connection.ping()
        except RedisError as error:
            remedy = "It is tried again. If the address is wrong, correct PODJOBS_RQ_URL."
            if not is_told:
                logger.warning("Redis does not answer.", redis=shown, error=redact(str(error)), remedy=remedy)
            is_told = True
            time.sleep(REDIS_RETRY_S)
        else:
            connection.close()
            return


def run_worker(plan: PoolPlan, name: str, pool_pid: int) -> None:
    """Be a worker until told to stop; what a pool's processes do.

    Args:
        plan: of the pool.
        name: tells it apart from all others of this server.
        pool_pid: the pool's process.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)  # until the worker has its own, not the pool's
    with suppress(KernelRefusedError):
        die_with_parent(signal.SIGTERM)
    if os.getppid() != pool_pid:
        return
    full_name = f"{socket.gethostname()}-{os.getpid()}-{name}"
    structlog.contextvars.bind_contextvars(worker=full_name)
    wait_for_redis(plan)
    harness = Harness(lambda: Horse(plan.source, plan.environment), plan.memory_bytes)
    StepWorker(plan.queue, open_redis_sync(plan.redis_url), full_name, harness, plan.grace_s).serve()
