"""What the endpoint's answers are over HTTP."""

import json

import flask
import pytest
from werkzeug.test import EnvironBuilder

from podjobs.contract.errors import NotNowError, PermanentError, RetryableError
from podjobs.contract.message_contracts import STEPS
from podjobs.contract.plans import Result
from podjobs.contract.steps import STEP_EVENT_TYPE
from podjobs.entry.endpoint import Endpoint
from podjobs.entry.http import http_handler
from podjobs.events import Event, read_event, write_event
from support.jobs import encoding_job

STEP = {
    "job": encoding_job("job-1", 7, "/media/videos/été.mp4").model_dump(mode="json"),
    "step_id": "plan",
    "function": "encoding",
    "action": "plan",
    "accepted_at": 0,
}


class Fixed:
    def __init__(self, outcome):
        self.outcome = outcome

    def handle(self, _step):
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def ask(outcome):
    headers, body = write_event(Event(type=STEP_EVENT_TYPE, source="/x", data=json.dumps(STEP).encode()))
    request = flask.Request(EnvironBuilder(method="POST", headers=headers, data=body).get_environ())
    return http_handler(Endpoint("encoding", STEPS, Fixed(outcome), 1))(request)


def test_reply_is_an_event_in_binary_mode():
    response = ask(Result(log=("Fait : été.",)))
    assert (response.status_code, response.mimetype) == (200, "application/json")
    reply = read_event(response.headers, response.get_data())
    assert STEPS.read_reply(reply.type, reply.data) == Result(log=("Fait : été.",))
    assert reply.subject == "job-1/plan"


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (PermanentError("The reason."), 422, None),
        (RetryableError("The reason."), 500, None),
        (NotNowError("The reason."), 503, "5"),
        (NotNowError("The reason.", retry_after_s=59.6), 503, "60"),
        (NotNowError("The reason.", retry_after_s=None), 503, None),
    ],
)
def test_failure_is_a_problem_with_its_status_and_the_time_of_the_next_attempt(error, status, retry_after):
    response = ask(error)
    assert (response.status_code, response.mimetype) == (status, "application/problem+json")
    problem = json.loads(response.get_data())
    assert (problem["status"], problem["detail"], problem["title"]) == (status, "The reason.", error.title)
    assert response.headers.get("Retry-After") == retry_after
