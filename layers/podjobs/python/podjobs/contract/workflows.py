"""How each type of job begins, and how it ends when it cannot be done or is no longer wanted."""

from podjobs.contract.jobs import Job, TranscriptionJob
from podjobs.contract.steps import Stage, StepSpec

PLAN_TIMEOUT_S = 120
TRANSCRIPTION_PLAN_TIMEOUT_S = 900
"""The plan listens into the whole file, with a model that may have to be loaded first."""
NOTIFICATION_TIMEOUT_S = 600
"""Pod imports an encoded video inside the request; that can take minutes."""


def first_stage(job: Job) -> Stage:
    """The stage every job of this type starts with: its one step replies with the plan."""
    timeout_s = TRANSCRIPTION_PLAN_TIMEOUT_S if isinstance(job, TranscriptionJob) else PLAN_TIMEOUT_S
    return Stage(name="plan", steps=(StepSpec(id="plan", function=job.type, action="plan", timeout_s=timeout_s),))


def notification_stage(job: Job) -> Stage:
    """The stage that tells Pod."""
    step = StepSpec(
        id="notify",
        function="notification",
        action=job.type,
        timeout_s=NOTIFICATION_TIMEOUT_S,
        needs=("captions",) if isinstance(job, TranscriptionJob) else (),
    )
    return Stage(name="notify", steps=(step,))


def failure_stages(job: Job) -> tuple[Stage, ...]:
    """What is left to do when the job has failed for good: leave a report where Pod looks, then tell Pod.

    Source: docs/contract-pod.md: Pod has no call for «failed»; without this the video stays «in progress».
    """
    report = StepSpec(id="report", function=job.type, action="report", timeout_s=PLAN_TIMEOUT_S)
    notify = StepSpec(id="notify-failure", function="notification", action=job.type, timeout_s=NOTIFICATION_TIMEOUT_S)
    return (Stage(name="report", steps=(report,)), Stage(name="notify", steps=(notify,)))


def discard_stages(job: Job) -> tuple[Stage, ...]:
    """What is left to do when a newer job has superseded this one: remove its work files."""
    return (
        Stage(
            name="discard",
            steps=(StepSpec(id="discard", function=job.type, action="discard", timeout_s=PLAN_TIMEOUT_S),),
        ),
    )
