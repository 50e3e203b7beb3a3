"""What a function's answer means for its step."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from cloudevents.http import from_http

from adapter.delivery import StepFailedError, StepPostponedError, StepRefusedError
from adapter.delivery.http import read_answer, write_request
from podjobs.contract.exchanges import STEPS
from podjobs.contract.plans import Result
from podjobs.contract.retry_after import read_retry_after
from podjobs.contract.steps import Step
from support.jobs import encoding_job

EVENT = {
    "ce-specversion": "1.0",
    "ce-id": "1",
    "ce-source": "/function",
    "ce-type": "fr.esup-portail.podjobs.result",
    "Content-Type": "application/json",
}
RESULT = b'{"values": {"frames": 3}}'
PROBLEM = {"content-type": "application/problem+json; charset=utf-8"}


def problem(status):
    return json.dumps({"title": "No.", "status": status, "detail": "The reason."}).encode()


def test_read_answer_event_in_binary_mode():
    assert read_answer(STEPS, 200, EVENT, RESULT) == Result(values={"frames": 3})


def test_read_answer_event_in_structured_mode():
    event = {name.removeprefix("ce-"): value for name, value in EVENT.items() if name.startswith("ce-")}
    body = json.dumps(event | {"datacontenttype": "application/json", "data": json.loads(RESULT)}).encode()
    reply = read_answer(STEPS, 201, {"content-type": "application/cloudevents+json"}, body)
    assert reply == Result(values={"frames": 3})


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind", "reason"),
    [
        (422, PROBLEM, problem(422), StepRefusedError, "The reason."),
        (400, PROBLEM, problem(400), StepRefusedError, "The reason."),
        (404, PROBLEM, problem(404), StepRefusedError, "The reason."),  # the function itself says so
        (404, {}, b"<h1>nginx</h1>", StepFailedError, "status 404: '<h1>nginx</h1>'"),  # somebody before it
        (401, {}, b"", StepFailedError, "status 401"),
        (413, {}, b"", StepRefusedError, "status 413"),
        (408, {}, b"", StepFailedError, "status 408"),
        (425, {}, b"", StepFailedError, "status 425"),
        (429, {}, b"", StepPostponedError, "status 429"),
        (503, PROBLEM, problem(503), StepPostponedError, "The reason."),
        (500, PROBLEM, problem(500), StepFailedError, "The reason."),
        (502, {}, b"x" * 9999, StepFailedError, "status 502"),
        (302, {"location": "/"}, b"", StepFailedError, "status 302"),
        (500, PROBLEM, b"{}", StepFailedError, "status 500"),
        (200, {}, b"ok", StepFailedError, "is no reply"),
        (200, EVENT, b"", StepFailedError, "is no reply"),
        (200, EVENT, b'{"stages": []}', StepFailedError, "is no reply"),
        (200, EVENT | {"ce-type": "fr.esup-portail.podjobs.plan"}, RESULT, StepFailedError, "is no reply"),
        (200, EVENT | {"ce-type": "something.else"}, RESULT, StepFailedError, "'something.else' answers no step"),
        (204, EVENT, b"null", StepFailedError, "is no reply"),
    ],
)
def test_read_answer_that_is_no_reply_says_whether_a_retry_helps(status, headers, body, kind, reason):
    with pytest.raises(kind) as caught:
        read_answer(STEPS, status, headers, body)
    assert reason in caught.value.problem.detail
    assert len(caught.value.problem.detail) < 1000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("7", 7),
        ("0.5", 0.5),
        ("999999999", 86_400),
        ("-3", None),
        ("soon", None),
        ("", None),
        ("nan", None),
        (format_datetime(datetime(2020, 1, 1, tzinfo=UTC), usegmt=True), 0),
    ],
)
def test_read_retry_after(text, seconds):
    assert read_retry_after(text) == seconds


def test_read_retry_after_date_is_counted_from_now():
    date = format_datetime(datetime.now(tz=UTC) + timedelta(seconds=100), usegmt=True)
    assert read_retry_after(date) == pytest.approx(99.5, abs=1.5)


def test_write_request_is_an_event_that_carries_the_step():
    job = encoding_job("job-1", 7, "/media/été.mp4")
    step = Step(job=job, step_id="plan", function="encoding", action="plan", attempt=2, accepted_at=1.5)
    headers, body = write_request(step, STEPS.request_type, "/podjobs/adapter/one")
    event = from_http(headers, body)
    assert event["type"] == "fr.esup-portail.podjobs.step"
    assert (event["id"], event["subject"]) == ("job-1/plan/2", "job-1/plan")
    assert Step.model_validate(event.data) == step
