"""The event that asks a function."""

from adapter.delivery.requests import request_event
from podjobs.contract.message_contracts import STEPS
from podjobs.contract.steps import Step
from support.jobs import encoding_job


def test_request_event_carries_the_step():
    job = encoding_job("job-1", 7, "/media/été.mp4")
    step = Step(job=job, step_id="plan", function="encoding", action="plan", attempt=2, accepted_at=1.5)
    event = request_event(STEPS, step, "one")
    assert (event.type, event.source) == ("fr.esup-portail.podjobs.step", "/podjobs/adapter/one")
    assert (event.id, event.subject) == ("job-1/plan/2", "job-1/plan")
    assert STEPS.read_request(event.type, event.data) == step
