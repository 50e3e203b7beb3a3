"""`python -m adapter`: the real process, started, asked, stopped; and the operator's commands."""

import json
import signal
import socket

import pytest
import redis

from adapter import keys
from local.client import request_encoding
from podjobs.contract.errors import Problem
from support.parts import running_redis
from support.processes import free_port, wait_for

PROBLEM = Problem(title="Broken.", status=422, detail="It is broken.")


@pytest.fixture
def silent_port():
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_adapter_takes_a_message_of_the_real_celery_client(start, client, redis_url):
    start().wait()
    job_id = request_encoding(redis_url, 7, "/media/videos/été 'x'.mp4", (1, 2.5))
    wait_for(lambda: client.exists(keys.job(job_id)), 5)
    params = json.loads(client.hget(keys.job(job_id), "params"))
    assert (params["video_path"], params["cut_start"], params["cut_end"]) == ("/media/videos/été 'x'.mp4", 1, 2.5)


def test_adapter_pages_tell_how_it_is(start):
    adapter = start().wait()
    assert adapter.get("healthz").text == "ok\n"
    status = adapter.get("status").json()
    assert status["queues"] == {"encoding": 0}
    assert status["functions"]["notification"]["concurrency"] == 4
    assert (status["jobs_live"], status["dead"], status["redis"]) == (0, 0, "ok")


def test_adapter_gives_back_what_it_holds_and_leaves_no_trace(start, client, redis_url):
    adapter = start().wait()
    request_encoding(redis_url, 7, "/media/7.mp4")
    adapter.wait_for(lambda: adapter.get("status").json()["functions"]["encoding"]["parked_here"] == 1)
    assert adapter.stop() == 0
    assert client.keys("podjobs:adapter:*") == []
    assert client.keys("encoding*") == []
    (pending,) = client.xpending_range(keys.steps("encoding"), keys.GROUP, "-", "+", 10)
    assert (pending["consumer"], pending["times_delivered"]) == (keys.WAITING, 0)
    assert [row["name"] for row in client.xinfo_consumers(keys.steps("encoding"), keys.GROUP)] == [keys.WAITING]
    assert adapter.lines()[-1]["message"] == "The adapter has stopped."


def test_adapter_second_signal_ends_it_at_once(start, silent_port, redis_url):
    adapter = start(PODJOBS_FUNCTION_URL_ENCODING=f"http://127.0.0.1:{silent_port}/", PODJOBS_GRACE_S="60").wait()
    request_encoding(redis_url, 7, "/media/7.mp4")
    adapter.wait_for(lambda: adapter.get("status").json()["functions"]["encoding"]["running_here"] == 1)
    adapter.process.send_signal(signal.SIGTERM)
    adapter.wait_for(lambda: "The adapter stops." in adapter.log.read_text())
    assert adapter.stop(timeout_s=3) == 1


def test_adapter_with_wrong_settings_names_them_all_and_ends(environment, start):
    adapter = start(MEDIA_ROOT="media", PODJOBS_FUNCTION_URL_ENCODING="x", PODJOBS_REDIS_URL="amqp://u:s3cret@h//")
    assert adapter.process.wait(10) == 2
    text = adapter.log.read_text()
    for name in ("MEDIA_ROOT", "PODJOBS_FUNCTION_URL_ENCODING", "PODJOBS_REDIS_URL"):
        assert name in text
    assert "s3cret" not in text
    assert "Traceback" not in text


def test_adapter_health_port_that_is_taken_is_told(start):
    first = start().wait()
    second = start(PODJOBS_HEALTH_PORT=first.url.rpartition(":")[2])
    assert second.process.wait(10) == 1
    assert "Set PODJOBS_HEALTH_PORT" in second.log.read_text()
    assert "Traceback" not in second.log.read_text()


