"""What operators see of a job."""

import json

import pytest

from adapter.inspection.job_record import JobRecord, without_queries
from support.jobs import encoding_job
from support.runner_requests import SITE, job_of, v4_task


def test_without_queries_keeps_a_request_and_drops_what_grants_access():
    job = job_of(v4_task(source_url=f"{SITE}/media/a.mp4?X-Amz-Signature=s3cret"))
    shown = without_queries(job.model_dump_json())
    assert "s3cret" not in shown
    assert json.loads(shown)["fetch"][0] == {"url": f"{SITE}/media/a.mp4?…", "key": "runner/job-1/source/a.mp4"}
    assert json.loads(shown)["renditions"] == json.loads(job.model_dump_json())["renditions"]


UNREADABLE = ["", "{", "null", "[]", '{"fetch": 7}', '{"fetch": [7]}']


@pytest.mark.parametrize("params", [*UNREADABLE, encoding_job().model_dump_json()])
def test_without_queries_leaves_what_fetches_nothing(params):
    assert without_queries(params) == params


def test_client_is_told_of_jobs_that_one_has_requested():
    assert JobRecord("job-1", {"client": "pod"}).client == "pod"
    assert JobRecord("job-1", {}).client == ""
