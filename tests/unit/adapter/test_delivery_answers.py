"""What a function's answer means for its step."""

import json

import pytest
from structlog.testing import capture_logs

from adapter.delivery import FunctionBusyError, StepFailedError, StepRefusedError
from adapter.delivery.answers import read_answer
from podjobs.contract.errors import NotNowError, OperatorNeededError, Problem, UnavailableError
from podjobs.contract.message_contracts import STEPS
from podjobs.contract.plans import Plan, Result
from podjobs.contract.usage import Usage
from podjobs.settings import SAME_SECRET
from support.proxy_answers import SEEN, UNSEEN

EVENT = {
    "ce-specversion": "1.0",
    "ce-id": "1",
    "ce-source": "/function",
    "ce-type": "fr.esup-portail.podjobs.result",
    "Content-Type": "application/json",
}
RESULT = b'{"values": {"frames": 3}}'
PLAN = b'{"stages": [{"name": "one", "steps": [{"id": "a", "function": "encoding", "action": "chunk"}]}]}'
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


def test_read_answer_what_the_step_has_used_travels_beside_its_reply():
    usage = "cpu_s=1.5,memory_bytes=1000,media_s=60,source_bytes=5000,gpu_s=2"
    assert read_answer(STEPS, 200, EVENT | {"ce-usage": usage}, RESULT) == Result(
        values={"frames": 3}, usage=Usage(cpu_s=1.5, memory_bytes=1000)
    )
    event = EVENT | {"ce-type": "fr.esup-portail.podjobs.plan", "ce-usage": usage}
    plan = read_answer(STEPS, 200, event, PLAN)
    assert isinstance(plan, Plan)
    assert (plan.media_s, plan.source_bytes, plan.usage) == (60.0, 5000, Usage(cpu_s=1.5, memory_bytes=1000))


def test_read_answer_rubbish_beside_a_reply_is_told_and_ignored():
    with capture_logs() as logs:
        assert read_answer(STEPS, 200, EVENT | {"ce-usage": "cpu_s=lots"}, RESULT) == Result(values={"frames": 3})
    assert [(line["log_level"], "cpu_s" in line["reason"]) for line in logs] == [("warning", True)]


def test_read_answer_what_an_attempt_has_used_travels_beside_its_problem():
    with pytest.raises(StepFailedError) as raised:
        read_answer(STEPS, 500, PROBLEM | {"Podjobs-Usage": "cpu_s=2.5"}, problem(500))
    assert raised.value.usage == Usage(cpu_s=2.5)
    with pytest.raises(StepFailedError) as raised:
        read_answer(STEPS, 500, PROBLEM | {"Podjobs-Usage": "rubbish"}, problem(500))
    assert raised.value.usage is None


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind", "reason"),
    [
        (422, PROBLEM, problem(422), StepRefusedError, "The reason."),
        (400, PROBLEM, problem(400), StepRefusedError, "The reason."),
        (404, PROBLEM, problem(404), StepRefusedError, "The reason."),  # the function itself says so
        (404, {}, b"<h1>nginx</h1>", FunctionBusyError, "status 404: '<h1>nginx</h1>'. No function answers"),
        (405, {}, b"", FunctionBusyError, "or PODJOBS_FUNCTION_URL_… is wrong"),  # somebody before it
        (401, {}, b"", FunctionBusyError, "status 401: ''. PODJOBS_FUNCTION_SECRET must be the same"),
        (403, {}, b"<h1>nginx</h1>", FunctionBusyError, "PODJOBS_FUNCTION_SECRET must be the same"),
        (401, PROBLEM, problem(401), FunctionBusyError, "The reason. PODJOBS_FUNCTION_SECRET must be the same"),
        (403, PROBLEM, problem(403), FunctionBusyError, "The reason. PODJOBS_FUNCTION_SECRET must be the same"),
        (413, {}, b"", StepRefusedError, "status 413"),
        (408, {}, b"", StepFailedError, "status 408"),
        (425, {}, b"", StepFailedError, "status 425"),
        (429, {}, b"", FunctionBusyError, "status 429"),
        (503, PROBLEM, problem(503), FunctionBusyError, "The reason."),
        (500, PROBLEM, problem(500), StepFailedError, "The reason."),
        (502, {}, b"x" * 9999, StepFailedError, "status 502"),
        (302, {"location": "/"}, b"", StepFailedError, "status 302"),
        (500, PROBLEM, b"{}", StepFailedError, "status 500"),
        (200, {}, b"ok", StepFailedError, "is not a reply"),
        (200, EVENT, b"", StepFailedError, "is not a reply"),
        (200, EVENT, b'{"stages": []}', StepFailedError, "is not a reply"),
        (200, EVENT | {"ce-type": "fr.esup-portail.podjobs.plan"}, RESULT, StepFailedError, "is not a reply"),
        (
            200,
            EVENT | {"ce-type": "something.else"},
            RESULT,
            StepFailedError,
            "'something.else' does not answer",
        ),
        (204, EVENT, b"null", StepFailedError, "is not a reply"),
    ],
)
def test_read_answer_that_is_not_a_reply_says_whether_a_retry_helps(status, headers, body, kind, reason):
    with pytest.raises(kind) as caught:
        read_answer(STEPS, status, headers, body)
    assert reason in caught.value.problem.detail
    assert len(caught.value.problem.detail) < 1000


@pytest.mark.parametrize("status", [401, 403])
def test_read_answer_that_refuses_the_adapter_says_nothing_about_the_step(status):
    with pytest.raises(FunctionBusyError) as busy:
        read_answer(STEPS, status, PROBLEM, problem(status))
    assert not busy.value.concerns_step


def test_read_answer_remedy_is_named_once():
    body = Problem(title="No.", status=401, detail=f"Not you. {SAME_SECRET}").model_dump_json().encode()
    with pytest.raises(FunctionBusyError) as busy:
        read_answer(STEPS, 401, PROBLEM, body)
    assert busy.value.problem.detail == f"Not you. {SAME_SECRET}"


@pytest.mark.parametrize(
    ("headers", "body", "concerns_step"),
    [
        (PROBLEM, problem(503), True),  # the function has tried
        (PROBLEM, Problem.of(NotNowError("Memory is short.")).model_dump_json().encode(), True),
        (PROBLEM, Problem.of(UnavailableError("No slot is free.")).model_dump_json().encode(), False),
        (PROBLEM, Problem.of(OperatorNeededError("The disk is full.")).model_dump_json().encode(), False),
        ({}, b"no healthy upstream", False),  # a proxy says so
    ],
)
def test_read_answer_not_now_says_whether_the_step_itself_might_be_the_reason(headers, body, concerns_step):
    with pytest.raises(FunctionBusyError) as busy:
        read_answer(STEPS, 503, headers, body)
    assert busy.value.concerns_step == concerns_step


@pytest.mark.parametrize(("status", "text"), UNSEEN.values(), ids=UNSEEN)
def test_read_answer_of_a_proxy_whose_function_has_not_seen_the_step_is_not_counted(status, text):
    with pytest.raises(FunctionBusyError) as caught:
        read_answer(STEPS, status, {"content-type": "text/plain; charset=utf-8"}, text.encode())
    assert not caught.value.concerns_step


@pytest.mark.parametrize(("status", "text"), SEEN.values(), ids=SEEN)
def test_read_answer_of_a_proxy_whose_function_may_have_died_of_the_step_is_counted(status, text):
    with pytest.raises(StepFailedError):
        read_answer(STEPS, status, {"content-type": "text/plain; charset=utf-8"}, text.encode())
