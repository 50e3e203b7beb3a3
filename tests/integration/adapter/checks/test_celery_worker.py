"""A Celery worker that was not stopped is found."""

import pytest

from podjobs.contract.examinations import Verdict
from support.pod_worker import new_pod_worker
from support.processes import wait_for


@pytest.mark.slow
def test_celery_worker_that_reads_a_queue_is_named(look, redis_url, tmp_path):
    worker = new_pod_worker(redis_url, "encoding", tmp_path)
    worker.start()
    try:
        wait_for(lambda: "ready" in worker.said(), 30, worker.said)
        (line,) = [line for line in look() if line.startswith("queues/")]
    finally:
        worker.kill()
    assert line.startswith("queues/celery@encoding: The Celery worker celery@encoding ")
    assert (
        "reads encoding, too, and takes messages from the adapters. Stop it; or start it with -Q encoding-pod" in line
    )
    assert [line for line in look(verdict=Verdict.OK) if line.startswith("queues/")] == [
        "queues/encoding: No Celery worker reads them."
    ]
