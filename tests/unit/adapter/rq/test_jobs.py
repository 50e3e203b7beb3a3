"""RQ's jobs as the adapter writes and reads them; RQ itself is the judge."""

import base64
import zlib

import pytest
from redis import Redis
from rq.job import Job, JobStatus
from rq.results import Result
from rq.serializers import JSONSerializer

from adapter.delivery import StepFailedError, StepRefusedError
from adapter.delivery.requests import request_event
from adapter.delivery.rq.jobs import check_rq_url, job_ids, read_result, write_job
from podjobs.contract.bounds import REQUEST_BYTES
from podjobs.contract.message_contracts import STEPS
from podjobs.contract.rq_jobs import HANDLER, rq_job_id
from podjobs.contract.steps import Step
from podjobs.events import read_message
from support.jobs import encoding_job

UNCONNECTED = Redis()
"""RQ wants a client, and sends nothing here."""


def step_of(attempt=1, **params):
    return Step(
        job=encoding_job(), step_id="chunk-00003", function="encoding", action="chunk", params=params,
        attempt=attempt, timeout_s=90, accepted_at=0,
    )  # fmt: skip


def written(step):
    return write_job(request_event(STEPS, step, "a"), step, "encoding", 15.5)


def as_stored(fields):
    """What a hash in Redis returns."""
    return {name.encode(): value if isinstance(value, bytes) else str(value).encode() for name, value in fields.items()}


def test_write_job_is_read_by_rq_as_it_was_meant():
    step = step_of(attempt=2)
    job = Job(written(step).id, UNCONNECTED, JSONSerializer)
    job.restore(as_stored(written(step).fields))
    assert job.func_name == HANDLER
    assert job.kwargs == {}
    assert job.get_status(refresh=False) == JobStatus.QUEUED
    assert (job.origin, job.timeout, job.result_ttl, job.failure_ttl) == ("encoding", 106, 600, 600)
    (message,) = job.args
    assert STEPS.read_request(STEPS.request_type, read_message(message).data) == step


def test_write_job_has_the_fields_of_a_job_that_rq_creates():
    job = Job.create(HANDLER, ({},), connection=UNCONNECTED, serializer=JSONSerializer, timeout=1, result_ttl=1)
    job.failure_ttl, job.origin, job.enqueued_at = 1, "encoding", job.created_at
    filled = {name for name, value in job.to_dict().items() if value not in {"", None}}
    assert set(written(step_of()).fields) == filled


def test_write_job_longer_than_a_function_reads_is_refused():
    with pytest.raises(StepRefusedError, match=f"a function reads at most {REQUEST_BYTES}"):
        written(step_of(payload="x" * REQUEST_BYTES))


def test_job_ids_name_this_attempt_first_and_no_more_than_three_before_it():
    assert job_ids(step_of()) == ("job-1__chunk-00003-1",)
    assert [job_id[-2:] for job_id in job_ids(step_of(attempt=9))] == ["-9", "-8", "-7", "-6"]


def test_job_ids_of_a_step_that_is_added_anew_are_others():
    first, anew = (step_of().model_copy(update={"entry_id": entry_id}) for entry_id in ("17-0", "18-0"))
    assert not set(job_ids(first)) & set(job_ids(anew))
    assert "entry_id" not in first.model_dump_json()


@pytest.mark.parametrize("subject", ["a/b", "a_b", "a__b", "a_2Fb", "a-1", "é", "a b"])
def test_rq_job_id_is_valid_for_rq_and_the_same_for_no_other_subject(subject):
    Job(rq_job_id(subject, 1), UNCONNECTED)  # raises if it is not valid
    others = {"a/b", "a_b", "a__b", "a_2Fb", "a-1", "a", "é", "a b"} - {subject}
    assert not {rq_job_id(other, attempt) for other in others for attempt in (1, 2)} & {rq_job_id(subject, 1)}


def stored_result(kind, **more):
    job = Job("one", UNCONNECTED, JSONSerializer)
    fields = Result("one", kind, UNCONNECTED, worker_name="w", serializer=job.serializer, **more).serialize()
    return {name: str(value) for name, value in fields.items()}


def test_read_result_returns_what_rq_has_stored():
    assert read_result(stored_result(Result.Type.SUCCESSFUL, return_value={"statusCode": 200})) == {"statusCode": 200}


@pytest.mark.parametrize("kind", [Result.Type.FAILED, Result.Type.STOPPED, Result.Type.MAX_RETRIES_EXCEEDED])
def test_read_result_of_a_failure_says_which_worker_failed_and_the_last_line_of_why(kind):
    entry = stored_result(kind, exc_string="Traceback …\nZeroDivisionError: division by zero\n")
    with pytest.raises(StepFailedError, match=r"The worker 'w' .*ZeroDivisionError: division by zero"):
        read_result(entry)


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"type": "2"},
        {"type": "2", "exc_string": "no base64"},
        {"type": "2", "exc_string": base64.b64encode(b"no zlib").decode()},
        {"type": "1"},
        {"type": "1", "return_value": base64.b64encode(b"no JSON").decode()},
        {"type": "1", "return_value": base64.b64encode(b"[" * 100_000).decode()},
    ],
)
def test_read_result_that_nobody_should_have_stored_costs_an_attempt(entry):
    with pytest.raises(StepFailedError):
        read_result(entry)


def test_read_result_reason_that_unpacks_to_a_gigabyte_is_not_unpacked():
    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(b"x" * (1 << 20)) for _ in range(1000)) + packer.flush()
    with pytest.raises(StepFailedError) as caught:
        read_result({"type": "2", "exc_string": base64.b64encode(packed).decode()})
    assert len(caught.value.problem.detail) < 1000


@pytest.mark.parametrize("url", ["rq:encoding", "rq:encoding-gpu_2"])
def test_check_rq_url_with_a_queue_is_accepted(url):
    check_rq_url(url)


@pytest.mark.parametrize("url", ["rq:", "rq:a b", "rq://encoding", "rq:a:b", "rq:-a", "rq:" + "a" * 65])
def test_check_rq_url_without_the_name_of_a_queue_is_refused(url):
    with pytest.raises(ValueError, match="must name a queue"):
        check_rq_url(url)


def test_write_job_description_which_rq_shows_and_logs_is_the_subject_alone():
    assert written(step_of(title="Hidden")).fields["description"] == "job-1/chunk-00003, attempt 1"
