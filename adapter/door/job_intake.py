"""The intake of jobs: Pod's messages become job records."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from redis.exceptions import RedisError

from adapter.door.celery import BATCH
from adapter.door.celery_jobs import read_job
from adapter.door.dead_letters import DeadLetters
from adapter.redis.redis_retry import is_transient
from adapter.steps.records import Records
from podjobs.contract.errors import InvalidRequestError, Problem
from podjobs.contract.jobs import Job
from podjobs.contract.media_paths import MediaPaths
from podjobs.contract.workflows import workflow_of

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class JobRules:
    """Which jobs are accepted."""

    paths: MediaPaths
    """Maps paths below Pod's media root; jobs that name one outside are refused."""
    functions: frozenset[str]
    """Names of the functions that are configured."""

    def check(self, job: Job) -> None:
        """Raise InvalidRequestError if a job must not be accepted."""
        function = workflow_of(job).function.name
        if function not in self.functions:
            raise InvalidRequestError(
                f"No function is configured for jobs of type {job.type!r}. "
                f"Set PODJOBS_FUNCTION_URL_{function.upper()}, then replay this dead letter."
            )


class JobIntake:
    """Stores the messages of one queue as jobs."""

    def __init__(self, queue: str, records: Records, rules: JobRules, dead_letters: DeadLetters) -> None:
        """Create the intake of one queue.

        Args:
            queue: whose messages are stored.
            records: where jobs are stored.
            rules: which jobs are accepted.
            dead_letters: where messages go that cannot be processed.
        """
        self._queue = queue
        self._records = records
        self._rules = rules
        self._dead_letters = dead_letters

    async def room(self) -> int:
        """There is always room: records are small, and Pod can only be notified about jobs that were accepted."""
        return BATCH

    async def store(self, batch: Sequence[bytes]) -> None:
        """Store messages; see Intake."""
        jobs: list[tuple[Job, bytes]] = []
        refused: list[tuple[bytes, Problem]] = []
        for raw in batch:
            try:
                job = read_job(raw, self._rules.paths)
                self._rules.check(job)
                jobs.append((job, raw))
            except InvalidRequestError as error:
                refused.append((raw, Problem.of(error)))
        await self._accept_all(jobs)
        for raw, problem in refused:
            await self._dead_letters.add(self._queue, raw, problem)

    async def _accept_all(self, jobs: Sequence[tuple[Job, bytes]]) -> None:
        try:
            if jobs:
                await self._accept([job for job, _ in jobs])
        except RedisError as error:
            if is_transient(error):
                raise
            # one of them cannot be stored: it must not hold up the others
            await self._accept_one_by_one(jobs)

    async def _accept_one_by_one(self, jobs: Sequence[tuple[Job, bytes]]) -> None:
        for job, raw in jobs:
            try:
                await self._accept([job])
            except RedisError as error:
                if is_transient(error):
                    raise
                problem = Problem(title="The job cannot be stored.", status=500, detail=str(error))
                await self._dead_letters.add(self._queue, raw, problem)

    async def _accept(self, jobs: Sequence[Job]) -> None:
        for job, accepted in zip(jobs, await self._records.accept(jobs), strict=True):
            log = logger.bind(job_id=job.id, type=job.type, target=job.target)
            if accepted.outcome == "duplicate":
                log.info("A message was dropped: its job is already known.")
                continue
            log.info("A job was accepted.")
            if accepted.superseded_id:
                log.info("An older job for the same target is superseded.", superseded=accepted.superseded_id)
