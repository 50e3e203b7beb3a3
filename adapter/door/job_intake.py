"""The intake of jobs: Pod's messages become job records."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import structlog

from adapter.door.celery import BATCH
from adapter.door.celery_jobs import JOB_TASKS, read_job
from adapter.door.envelope import read_traceparent
from adapter.door.processing_list import Message
from adapter.door.room import DeadBound, Room
from adapter.steps.records import Records
from podjobs.contract.errors import InvalidRequestError
from podjobs.contract.jobs import Job
from podjobs.contract.media_paths import MediaPaths
from podjobs.contract.workflows import workflow_of

logger = structlog.get_logger(__name__)


class Requested(NamedTuple):
    """A job that was requested."""

    job: Job
    position: int
    """Its place in the order of all requests."""
    traceparent: str = ""
    """The trace that its sender has begun; empty: none."""


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
    """Stores messages as jobs."""

    tasks = JOB_TASKS

    def __init__(self, records: Records, rules: JobRules, dead_bound: DeadBound) -> None:
        """Create the intake.

        Args:
            records: where jobs are stored.
            rules: which jobs are accepted.
            dead_bound: how many dead letters there may be.
        """
        self._records = records
        self._rules = rules
        self._dead_bound = dead_bound

    async def room(self) -> Room:
        """See Intake. Records are small, and Pod can only be notified about jobs that were accepted: they have room."""
        obstacle = await self._dead_bound.obstacle()
        return Room(0 if obstacle else BATCH, obstacle)

    def read(self, message: Message) -> Requested:
        """See Intake."""
        job = read_job(message.raw, self._rules.paths)
        self._rules.check(job)
        return Requested(job, message.position, read_traceparent(message.raw))

    async def store(self, items: Sequence[Requested]) -> None:
        """Store jobs; see Intake."""
        jobs = [requested.job for requested in items]
        answers = await self._records.accept(
            jobs, [requested.position for requested in items], [requested.traceparent for requested in items]
        )
        for job, accepted in zip(jobs, answers, strict=True):
            log = logger.bind(job_id=job.id, type=job.type, target=job.target)
            match accepted.outcome:
                case "duplicate":
                    log.info("A message was dropped: its job is already known.")
                case "superseded":
                    log.info("A job came too late: a newer one for its target was accepted.", newer=accepted.other_id)
                case _:
                    log.info("A job was accepted.")
            if accepted.outcome == "accepted" and accepted.other_id:
                log.info("An older job for the same target is superseded.", superseded=accepted.other_id)
