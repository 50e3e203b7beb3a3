"""Jobs that have failed, for the operator's commands to show."""

import pytest

from adapter.redis import keys
from podjobs.contract.errors import Problem
from support.jobs import encoding_job

PROBLEM = Problem(title="Broken.", status=422, detail="It is broken.").model_dump_json()


@pytest.fixture
def problem():
    return PROBLEM


@pytest.fixture
def fail_job(client):
    """Store a failed job with its log and its dead letter. Returns the dead letter's id."""

    def fail(job_id="job-1", entry_id="*"):
        fields = {"type": "encoding", "target": "7", "params": encoding_job(job_id, 7).model_dump_json()}
        record = fields | {"state": "failed", "weight_total": 4, "weight_done": 1, "accepted_at": "1700000000.5"}
        client.hset(keys.job(job_id), mapping=record | {"error": PROBLEM})
        client.zadd(keys.JOBS, {job_id: 1})
        client.rpush(keys.job_log(job_id), "It was tried.")
        dead = {"kind": "job", "job": job_id, **fields, "step": "{}", "problem": PROBLEM}
        return client.xadd(keys.DEAD, dead, id=entry_id)

    return fail
