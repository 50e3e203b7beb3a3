"""The command that shows everything at a glance."""

import json
import time

import pytest

from adapter.redis import keys
from local.client import request_encoding
from support.processes import wait_for


def test_status_without_an_adapter_says_what_to_do(command, client):
    client.lpush("encoding", "{}")
    shown = command("status")
    assert shown.returncode == 1
    assert "No adapter runs: jobs wait. Start one with `podjobs run`" in shown.stdout
    assert "queue encoding" in shown.stdout
    assert "1 message, not read" in shown.stdout


def test_status_of_an_adapter_that_has_nothing_to_do_is_well(start, command):
    start().wait()
    shown = command("status", "--json")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    status = json.loads(shown.stdout)
    assert status["attention"] == []
    (adapter,) = status["adapters"]
    assert (adapter["state"], adapter["is_silent"]) == ("running", False)
    queues = {queue["name"]: (queue["waiting"], queue["readers"]) for queue in status["queues"]}
    assert queues == {"encoding": (0, 1), "transcripting": (0, 0), "xapi": (0, 0)}
    slots = {function["name"]: function["slots"] for function in status["functions"]}
    assert slots["notification"] == 4
    assert command("status").stdout.startswith("All is well.\n")


def test_status_shows_what_waits_runs_and_is_paused(start, command, client, redis_url):
    adapter = start().wait()
    assert command("pause", "encoding", "--reason", "maintenance").returncode == 0
    job_id = request_encoding(redis_url, 7, "/media/7.mp4")
    wait_for(lambda: client.exists(keys.job(job_id)), 5)
    shown = command("status")
    assert shown.returncode == 1
    assert "The function encoding is paused: 1 step waits. `podjobs resume encoding` lets it go on." in shown.stdout
    assert "1 step waits, the oldest for" in shown.stdout
    assert "1 live, 0 of them in work" in shown.stdout
    client.hset(keys.running("encoding"), "1-0", json.dumps({"job": job_id}))
    client.lpush(keys.recent("encoding"), *range(1, 101))
    (encoding, *_) = json.loads(command("status", "--json").stdout)["functions"]
    assert (encoding["name"], encoding["running"], encoding["waiting"]) == ("encoding", 1, 1)
    assert (encoding["median_s"], encoding["p95_s"]) == (50, 95)
    adapter.kill()


def test_status_counts_the_jobs_of_the_last_day(command, client):
    client.hset(keys.TOTALS, mapping={"done:encoding": 30, "done:transcription": 12, "failed:encoding": 5})
    now_ms = int(time.time() * 1000)
    client.xadd(keys.SAMPLES, {"done": 40, "failed": 5}, id=f"{now_ms - 23 * 3_600_000}-0")
    status = json.loads(command("status", "--json").stdout)
    assert status["last_day"] == {"done": 2, "failed": 0, "cancelled": 0}


@pytest.mark.slow
def test_status_of_an_adapter_that_was_killed_says_so(start, command):
    adapter = start(PODJOBS_LEASE_S="1").wait()
    adapter.kill()
    wait_for(lambda: "No adapter runs" in command("status").stdout, 45)
    assert "was not heard of for" in command("status").stdout


def test_status_without_redis_has_an_exit_status_of_its_own(environment, command):
    environment["ENCODING_TRANSCODING_CELERY_BROKER_URL"] = "redis://127.0.0.1:1/0"
    ended = command("status")
    assert ended.returncode == 3
    assert "Redis does not answer" in ended.stderr
