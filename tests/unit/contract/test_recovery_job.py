"""The recovery job's form: what older versions have written is read, and they read what they can do."""

import pytest
from pydantic import ValidationError

from podjobs.contract.jobs import Job, RecoveryJob
from podjobs.contract.reply_to import Nobody
from podjobs.contract.steps import Step
from podjobs.contract.workflows import read_job

OLD = {
    "type": "recovery",
    "id": "r",
    "target": "work",
    "known": ["a"],
    "known_at": 1.5,
    "reply_to": {"channel": "nobody"},
}


def recovery(*, dry_run):
    return RecoveryJob(id="r", target="work", known=("a",), known_at=1.5, dry_run=dry_run, reply_to=Nobody())


def test_recovery_job_of_an_older_version_removes_as_it_did():
    assert read_job(OLD) == recovery(dry_run=False)


def test_recovery_job_that_removes_is_written_as_older_versions_wrote_it():
    step = Step(function="encoding", step_id="plan", action="plan", accepted_at=0, job=recovery(dry_run=False))
    for written in (step.job.model_dump(mode="json"), step.model_dump(mode="json")["job"]):
        assert written == OLD | {"refusal": None}


def test_recovery_job_of_a_dry_run_is_kept_on_the_wire():
    step = Step(function="encoding", step_id="plan", action="plan", accepted_at=0, job=recovery(dry_run=True))
    assert Step.model_validate_json(step.model_dump_json()).job == step.job


def test_recovery_job_of_a_dry_run_is_refused_by_a_function_that_does_not_know_dry_runs():
    """Rather than that it removes something."""

    class OlderJob(Job):
        known: tuple[str, ...]
        known_at: float

    with pytest.raises(ValidationError, match="dry_run"):
        OlderJob.model_validate_json(recovery(dry_run=True).model_dump_json())
