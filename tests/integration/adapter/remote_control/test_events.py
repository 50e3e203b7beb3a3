"""What Celery's own receiver of events hears of an adapter."""

import time

import pytest
from celery import Celery

from adapter.redis import keys
from local.client import request_encoding
from support.processes import wait_for

from .conftest import HOST

NODE = f"encode@{HOST}"


@pytest.fixture
def hear(redis_url):
    """Listen for some time. Returns the events that were heard."""
    with Celery("pod", broker=redis_url, backend=None) as app, app.connection_for_read() as connection:
        heard = []
        receiver = app.events.Receiver(connection, handlers={"*": heard.append})
        with receiver.consumer_context() as (listening, _, _):

            def listen(until, limit_s=10.0):
                end_s = time.monotonic() + limit_s
                while not until(heard):
                    assert time.monotonic() < end_s, heard
                    try:
                        listening.drain_events(timeout=0.2)
                    except TimeoutError:
                        continue
                return heard

            yield listen


def of_tasks(heard):
    return [event for event in heard if event["type"].startswith("task-")]


@pytest.mark.slow
def test_nodes_beat_and_tasks_are_told_of_once_somebody_asks(start, hear, remote, client, silent_url, redis_url):
    adapter = start(PODJOBS_FUNCTION_URL_ENCODING=silent_url, PODJOBS_CONCURRENCY_ENCODING="1").wait()
    active, waiting = (request_encoding(redis_url, video_id, f"/media/videos/{video_id}.mp4") for video_id in (7, 8))
    wait_for(lambda: client.hlen(keys.running("encoding")) == 1 and client.scard(keys.LIVE) == 2, 10)
    beats = hear(lambda heard: len(heard) >= 2)
    assert {(event["type"], event["hostname"], event["freq"]) for event in beats} == {("worker-heartbeat", NODE, 2.0)}
    assert remote("enable_events") == {NODE: {"ok": "task events enabled"}}
    told = of_tasks(hear(lambda heard: len(of_tasks(heard)) >= 3))
    assert {(event["type"], event["uuid"]) for event in told} == {
        ("task-received", active), ("task-started", active), ("task-received", waiting),
    }  # fmt: skip
    received = next(event for event in told if event["uuid"] == waiting)
    assert received["args"] == "(8, '/media/videos/8.mp4', 0.0, 0.0)"
    assert abs(received["timestamp"] - time.time()) < 60
    hear(lambda heard: any(event["type"] == "worker-heartbeat" and event["active"] == 1 for event in heard))
    assert adapter.stop(timeout_s=20) == 0
    hear(lambda heard: heard[-1]["type"] == "worker-offline")
    assert client.keys("*celeryev*") == ["_kombu.binding.celeryev"]  # the receiver's own; nothing is kept of ours


@pytest.mark.slow
def test_nothing_is_told_of_tasks_while_nobody_asks(start, hear, redis_url):
    start().wait()
    request_encoding(redis_url, 7, "/media/videos/7.mp4")
    assert of_tasks(hear(lambda heard: len(heard) >= 3)) == []
