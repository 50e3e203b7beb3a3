"""The command that follows jobs."""

import json
import re
import subprocess
import sys
import threading

import pytest

from adapter.redis import keys
from local.client import request_encoding
from support.processes import REPOSITORY, wait_for


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


def test_watch_tells_programs_one_object_a_line(fail_job, command, client):
    fail_job()
    client.hset(keys.job("job-1"), "ended_at", "1700000100")
    watched = command("watch", "job-1", "--json")
    assert watched.returncode == 1
    assert [json.loads(line) for line in watched.stdout.splitlines()] == [
        {"id": "job-1", "type": "encoding", "target": "7", "state": "failed", "stage": "", "progress": 0.25,
         "reason": "It is broken.", "accepted_at": 1700000000.5, "ready_at": None}
    ]  # fmt: skip


@pytest.mark.slow
def test_watch_of_all_jobs_tells_each_change_and_how_each_ended(environment, client):
    fields = {"type": "encoding", "target": "7", "state": "running", "stage": "plan", "accepted_at": "1700000000"}
    client.hset(keys.job("job-1"), mapping=fields | {"params": "{}"})
    client.sadd(keys.LIVE, "job-1")
    argv = [sys.executable, "-m", "adapter", "watch", "--json"]
    with subprocess.Popen(argv, env=environment, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as watching:
        try:
            told = [json.loads(watching.stdout.readline())]
            client.hset(keys.job("job-1"), mapping={"stage": "chunks", "weight_total": 4, "weight_done": 1})
            told.append(json.loads(watching.stdout.readline()))
            client.hset(keys.job("job-1"), mapping={"state": "done", "ended_at": "1700000100"})
            client.srem(keys.LIVE, "job-1")
            told.append(json.loads(watching.stdout.readline()))
        finally:
            watching.terminate()
    states = [(one["state"], one["stage"], one["progress"]) for one in told]
    assert states == [("running", "plan", 0), ("running", "chunks", 0.25), ("done", "chunks", 1)]
