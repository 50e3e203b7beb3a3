"""Performs the step that brings a job's files into the media storage, whatever the job's type.

    fetch → (fetch-2 → fetch-3 …) → the first stage of the job's own type

A step that runs out of time replies with a plan of a further one, which goes on where it has ended.
"""

import contextlib
import functools
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from podjobs.contract.errors import PermanentError
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.jobs import EncodingJob, Job, RemoteFile
from podjobs.contract.plans import Plan, Stage, StepSpec
from podjobs.contract.ports.storage import Storage
from podjobs.contract.ports.web import Web
from podjobs.contract.steps import Step
from podjobs.contract.workflows import ENCODING, FETCH, FETCH_TIMEOUT_S, workflow_of
from podjobs.fetch_settings import FetchSettings
from podjobs.fetching.download import Downloads
from podjobs.fetching.receiving import Limits, shown

SHARE = 0.75
"""Of a step's time, for receiving; the rest is for storing what was received, and for joining the parts."""

Continuation = Callable[[Any, Storage], tuple[Job, Stage]]
"""What follows once a job's files are there: the job as it goes on, perhaps with more to fetch, and its first stage.
Raises StepError."""
FETCH_MORE = "fetch-more"
"""The id of the step that fetches what was found in a file that was fetched."""


class FetchParams(BaseModel):
    """The parameters of a fetch step."""

    model_config = ConfigDict(frozen=True)

    name: str = FETCH
    """Of the first one; the ids of further ones begin with it."""
    number: int = 1
    spent_s: float = 0.0
    """By the steps before."""


def fetch_stage(params: FetchParams) -> Stage:
    """A stage that fetches what is not there yet."""
    step_id = params.name if params.number == 1 else f"{params.name}-{params.number}"
    step = StepSpec(
        id=step_id,
        function=ENCODING.name,
        action=FETCH,
        params=params.model_dump(exclude_defaults=True),
        weight=5,
        timeout_s=FETCH_TIMEOUT_S,
    )
    return Stage(name=FETCH, steps=(step,))


class FetchFunction:
    """Performs the fetch steps of all jobs."""

    def __init__(
        self,
        open_web: Callable[[], Web],
        storage: Storage,
        settings: FetchSettings,
        continuations: Mapping[type[Job], Continuation] | None = None,
    ) -> None:
        """Take the backends, the settings, and what follows for jobs that do not begin with their own first stage.

        Args:
            open_web: called when the first file is fetched: most jobs need none.
            storage: where files are put.
            settings: from where, how much and how long.
            continuations: by the type of job.
        """
        self._open_web, self._storage, self._settings = functools.cache(open_web), storage, settings
        self._continuations = continuations or {}

    def handle(self, step: Step) -> Plan:
        """Fetch what is not there yet, then plan what follows; safe to repeat.

        Raises:
            PermanentError: a file cannot be fetched, is too large, or all of them take too long.
            NotNowError: a server is not available.
            RetryableError: the job has ended; or nothing is gained.
        """
        started_s, job, params = time.monotonic(), step.job, FetchParams.model_validate(step.params)
        if params == FetchParams():
            self._storage.start_work(job.id, f"{job.type} of {job.target}")
        limits = Limits(started_s + step.timeout_s * SHARE, int(self._settings.podjobs_fetch_max_gb * (1 << 30)))
        downloads = Downloads(job.id, self._open_web(), self._storage, limits)
        for number, remote in enumerate(job.fetch):
            with _told_as(find_kind(job, remote)):
                is_there = downloads.fetch(remote, f"{params.name}-{number}")
            if not is_there:
                return self._go_on(params, params.spent_s + time.monotonic() - started_s)
        log = tuple(
            f"Fetched: {shown(one.url)}, {self._storage.size_bytes(one.key) / 1e6:.1f} MB." for one in job.fetch
        )
        after, stage = self._find_next(job)
        if after.fetch != job.fetch:
            stage = fetch_stage(FetchParams(name=FETCH_MORE))
        changed = None if after == job else after.model_dump(mode="json")
        return Plan(stages=(stage,), job=changed, log=log)

    def _find_next(self, job: Job) -> tuple[Job, Stage]:
        proceed = self._continuations.get(type(job))
        return proceed(job, self._storage) if proceed else (job, workflow_of(job).first_stage)

    def _go_on(self, params: FetchParams, spent_s: float) -> Plan:
        if spent_s > self._settings.podjobs_fetch_max_s:
            raise PermanentError(
                f"The files of this job take longer to be fetched than the {self._settings.podjobs_fetch_max_s} s that "
                "PODJOBS_FETCH_MAX_S allows. Look why their server is so slow, or allow more.",
                kind=FailureKind.SERVICE,
            )
        further = params.model_copy(update={"number": params.number + 1, "spent_s": round(spent_s, 1)})
        return Plan(stages=(fetch_stage(further),))


def find_kind(job: Job, remote: RemoteFile) -> FailureKind | None:
    """What people are told if a file cannot be fetched; None: that follows from the error, as for the source."""
    if not isinstance(job, EncodingJob) or job.dressing is None:
        return None
    kinds = {
        job.dressing.watermark: FailureKind.WATERMARK,
        job.dressing.opening: FailureKind.OPENING_CREDITS,
        job.dressing.ending: FailureKind.ENDING_CREDITS,
    }
    return kinds.get(remote.key)


@contextlib.contextmanager
def _told_as(kind: FailureKind | None) -> Iterator[None]:
    try:
        yield
    except PermanentError as error:
        error.kind = kind or error.kind
        raise
