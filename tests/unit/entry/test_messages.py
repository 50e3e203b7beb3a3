"""Functions without HTTP: an event in an object, an answer in another, which the adapter reads."""

import json

import pytest

from adapter.delivery import FunctionBusyError, StepFailedError, StepRefusedError
from adapter.delivery.answers import read_answer_message
from podjobs.contract.bounds import REQUEST_BYTES
from podjobs.contract.errors import NotNowError, PermanentError, RetryableError
from podjobs.contract.message_contracts import STEPS
from podjobs.contract.plans import Result
from podjobs.contract.steps import STEP_EVENT_TYPE
from podjobs.entry.endpoint import Endpoint
from podjobs.entry.messages import message_handler
from podjobs.events import Event, write_message
from podjobs.settings import EndpointSettings
from support.jobs import encoding_job

STEP = {
    "job": encoding_job("job-1", 7, "/media/videos/été.mp4").model_dump(mode="json"),
    "step_id": "plan",
    "function": "encoding",
    "action": "plan",
    "accepted_at": 0,
}
MESSAGE = write_message(Event(type=STEP_EVENT_TYPE, source="/x", subject="job-1/plan", data=json.dumps(STEP).encode()))


class Fixed:
    def __init__(self, outcome):
        self.outcome = outcome

    def handle(self, step):
        assert step.job.source.endswith("été.mp4")
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def ask(outcome, message=MESSAGE):
    handle = message_handler(Endpoint("encoding", STEPS, Fixed(outcome), 1), EndpointSettings())
    # as it travels
    return json.loads(json.dumps(handle(json.loads(json.dumps(message)))))


def test_reply_of_a_function_without_http_is_read_by_the_adapter():
    answer = ask(Result(log=("Fait : été.",)))
    assert answer["statusCode"] == 200
    reply = read_answer_message(STEPS, answer)
    assert isinstance(reply, Result)
    assert reply.log == ("Fait : été.",)
    assert reply.usage is not None
    assert reply.usage.memory_bytes > 0


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (PermanentError("Broken."), StepRefusedError),
        (RetryableError("Not this time."), StepFailedError),
        (NotNowError("No memory.", retry_after_s=7), FunctionBusyError),
    ],
)
def test_failure_of_a_function_without_http_means_what_it_means_over_http(failure, error):
    with pytest.raises(error, match=str(failure)) as raised:
        read_answer_message(STEPS, ask(failure))
    assert getattr(raised.value, "retry_after_s", None) == (7 if error is FunctionBusyError else None)


@pytest.mark.parametrize(
    "message",
    [None, [], "text", {}, {**MESSAGE, "type": 7}, {**MESSAGE, "specversion": "0.3"}, {"x": "y" * (REQUEST_BYTES + 1)}],
)
def test_what_is_no_event_is_refused(message):
    with pytest.raises(StepRefusedError, match="The request is not a CloudEvent: "):
        read_answer_message(STEPS, ask(Result(), message))


@pytest.mark.parametrize("answer", [None, "text", {}, {"statusCode": "200"}, {"statusCode": 200, "body": {}}])
def test_what_is_no_answer_fails_the_step(answer):
    with pytest.raises(StepFailedError, match="The function's answer has no status, headers and body: "):
        read_answer_message(STEPS, answer)


def test_answer_with_a_body_that_is_no_reply_fails_the_step():
    with pytest.raises(StepFailedError, match="The function's answer is not a reply: "):
        read_answer_message(STEPS, {"statusCode": 200, "headers": {}, "body": "{}"})