def test_adapter_starts_before_redis_and_is_ready_when_it_comes(start, tmp_path):
    port = free_port()
    adapter = start(ENCODING_TRANSCODING_CELERY_BROKER_URL=f"redis://127.0.0.1:{port}/0")
    assert adapter.get("healthz").status_code == 200
    assert adapter.get("readyz").status_code == 503
    assert "Redis does not answer" in adapter.get("readyz").text
    with running_redis(tmp_path / "redis", port=port):
        adapter.wait()


def bury_job(client, job_id="job-1", entry_id="*"):
    params = {"type": "encoding", "id": job_id, "video_id": 7, "video_path": "/media/7.mp4"}
    fields = {"type": "encoding", "target": "7", "params": json.dumps(params)}
    record = fields | {"state": "failed", "weight_total": 4, "weight_done": 1, "accepted_at": "1700000000.5"}
    client.hset(keys.job(job_id), mapping=record | {"error": PROBLEM.model_dump_json()})
    client.zadd(keys.JOBS, {job_id: 1})
    client.rpush(keys.job_log(job_id), "It was tried.")
    dead = {"kind": "job", "job": job_id, **fields, "step": "{}", "problem": PROBLEM.model_dump_json()}
    return client.xadd(keys.DEAD, dead, id=entry_id)


def test_jobs_lists_them_with_state_progress_and_reason(command, client):
    bury_job(client)
    listed = command("jobs")
    assert listed.returncode == 0, listed.stderr
    (_, line) = listed.stdout.splitlines()
    assert line.split()[:5] == ["job-1", "encoding", "7", "failed", "25%"]
    assert line.rstrip().endswith("It is broken.")
    assert command("jobs", "--state", "done").stdout.splitlines()[1:] == []
    assert json.loads(command("jobs", "--json").stdout)["state"] == "failed"


def test_job_shows_one_with_its_log(command, client):
    bury_job(client)
    shown = command("job", "job-1").stdout
    for text in ("/media/7.mp4", "It is broken.", "It was tried."):
        assert text in shown
    missing = command("job", "nothing")
    assert missing.returncode == 1
    assert "There is no job 'nothing'" in missing.stderr


def test_dead_replay_of_a_job_starts_it_anew(command, client):
    entry_id = bury_job(client)
    assert entry_id in command("dead", "list").stdout
    assert json.loads(command("dead", "show", entry_id).stdout)["job"] == "job-1"
    replayed = command("dead", "replay", entry_id)
    assert replayed.stdout.strip() == "The job job-1 starts anew."
    assert client.hget(keys.job("job-1"), "state") == "queued"
    again = command("dead", "replay", entry_id)
    assert again.returncode == 1
    assert "There is no entry" in again.stderr


def test_dead_drop_forgets_an_entry_for_good(command, client):
    entry_id = bury_job(client)
    assert command("dead", "drop", entry_id).stdout.strip() == f"The entry {entry_id} is gone."
    assert client.xlen(keys.DEAD) == 0
    assert client.hget(keys.job("job-1"), "state") == "failed"
    assert command("dead", "drop", entry_id).returncode == 1


@pytest.mark.parametrize(
    ("kept", "raw"), [({"raw": "rubbish é"}, "rubbish é".encode()), ({"raw_base64": "//4A"}, b"\xff\xfe\x00")]
)
def test_dead_replay_of_a_message_puts_it_back_on_its_queue_byte_for_byte(command, client, redis_url, kept, raw):
    fields = {"kind": "message", "queue": "encoding", **kept, "problem": PROBLEM.model_dump_json()}
    entry_id = client.xadd(keys.DEAD, fields)
    replayed = command("dead", "replay", entry_id)
    assert replayed.returncode == 0, replayed.stderr
    with redis.Redis.from_url(redis_url) as binary:
        assert binary.lrange("encoding", 0, -1) == [raw]
    assert client.xlen(keys.DEAD) == 0


def test_commands_without_redis_say_so(environment, command):
    environment["ENCODING_TRANSCODING_CELERY_BROKER_URL"] = "redis://127.0.0.1:1/0"
    ended = command("jobs")
    assert ended.returncode == 1
    assert "Redis does not answer" in ended.stderr
    assert "Traceback" not in ended.stderr
