"""The endpoint of a function, without any transport: an event in; an event, or a failure, out."""

import json
import threading

import pytest
from pydantic import BaseModel

from podjobs.contract.errors import OTHER_VERSION, NotNowError, OperatorNeededError, PermanentError, RetryableError
from podjobs.contract.message_contracts import STEPS
from podjobs.contract.plans import RESULT_EVENT_TYPE, Plan, Result, Stage, StepSpec
from podjobs.contract.steps import STEP_EVENT_TYPE
from podjobs.contract.usage import StepAccount
from podjobs.entry.answers import write_answer
from podjobs.entry.endpoint import Endpoint
from podjobs.events import Event
from support.jobs import encoding_job

STEP = {
    "job": encoding_job("job-1", 7, "/media/videos/x.mp4").model_dump(mode="json"),
    "step_id": "discard",
    "function": "encoding",
    "action": "discard",
    "accepted_at": 0,
}


class Raising:
    def __init__(self, error):
        self.error = error

    def handle(self, _step):
        raise self.error


class Recording:
    def __init__(self):
        self.steps = []

    def handle(self, step):
        self.steps.append(step)
        return Result(values={"frames": 3})


def event(data=STEP, kind=STEP_EVENT_TYPE):
    return Event(type=kind, source="/podjobs/adapter/test", data=json.dumps(data).encode())


def endpoint(handler, slots=1):
    return Endpoint("encoding", STEPS, handler, slots)


@pytest.mark.parametrize("written", [lambda data: json.dumps(data).encode(), json.dumps, lambda data: data])
def test_answer_reply_is_an_event_about_the_same_subject(written):
    """Transports hand the data over as JSON text or as what it holds."""
    handler = Recording()
    reply = endpoint(handler).answer(Event(type=STEP_EVENT_TYPE, source="/x", data=written(STEP)))
    assert (reply.type, reply.source, reply.subject) == (RESULT_EVENT_TYPE, "/podjobs/encoding", "job-1/discard")
    assert json.loads(reply.data) == {"values": {"frames": 3}, "log": []}
    assert [step.job.id for step in handler.steps] == ["job-1"]


class Planning:
    def handle(self, _step):
        stage = Stage(name="one", steps=(StepSpec(id="a", function="encoding", action="chunk"),))
        return Plan(stages=(stage,), media_s=60.5, source_bytes=5000)


def test_answer_what_the_step_has_used_travels_beside_the_reply_not_in_it():
    """An adapter that does not know it would refuse a reply with more fields."""
    reply = endpoint(Planning()).answer(event())
    assert set(json.loads(reply.data)) == {"shared", "stages", "log"}
    account = StepAccount.read(reply.extensions["usage"])
    assert (account.media_s, account.source_bytes) == (60.5, 5000)
    assert account.memory_bytes > 10 << 20


def test_answer_of_a_step_that_failed_says_what_it_has_used():
    failure = endpoint(Raising(RetryableError("Again."))).answer(event())
    assert failure.usage.memory_bytes > 10 << 20
    assert StepAccount.read(write_answer(failure).headers["Podjobs-Usage"]).usage == failure.usage.model_copy(
        update={"cpu_s": round(failure.usage.cpu_s, 3)}
    )


@pytest.mark.parametrize(
    ("error", "status", "retry_after_s"),
    [
        (PermanentError("No.", argv=["ffmpeg"]), 422, None),
        (RetryableError("Again."), 500, None),
        (NotNowError("Later.", retry_after_s=9), 503, 9),
        (NotNowError("Later.", retry_after_s=None), 503, None),
        (OperatorNeededError("Act.", retry_after_s=60), 503, 60),
    ],
)
def test_answer_error_of_the_handler_is_the_failure(error, status, retry_after_s):
    failure = endpoint(Raising(error)).answer(event())
    assert (failure.problem.status, failure.problem.detail) == (status, error.detail)
    assert failure.problem.context == error.context
    assert failure.retry_after_s == retry_after_s


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (event(kind="org.example.other"), "'org.example.other' are not for this function"),
        (event(data={"step_id": "x"}), "job: Field required"),
        (event(data=[1, 2]), "does not hold a valid step"),
        (event(data=STEP | {"function": "studio"}), "is for the function 'studio', this is 'encoding'"),
        (Event(type=STEP_EVENT_TYPE, source="/x", data=None), "does not hold a valid step"),
        (Event(type=STEP_EVENT_TYPE, source="/x", data=b"{"), "does not hold a valid step"),
        (Event(type=STEP_EVENT_TYPE, source="/x", data=b"[" * 200_000), "does not hold a valid step"),
    ],
)
def test_answer_event_that_is_not_a_request_of_this_function_fails_for_good(asked, reason):
    handler = Recording()
    failure = endpoint(handler).answer(asked)
    assert failure.problem.status == 400
    assert reason in failure.problem.detail
    assert not handler.steps


def test_answer_step_whose_own_data_are_not_valid_asks_for_another_plan():
    class Params(BaseModel):
        number: int

    class Strict:
        def handle(self, step):
            return Params.model_validate(step.params)

    failure = endpoint(Strict()).answer(event())
    assert failure.problem.status == 400
    assert failure.problem.type == OTHER_VERSION
    assert failure.problem.detail == "The step's own data are not valid: number: Field required"


def test_answer_more_requests_than_slots_fail_until_one_is_free():
    begun, may_end = threading.Event(), threading.Event()

    class Slow:
        def handle(self, _step):
            begun.set()
            may_end.wait(10)
            return Result()

    served = endpoint(Slow())
    first = threading.Thread(target=served.answer, args=(event(),))
    first.start()
    assert begun.wait(10)
    failure = served.answer(event())
    assert (failure.problem.status, failure.retry_after_s) == (503, 2)
    assert "no free slot" in failure.problem.detail
    may_end.set()
    first.join()
    assert served.answer(event()).type == RESULT_EVENT_TYPE


@pytest.mark.parametrize("error", [PermanentError("No."), ZeroDivisionError()])
def test_answer_slot_is_free_again_whatever_happened(error):
    handler = Raising(error)
    served = endpoint(handler)
    if isinstance(error, PermanentError):
        served.answer(event())
    else:
        with pytest.raises(ZeroDivisionError):  # a fault of ours is left to the transport's runtime
            served.answer(event())
    handler.error = NotNowError("The handler was asked.")
    assert served.answer(event()).problem.detail == "The handler was asked."
