"""Several adapters and an absent Redis: who answers, under which name, and what is listed where."""

import time

import pytest

from adapter.redis import keys
from local.client import request_encoding
from support.parts import new_adapter, running_redis
from support.processes import free_port, wait_for

from .conftest import HOST

FIRST, SECOND = f"encode@{HOST}", f"encode-2@{HOST}"
TAKEN_OVER_S = 12
"""A lease of 7 s, a beat, and a busy machine."""


@pytest.fixture
def two_adapters(start, silent_url, redis_url, client, remote):
    """Two adapters on this host, each with a job that runs, and three jobs that wait."""
    settings = {"PODJOBS_FUNCTION_URL_ENCODING": silent_url, "PODJOBS_CONCURRENCY_ENCODING": "1"}
    first = start(**settings).wait()
    wait_for(lambda: set(remote("ping", timeout_s=0.3)) == {FIRST}, 10)
    second = start(**settings).wait()
    wait_for(lambda: set(remote("ping", replies=2, timeout_s=0.3)) == {FIRST, SECOND}, 10)
    ids = {request_encoding(redis_url, video_id, f"/media/videos/{video_id}.mp4") for video_id in range(5)}
    wait_for(lambda: client.scard(keys.LIVE) == 5 and client.hlen(keys.running("encoding")) == 2, 15)
    return first, second, ids


def test_two_adapters_have_two_names_and_list_every_job_once(two_adapters, remote, client):
    _, _, ids = two_adapters
    active, reserved = remote("active", replies=2), remote("reserved", replies=2)
    assert [len(active[node]) for node in (FIRST, SECOND)] == [1, 1]
    assert [len(reserved[node]) for node in (FIRST, SECOND)] == [3, 0]
    listed = [task["id"] for answer in (active, reserved) for tasks in answer.values() for task in tasks]
    assert sorted(listed) == sorted(ids)
    pids = {node: tasks[0]["worker_pid"] for node, tasks in active.items()}
    assert pids == {node: stats["pid"] for node, stats in remote("stats", replies=2).items()}
    waiting = reserved[FIRST][0]["id"]
    said = remote("revoke", replies=2, task_id=waiting)
    assert said[SECOND]["ok"] == f"The node {FIRST} answers for all."
    assert client.hget(keys.job(waiting), "cancelled_by")


@pytest.mark.slow
def test_adapter_that_is_killed_leaves_its_name_and_its_word_to_the_other(two_adapters, remote):
    first, _, ids = two_adapters
    first.kill()
    wait_for(lambda: set(remote("ping", timeout_s=0.3)) == {FIRST}, TAKEN_OVER_S)
    wait_for(lambda: _listed(remote) == sorted(ids), TAKEN_OVER_S)


@pytest.mark.slow
def test_adapter_that_stops_leaves_at_once(two_adapters, remote):
    first, second, ids = two_adapters
    assert first.stop(timeout_s=20) == 0
    wait_for(lambda: set(remote("ping", timeout_s=0.3)) == {FIRST}, 4)
    wait_for(lambda: _listed(remote) == sorted(ids), 10, second.said)


def _listed(remote):
    return sorted(task["id"] for command in ("active", "reserved") for task in remote(command).get(FIRST, ()))


@pytest.mark.slow
def test_redis_that_was_killed_is_answered_on_again(tmp_path, celery, silent_url):
    port = free_port()
    url = f"redis://127.0.0.1:{port}/5"
    adapter = None
    try:
        with running_redis(tmp_path / "redis", port=port):
            adapter = new_adapter(url, {"PODJOBS_FUNCTION_URL_ENCODING": silent_url}, tmp_path)
            adapter.start()
            adapter.wait()
            job_id = request_encoding(url, 7, "/media/videos/7.mp4")
            wait_for(lambda: celery("inspect", "active", "--json", broker=url)[FIRST][0]["id"] == job_id, 10)
        time.sleep(3)
        assert adapter.is_running
        with running_redis(tmp_path / "redis", port=port):
            adapter.wait()
            wait_for(lambda: FIRST in celery("inspect", "ping", broker=url), 20)
            assert celery("inspect", "active", "--json", broker=url)[FIRST][0]["id"] == job_id
            assert "Traceback" not in adapter.said()
    finally:
        if adapter:
            adapter.kill()
