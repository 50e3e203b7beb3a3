"""The command that follows jobs."""

import re
import threading

import pytest

from adapter.redis import keys
from local.client import request_encoding
from support.processes import wait_for


def test_watch_of_a_job_that_has_failed_says_why_and_ends_with_status_1(fail_job, command, client):
    fail_job()
    client.hset(keys.job("job-1"), "ended_at", "1700000100")
    watched = command("watch", "job-1")
    assert watched.returncode == 1
    assert "job-1  encoding 7  failed  25%" in watched.stdout
    assert "The job job-1 is failed. It is broken." in watched.stderr


def test_watch_of_a_job_that_is_done_ends_with_status_0(fail_job, command, client):
    fail_job()
    client.hset(keys.job("job-1"), mapping={"state": "done", "ended_at": "1700000100"})
    watched = command("watch", "video:7")
    assert watched.returncode == 0
    assert "done  100%" in watched.stdout


@pytest.mark.slow
def test_watch_says_how_long_a_job_still_takes_until_it_ends(start, command, client, redis_url):
    start().wait()  # its function does not answer: the job waits
    job_id = request_encoding(redis_url, 7, "/media/7.mp4")
    wait_for(lambda: client.exists(keys.job(job_id)), 10)

    def end():
        client.hset(keys.job(job_id), mapping={"state": "done", "ended_at": "1700000100"})

    timer = threading.Timer(8, end)
    timer.start()
    watched = command("watch", job_id)
    timer.join()
    first, *_ = watched.stdout.splitlines()
    assert re.search(r"accepted .* ago  [\d.]+ (s|min|h)\b.* left$", first)
