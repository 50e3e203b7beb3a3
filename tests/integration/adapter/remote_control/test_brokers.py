"""Brokers that are reached in other ways, and a broker with much on it."""

import time

import pytest
from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from adapter.redis import keys
from adapter.remote_control.overview import LISTED
from local.client import request_encoding
from support.jobs import encoding_message
from support.parts import new_adapter
from support.processes import wait_for
from support.redis_servers import (
    MASTER,
    PASSWORD,
    SENTINEL_PASSWORD,
    make_certificates,
    new_server,
    quoted,
    running_cluster,
)

from .conftest import HOST

pytestmark = pytest.mark.slow

NODE = f"encode@{HOST}"
PONG = {NODE: {"ok": "pong"}}
ANSWER_LIMIT_S = 1.0
"""What Celery's commands wait by default."""


@pytest.fixture
def start_at(tmp_path):
    running = []

    def start_one(url, **settings):
        adapter = new_adapter(url, settings, tmp_path, f"adapter-{len(running)}")
        adapter.start()
        running.append(adapter)
        return adapter.wait()

    yield start_one
    for adapter in running:
        adapter.kill()


def ping(app):
    try:
        return app.control.inspect(limit=1, timeout=1.0).ping()
    except (OperationalError, RedisError) as error:  # the master is being replaced
        return error


def test_broker_behind_sentinel_is_answered_on_before_and_after_a_failover(tmp_path, start_at):
    with running_cluster(tmp_path / "redis") as cluster:
        adapter = start_at(cluster.url)
        login = f"sentinel://:{quoted(PASSWORD)}@127.0.0.1"
        hosts = ";".join(f"{login}:{sentinel.port}/5" for sentinel in cluster.sentinels)
        options = {"master_name": MASTER, "sentinel_kwargs": {"password": SENTINEL_PASSWORD}}
        with Celery("pod", broker=hosts, backend=None) as app:
            app.conf.broker_transport_options = options
            wait_for(lambda: ping(app) == PONG, 20, adapter.said)
            cluster.replace_master()
        with Celery("pod", broker=hosts, backend=None) as app:
            app.conf.broker_transport_options = options
            wait_for(lambda: ping(app) == PONG, 40, adapter.said)
        assert "Traceback" not in adapter.said()


def test_broker_over_tls_is_answered_on(tmp_path, start_at):
    certificates = make_certificates(tmp_path / "certificates")
    server = new_server(tmp_path, "redis", tls=certificates)
    server.start()
    try:
        server.wait_for(server.answers)
        url = server.url.replace("/0?", "/5?")
        adapter = start_at(url)
        with Celery("pod", broker=f"{url}&ssl_cert_reqs=required", backend=None) as app:
            wait_for(lambda: ping(app) == PONG, 10, adapter.said)
    finally:
        server.kill()


def test_broker_at_a_socket_is_answered_on(tmp_path, start_at):
    path = tmp_path / "s"
    server = new_server(tmp_path, "redis", "--unixsocket", str(path))
    server.start()
    try:
        server.wait_for(server.answers)
        adapter = start_at(f"redis+socket://{path}?virtual_host=5")
        with Celery("pod", broker=f"redis+socket://{path}?virtual_host=5", backend=None) as app:
            wait_for(lambda: ping(app) == PONG, 10, adapter.said)
    finally:
        server.kill()


def test_user_without_the_right_to_channels_costs_only_the_remote_control(tmp_path, start_at):
    server = new_server(tmp_path, "redis")
    server.start()
    try:
        server.wait_for(server.answers)
        server.call("ACL", "SETUSER", "pod", "on", ">secret", "allkeys", "+@all", "resetchannels")
        url = server.url.replace("://", "://pod:secret@")
        adapter = start_at(url)
        adapter.wait_for(lambda: "Celery's remote control is interrupted." in adapter.said())
        job_id = request_encoding(url, 7, "/media/videos/7.mp4")
        wait_for(lambda: server.call("EXISTS", keys.job(job_id)), 10, adapter.said)
        assert adapter.said().count("Celery's remote control is interrupted.") <= 2
    finally:
        server.kill()


def test_answer_comes_within_a_second_while_a_hundred_jobs_run_and_ten_thousand_wait(
    start, silent_url, remote, celery, client, redis_url
):
    settings = {"PODJOBS_FUNCTION_URL_ENCODING": silent_url, "PODJOBS_CONCURRENCY_ENCODING": "100"}
    adapter = start(**settings).wait()
    raw = [encoding_message(f"job-{n}", n, f"/media/videos/{n}.mp4") for n in range(10_100)]
    client.lpush("encoding", *raw)
    wait_for(lambda: client.scard(keys.LIVE) == len(raw) and client.hlen(keys.running("encoding")) == 100, 120)
    took_s = {}
    for command in ("ping", "active", "reserved", "scheduled", "stats"):
        started_s = time.monotonic()
        answer = remote(command)[NODE]
        took_s[command] = round(time.monotonic() - started_s, 3)
        if command == "active":
            assert len(answer) == 100
        if command == "reserved":
            assert (len(answer), answer[0]["of"]) == (LISTED, 10_000)
    assert max(took_s.values()) < ANSWER_LIMIT_S, took_s
    assert len(celery("inspect", "active", "--json")[NODE]) == 100
    assert adapter.is_running
