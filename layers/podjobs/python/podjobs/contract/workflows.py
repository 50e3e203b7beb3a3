"""The table of job types: for each its model, its function, its limits, and how it begins and ends.

Everything that needs to know which job types exist reads this table: the doors, the adapter's settings, the stack on
one machine, the documentation. A new job type is a new row.
"""

from collections.abc import Container
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, SerializeAsAny, ValidationError

from podjobs.contract.errors import list_faults
from podjobs.contract.jobs import EncodingJob, Job, RecoveryJob, StudioJob, TranscriptionJob
from podjobs.contract.plans import Stage, StepSpec
from podjobs.contract.statements import XAPI_FUNCTION

SHORT_TIMEOUT_S = 120
"""For steps that examine a file or write a small one."""
NOTIFICATION_TIMEOUT_S = 600
"""Pod imports an encoded video inside the request; that can take minutes."""


NOTIFY = "notify"
"""The name of the last stage: all else is done."""
ENDINGS = frozenset({"report", "discard", "withdraw"})
"""The actions that end a job which cannot, or need not, be done: they need no source."""


@dataclass(frozen=True, slots=True)
class Function:
    """A deployable, and the defaults of the adapter's settings for it."""

    name: str
    concurrency: int | None
    """Requests that run in parallel; None: as many as there are processors."""
    attempts: int | None
    """Attempts of one request before it fails for good; None: it is retried until it succeeds."""
    queue: str = ""
    """Pod's Celery queue for its work; empty: there is none."""
    attempts_note: str = ""
    """What administrators should know about the number of attempts."""
    enabled_by: str = ""
    """The setting without which it has nothing to do: it runs if this one is set. Empty: it always runs."""


@dataclass(frozen=True, slots=True)
class Workflow:
    """One job type: which function performs it, how it begins, and how it ends if it fails."""

    job: type[Job]
    function: Function
    plan_timeout_s: int = SHORT_TIMEOUT_S
    """For the first step."""
    notification_needs: tuple[str, ...] = ()
    """Actions whose results the notification step receives."""

    @property
    def type(self) -> str:
        """The job type's name."""
        return str(self.job.model_fields["type"].default)

    @property
    def first_stage(self) -> Stage:
        """The first stage of every job of this type: its only step replies with the plan."""
        return self._stage("plan", timeout_s=self.plan_timeout_s)

    def first_stage_of(self, job: Job) -> Stage:
        """The first stage of a job: what it needs is fetched, if it is not in the media storage; then it is planned."""
        return FETCH_STAGE if job.fetch else self.first_stage

    @property
    def notification_stage(self) -> Stage:
        """The last stage of a plan: the job's sender is notified."""
        return Stage(name=NOTIFY, steps=(self._notification_step(NOTIFY, self.notification_needs),))

    @property
    def failure_stages(self) -> tuple[Stage, ...]:
        """What is left to do once the job has failed for good: leave a report, then notify.

        Source: docs/contract-pod.md: Pod has no call for «failed»; without this the video stays «in progress».
        """
        notify = Stage(name=NOTIFY, steps=(self._notification_step("notify-failure", ("report",)),))
        return (self._stage("report"), notify)

    @property
    def withdraw_stages(self) -> tuple[Stage, ...]:
        """What is left to do once the video was deleted: remove all files of the job, also those it has published."""
        return (self._stage("withdraw"),)

    @property
    def discard_stages(self) -> tuple[Stage, ...]:
        """What is left to do once a newer job has superseded this one: remove its work files."""
        return (self._stage("discard"),)

    def _stage(self, action: str, timeout_s: int = SHORT_TIMEOUT_S) -> Stage:
        step = StepSpec(id=action, function=self.function.name, action=action, timeout_s=timeout_s)
        return Stage(name=action, steps=(step,))

    def _notification_step(self, step_id: str, needs: tuple[str, ...]) -> StepSpec:
        return StepSpec(
            id=step_id,
            function=NOTIFICATION.name,
            action=self.type,
            timeout_s=NOTIFICATION_TIMEOUT_S,
            needs=needs,
        )


