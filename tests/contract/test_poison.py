"""Whatever comes in at a boundary, it is read or refused with the error that the boundary promises; nothing else."""

import contextlib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic_core import from_json

from adapter.door.celery_jobs import read_job
from adapter.door.statement_intake import read_statement, write_statement
from podjobs.contract import workflows
from podjobs.contract.errors import InvalidRequestError, PermanentError, Problem
from podjobs.contract.media_paths import MediaPaths
from podjobs.contract.message_contracts import STATEMENTS, STEPS
from podjobs.contract.plans import PLAN_EVENT_TYPE, RESULT_EVENT_TYPE
from podjobs.contract.statements import BATCH_EVENT_TYPE, REPORT_EVENT_TYPE, StatementBatch, StatementEntry
from podjobs.contract.steps import STEP_EVENT_TYPE, Step
from podjobs.events import EventError, read_event
from podjobs.xapi.anonymise import Anonymiser
from podjobs.xapi.statements import check_statement
from support.poison import any_json, any_message, any_statement, mutated
from support.statements import new_statement

PATHS = MediaPaths("/usr/local/django_projects/podv4/pod/media")
STEP = {
    "job": {
        "type": "encoding", "id": "job-1", "target": "7", "source": "videos/7.mp4", "output_folder": "videos/0007",
        "reply_to": {"channel": "pod", "video_id": 7}, "cut": {"start_s": 1}, "dressing": {"watermark": "a.png"},
    },
    "function": "encoding", "step_id": "plan", "action": "plan", "accepted_at": 1.5, "results": {"a": {"b": 1}},
    "failure": {"title": "No.", "status": 400, "detail": "It failed."},
}  # fmt: skip
BATCH = {"batch_id": "b", "entries": [{"entry_id": "1-0", "statement": new_statement(1)}]}
SPEC = {"id": "a", "function": "encoding", "action": "chunk", "params": {"start": 1}}
REPLIES = [
    {"stages": [{"name": "encode", "steps": [SPEC]}], "shared": {"a": 1}, "log": ["A sentence."]},
    {"values": {"a": 1}, "log": ["A sentence."]},
    {"accepted": ["1-0"], "refused": [{"entry_id": "1-1", "problem": STEP["failure"]}], "trouble": STEP["failure"]},
]


def refusal_is_storable(error):
    assert Problem.model_validate_json(Problem.of(error).model_dump_json()).detail


def job_is_read_stored_and_delivered_or_refused(data):
    try:
        job = read_job(data.draw(any_message), PATHS)
    except InvalidRequestError as error:
        return refusal_is_storable(error)
    stored = job.model_dump_json()
    stored.encode()
    again = workflows.read_job(json.loads(stored))
    step = Step(job=again, function="encoding", step_id="plan", action="plan", accepted_at=1.0)
    assert STEPS.read_request(STEP_EVENT_TYPE, step.model_dump_json()).job.id == job.id
    return None


def statement_is_read_stored_and_delivered_or_refused(data):
    try:
        text = write_statement(read_statement(data.draw(any_message)), 100_000)
    except InvalidRequestError as error:
        return refusal_is_storable(error)
    text.encode()
    batch = StatementBatch(batch_id="b", entries=(StatementEntry(entry_id="1-0", statement=from_json(text)),))
    assert STATEMENTS.read_request(BATCH_EVENT_TYPE, batch.model_dump_json()).entries
    return None


def statement_is_checked_and_anonymised_or_refused(data):
    statement = data.draw(any_statement)
    try:
        check_statement(statement)
    except InvalidRequestError as error:
        return refusal_is_storable(error)
    assert Anonymiser("0123456789abcdef").anonymise(statement)
    return None


def event_is_read_or_refused(data):
    headers = data.draw(
        st.dictionaries(
            st.sampled_from(["ce-specversion", "ce-type", "ce-id", "ce-source", "Content-Type", "ce-time", "ce-x"]),
            st.sampled_from(["1.0", "application/cloudevents+json", "application/json", ""]) | st.text(max_size=5),
        )
    )
    envelope = {"specversion": "1.0", "type": "t", "source": "/s", "id": "1", "data": STEP}
    body = data.draw(mutated([envelope]).map(lambda value: json.dumps(value).encode()) | any_message)
    with contextlib.suppress(EventError):
        read_event(headers, body)


def request_is_read_or_refused(data):
    contract, kind, original = data.draw(
        st.sampled_from([(STEPS, STEP_EVENT_TYPE, STEP), (STATEMENTS, BATCH_EVENT_TYPE, BATCH)])
    )
    value = data.draw(mutated([original]))
    form = data.draw(st.sampled_from([lambda one: one, json.dumps, lambda one: json.dumps(one).encode()]))
    try:
        request = contract.read_request(kind, form(value))
    except InvalidRequestError as error:
        return refusal_is_storable(error)
    assert request.subject
    return None


def reply_is_read_or_refused(data):
    contract, kinds = data.draw(
        st.sampled_from([(STEPS, [PLAN_EVENT_TYPE, RESULT_EVENT_TYPE]), (STATEMENTS, [REPORT_EVENT_TYPE])])
    )
    body = json.dumps(data.draw(mutated(REPLIES))).encode()
    with contextlib.suppress(ValueError):
        contract.read_reply(data.draw(st.sampled_from(kinds)), body)


def context_is_cut_to_what_can_be_stored(data):
    refusal_is_storable(PermanentError("It failed.", facts=data.draw(any_json), stderr=data.draw(any_json)))


LAWS = [
    job_is_read_stored_and_delivered_or_refused,
    statement_is_read_stored_and_delivered_or_refused,
    statement_is_checked_and_anonymised_or_refused,
    event_is_read_or_refused,
    request_is_read_or_refused,
    reply_is_read_or_refused,
    context_is_cut_to_what_can_be_stored,
]
UNHURRIED = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@settings(max_examples=40, derandomize=True, **UNHURRIED)
@given(data=st.data())
def test_boundary_whatever_comes_is_read_or_refused_as_promised(law, data):
    law(data)


@pytest.mark.slow
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@settings(max_examples=5000, **UNHURRIED)
@given(data=st.data())
def test_boundary_whatever_comes_thousands_of_times_is_read_or_refused_as_promised(law, data):
    law(data)
