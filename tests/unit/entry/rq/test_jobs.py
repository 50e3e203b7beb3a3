"""What workers read of jobs that anybody may have written."""

import json
import pickle
import zlib

import pytest
from redis import Redis
from rq.job import JobStatus

from podjobs.contract.bounds import REQUEST_BYTES
from podjobs.contract.requests import DEFAULT_TIMEOUT_S
from podjobs.contract.rq_jobs import HANDLER
from podjobs.entry.rq.jobs import JobRefusedError, StepJob


def job_of(data=b"", **fields):
    job = StepJob("one", Redis())  # it sends nothing
    job.restore({b"data": data} | {name.encode(): value for name, value in fields.items()})
    return job


def call_of(function=HANDLER, instance=None, args=({},), kwargs=None):
    return zlib.compress(json.dumps((function, instance, args, kwargs or {})).encode())


def test_message_of_our_own_job_is_its_argument():
    assert job_of(call_of(args=({"id": "1"},))).message == {"id": "1"}


@pytest.mark.parametrize(
    "data",
    [
        call_of("os.system", args=("true",)),
        call_of(instance={}),
        call_of(args=()),
        call_of(args=({}, {})),
        call_of(kwargs={"message": {}}),
        pickle.dumps((HANDLER, None, ({},), {})),
        zlib.compress(pickle.dumps((HANDLER, None, ({},), {}))),
        b"",
        b"null",
        b"[1, 2]",
        b"[" * 100_000,
        b"\xff\x00",
    ],
)
def test_message_of_a_job_that_is_not_ours_is_refused(data):
    with pytest.raises(JobRefusedError, match=r"^The job "):
        _ = job_of(data).message


def test_message_that_unpacks_to_more_than_a_request_is_refused_unread():
    with pytest.raises(JobRefusedError, match="takes more than"):
        _ = job_of(zlib.compress(b" " * (10 * REQUEST_BYTES))).message


def test_restore_reads_nothing_that_rq_would_import_call_or_unpickle():
    bomb = pickle.dumps(pytest.fail)
    job = job_of(
        call_of(), success_callback_name=b"os.system", failure_callback_name=b"os.system", meta=bomb, result=bomb,
        stopped_callback_name=b"os.system", webhooks=b'[{"url": "http://10.0.0.1/"}]', retries_left=b"9",
        dependency_ids=b'["two"]', repeats_left=b"9", group_id=b"g", exc_info=bomb,
    )  # fmt: skip
    assert (job.success_callback, job.failure_callback, job.stopped_callback) == (None, None, None)
    assert (job.webhooks, job.meta, job._dependency_ids, job.group_id) == ([], {}, [], None)
    assert (job.retries_left, job.repeats_left, job.result_ttl, job.failure_ttl) == (None, None, 600, 600)


@pytest.mark.parametrize("value", [b"", b"x", b"-1", b"0", b"999999999", b"\xff", b"9" * 5000])
def test_restore_time_out_that_is_none_is_replaced(value):
    assert job_of(timeout=value).timeout == DEFAULT_TIMEOUT_S


@pytest.mark.parametrize("value", [b"", b"yesterday", b"\xff"])
def test_restore_field_that_cannot_be_read_concerns_no_other(value):
    job = job_of(call_of(), created_at=value, started_at=value, status=value, origin=value, timeout=b"7")
    assert (job.message, job.timeout) == ({}, 7)


def test_restore_status_is_kept():
    assert job_of(status=b"started").get_status(refresh=False) == JobStatus.STARTED


def test_to_dict_of_a_job_that_has_ended_leaves_its_message_as_it_was_stored():
    job = job_of(call_of(args=("long",)))
    assert "data" not in job.to_dict()
    assert job.message == "long"