ENCODING = Function("encoding", concurrency=None, attempts=5, queue="encoding")
"""Encodes videos, and looks after the media storage."""
NOTIFICATION = Function(
    "notification", concurrency=4, attempts=200, attempts_note="With 200, Pod may be down for 32 hours."
)
"""Notifies the sender of every job."""
FETCH_TIMEOUT_S = 840
"""For a step that fetches files; one that is not ready by then goes on with a further step."""
FETCH = "fetch"
FETCH_STAGE = Stage(
    name=FETCH,
    steps=(StepSpec(id=FETCH, function=ENCODING.name, action=FETCH, weight=5, timeout_s=FETCH_TIMEOUT_S),),
)
"""What a job needs is fetched into the media storage, whatever its type; the reply plans the job's own first stage."""
LOCATE = "locate"
LOCATE_STEP = StepSpec(
    id=LOCATE, function=NOTIFICATION.name, action=LOCATE, weight=0.1, timeout_s=NOTIFICATION_TIMEOUT_S
)
"""Added to a job when one of its steps does not find the source: only who requested the job knows where it is."""
PROGRESS = "progress"
"""The notification's action that tells whoever requested a job that it goes on."""
PROGRESS_STEP = StepSpec(id=PROGRESS, function=NOTIFICATION.name, action=PROGRESS, weight=0.1, timeout_s=60)
"""Beside the longest steps of a job: those that follow wait for it, too, and it may have to wait for a free slot."""
TOPIC = "topic"
TOPIC_STEP = StepSpec(id=TOPIC, function=NOTIFICATION.name, action=TOPIC, weight=0.1, timeout_s=SHORT_TIMEOUT_S)
"""In plans of transcriptions: only who requested the job knows what the video is about."""
DISPENSABLE = frozenset({TOPIC})
"""The actions without which a job goes on: a step that fails for good counts as done, without a result."""
XAPI = Function(XAPI_FUNCTION, concurrency=4, attempts=None, queue="xapi", enabled_by="XAPI_LRS_URL")
"""Posts statements to the LRS. They are not jobs: see statements.py."""


def _by_type(*workflows: Workflow) -> dict[str, Workflow]:
    return {workflow.type: workflow for workflow in workflows}


WORKFLOWS: dict[str, Workflow] = _by_type(
    Workflow(EncodingJob, ENCODING, notification_needs=("publish",)),
    # composing and encoding read the same sources by the same tools: one deployable performs both
    Workflow(StudioJob, ENCODING, notification_needs=("publish",)),
    # nobody requests it: the adapter looks for what is left of unknown jobs (adapter/steps/recovery.py)
    Workflow(RecoveryJob, ENCODING),
    Workflow(
        TranscriptionJob,
        Function(
            "transcription",
            concurrency=None,
            attempts=5,
            queue="transcripting",
            enabled_by="TRANSCRIPTION_MODEL_PARAM",
        ),
        # the plan samples the whole file, with a model that may have to be loaded first
        plan_timeout_s=900,
        notification_needs=("captions",),
    ),
)
"""The table: job type → its row."""


def workflow_of(job: Job) -> Workflow:
    """Look up the row of a job's type."""
    return WORKFLOWS[job.type]


def step_functions() -> tuple[Function, ...]:
    """List the functions that steps of jobs are delivered to, each once."""
    return tuple(dict.fromkeys((*(workflow.function for workflow in WORKFLOWS.values()), NOTIFICATION)))


def all_functions() -> tuple[Function, ...]:
    """List all functions."""
    return (*step_functions(), XAPI)


def celery_queues(functions: Container[str]) -> tuple[str, ...]:
    """List Pod's Celery queues for the jobs of these functions, each once."""
    wanted = (workflow.function for workflow in WORKFLOWS.values() if workflow.function.name in functions)
    return tuple(dict.fromkeys(function.queue for function in wanted if function.queue))


def read_job(value: Any) -> Job:
    """Read a job of any type.

    Args:
        value: parsed JSON, or a job.

    Raises:
        ValueError: it is not a job; the message names each invalid field.
    """
    if isinstance(value, Job):
        return value
    type_ = value.get("type") if isinstance(value, dict) else None
    if not isinstance(type_, str) or type_ not in WORKFLOWS:
        raise ValueError(f"the job has the type {type_!r}, expected one of: {', '.join(WORKFLOWS)}")
    try:
        return WORKFLOWS[type_].job.model_validate(value)
    except ValidationError as error:
        raise ValueError(list_faults(error)) from error


AnyJob = Annotated[SerializeAsAny[Job], BeforeValidator(read_job)]
"""A job of any type of the table."""
