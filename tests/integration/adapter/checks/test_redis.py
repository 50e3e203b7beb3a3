"""What is found out by Redis: about the server itself, adapters, queues and what waits for an operator."""

import asyncio
import json
import socket
import threading
import time

import pytest

from adapter.about import AdapterAbout
from adapter.redis import keys
from adapter.redis.connections import open_redis
from adapter.steering.steering import Steering
from adapter.steps.records import Records
from podjobs.contract.errors import Problem
from podjobs.contract.examinations import Verdict
from support.parts import running_redis
from support.processes import wait_for
from support.shifted_clock import OBSTACLE, ShiftedClock


@pytest.fixture
def lines(look):
    """The findings about a subject. The functions are nowhere, which is said of them alone."""

    def about(subject, verdict=Verdict.FAULT):
        return [line for line in look(verdict=verdict) if line.startswith(f"{subject}/")]

    return about


def test_redis_that_is_not_there_is_named_with_its_setting(lines, settings):
    settings["PODJOBS_REDIS_URL"] = "redis://:hunter2@127.0.0.1:1/0"
    (line,) = lines("Redis")
    assert line.startswith("Redis/jobs: It does not answer")
    assert line.endswith("Start it, or correct PODJOBS_REDIS_URL.")
    assert "hunter2" not in line


@pytest.fixture
def configured(client):
    """Configure the server; as it was afterwards."""
    before = {}

    def configure(**values):
        for name, value in values.items():
            name = name.replace("_", "-")  # noqa: PLW2901
            before.setdefault(name, client.config_get(name)[name])
            client.config_set(name, value)

    yield configure
    for name, value in before.items():
        client.config_set(name, value)


def test_redis_that_may_drop_jobs_is_said(lines, configured):
    configured(maxmemory_policy="allkeys-lru", maxmemory="1gb")
    (line,) = lines("Redis")
    assert "It may drop jobs when its memory is full: set its maxmemory-policy, allkeys-lru, to noeviction." in line


def test_redis_whose_memory_is_almost_full_is_said(lines, configured, client):
    configured(maxmemory=str(int(client.info()["used_memory"] * 1.02)))
    (line,) = lines("Redis")
    assert "of its memory, " in line
    assert "raise its maxmemory" in line


def test_redis_that_forgets_what_it_accepted_last_is_a_note(lines):
    (line,) = lines("Redis", Verdict.NOTE)
    assert "what it accepted last is lost if it crashes, for its appendonly is no" in line


def test_redis_that_is_a_replica_is_said(lines, client):
    client.replicaof("127.0.0.1", 1)
    try:
        (line,) = lines("Redis")
    finally:
        client.replicaof("NO", "ONE")
    assert "It is a replica, which takes no jobs: name its master" in line


class SlowLine:
    """Carries bytes between a client and a server, each of the client's packets after a while."""

    def __init__(self, port, delay_s):
        self._port, self._delay_s = port, delay_s
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self._server.close()

    def _serve(self):
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._port))
            threading.Thread(target=self._carry, args=(client, server, self._delay_s), daemon=True).start()
            threading.Thread(target=self._carry, args=(server, client, 0), daemon=True).start()

    @staticmethod
    def _carry(source, target, delay_s):
        try:
            while block := source.recv(65536):
                time.sleep(delay_s)
                target.sendall(block)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            target.close()


def test_redis_that_answers_slowly_is_said(lines, settings, redis_port):
    line = SlowLine(redis_port, 0.08)
    settings["ENCODING_TRANSCODING_CELERY_BROKER_URL"] = f"redis://127.0.0.1:{line.port}/0"
    (said,) = lines("Redis")
    line.close()
    assert "ms to answer, and each step waits for several answers" in said


@pytest.mark.skipif(bool(OBSTACLE), reason=OBSTACLE)
def test_clock_of_redis_that_is_wrong_is_said(lines, settings, tmp_path):
    clock = ShiftedClock.made_in(tmp_path)
    with running_redis(tmp_path / "redis", settings=clock.settings) as port:
        clock.set_by(-300)
        settings["ENCODING_TRANSCODING_CELERY_BROKER_URL"] = f"redis://127.0.0.1:{port}/0"
        (line,) = lines("clocks")
    assert line.startswith("clocks/this machine: The clock of this machine is 300 s ahead of that of Redis")
    assert line.endswith("Set both by NTP.")


def test_that_no_adapter_lives_is_said(lines):
    (line,) = lines("adapters")
    assert line.startswith("adapters/all: No adapter takes anything from Pod's queues")
    assert "systemctl start podjobs-adapter" in line


def test_adapter_that_lives_is_well_and_one_that_was_killed_is_said(lines, adapter_lives, client):
    assert lines("adapters") == []
    gone = AdapterAbout("gone", host="worker-2", pid=7)
    client.set(keys.about("gone"), json.dumps(gone.as_fields()))
    client.zadd(keys.ADAPTERS, {"gone": time.time() - 60})
    (line,) = lines("adapters", Verdict.NOTE)
    assert line.startswith("adapters/worker-2, process 7: The adapter was last heard of 60 s ago: it was killed")


def test_adapter_of_another_version_is_said(lines, adapter_lives, client):
    old = AdapterAbout("old", version="0.0.9", host="worker-2")
    client.set(keys.about("old"), json.dumps(old.as_fields()))
    client.zadd(keys.ADAPTERS, {"old": time.time()})
    (line,) = lines("versions")
    assert line.startswith("versions/adapter on worker-2: The adapter on worker-2 is of version 0.0.9, this command of")


def test_function_that_is_paused_is_said_with_the_command_that_ends_it(lines, redis_url):
    async def pause():
        redis = open_redis(redis_url, text=True)
        await Steering(redis, Records(redis, 10)).pause("encoding", "marie", "new disks")
        await redis.aclose()

    asyncio.run(pause())
    (line,) = lines("paused")
    assert "The function encoding is paused since" in line
    assert "by marie (new disks): steps wait. `podjobs resume encoding` lets them go on." in line


def test_dead_letters_are_counted_and_the_latest_is_explained(lines, client):
    problem = Problem(title="Broken.", status=422, detail="The video is broken.").model_dump_json()
    client.xadd(keys.DEAD, {"kind": "job", "job": "job-1", "problem": problem})
    (line,) = lines("dead letters")
    assert line == (
        "dead letters/all: There is 1, the latest because: The video is broken. See `podjobs dead list`; then replay "
        "or drop them."
    )


def test_queue_that_is_handed_back_is_said(lines, client):
    client.set(keys.handed_back("encoding"), int(time.time()))
    (line,) = lines("queues")
    assert line.startswith("queues/queue encoding: The queue encoding is handed back to Pod's workers")
    assert "`podjobs takeover encoding` begins again." in line


def test_messages_that_are_too_long_are_said(lines, client):
    client.rpush(keys.too_long("encoding"), "x")
    (line,) = lines("queues")
    assert "1 message is too long to be read" in line


class Waiting:
    """Waits for messages as a Celery worker that answers no command."""

    def __init__(self, client):
        self._client = client
        threading.Thread(target=self._wait, daemon=True).start()
        wait_for(lambda: any(one["cmd"] == "brpop" for one in client.client_list()), 5)

    def _wait(self):
        self._client.connection_pool.get_connection().send_command("BRPOP", "encoding", 3)
        time.sleep(3)


def test_programs_that_wait_as_celery_workers_do_are_noted(lines, client):
    Waiting(client)
    (line,) = lines("queues", Verdict.NOTE)
    assert line.startswith("queues/encoding: Programs at 127.0.0.1 wait for messages in this database as Celery's")
