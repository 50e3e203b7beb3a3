"""`python -m adapter`: the real process, started, queried, stopped."""

import json
import signal
import socket

import pytest

from adapter.redis import keys
from local.client import request_encoding
from podjobs.settings import SAME_SECRET
from support.parts import new_function, running_redis
from support.processes import REPOSITORY, free_port, wait_for


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
    assert (params["source"], params["cut"]) == ("videos/été 'x'.mp4", {"start_s": 1, "end_s": 2.5})


def test_adapter_pages_show_its_state(start):
    adapter = start().wait()
    assert adapter.get("healthz").text == "ok\n"
    status = adapter.get("status").json()
    assert status["queues"] == {"encoding": 0}
    assert status["functions"]["notification"]["concurrency"] == 4
    assert (status["jobs_live"], status["dead"], status["redis"]) == (0, 0, "ok")


def test_adapter_gives_back_what_it_holds_and_leaves_no_trace(start, client, redis_url):
    adapter = start().wait()
    request_encoding(redis_url, 7, "/media/7.mp4")
    adapter.wait_for(lambda: adapter.get("status").json()["functions"]["encoding"]["on_hold_here"] == 1)
    assert adapter.stop() == 0
    assert client.keys("{podjobs}:adapter:*") == []
    assert client.keys("encoding*") == []
    (pending,) = client.xpending_range(keys.steps("encoding"), keys.GROUP, "-", "+", 10)
    assert (pending["consumer"], pending["times_delivered"]) == (keys.RETURNED, 0)
    assert [row["name"] for row in client.xinfo_consumers(keys.steps("encoding"), keys.GROUP)] == [keys.RETURNED]
    assert adapter.lines()[-1]["message"] == "The adapter has stopped."


def test_adapter_second_signal_ends_it_at_once(start, silent_port, redis_url):
    adapter = start(PODJOBS_FUNCTION_URL_ENCODING=f"http://127.0.0.1:{silent_port}/", PODJOBS_GRACE_S="60").wait()
    request_encoding(redis_url, 7, "/media/7.mp4")
    adapter.wait_for(lambda: adapter.get("status").json()["functions"]["encoding"]["running_here"] == 1)
    adapter.process.send_signal(signal.SIGTERM)
    adapter.wait_for(lambda: "The adapter stops." in adapter.log.read_text())
    assert adapter.stop(timeout_s=3) == 1


def test_adapter_lets_go_of_a_step_whose_job_is_superseded_within_seconds(start, redis_url):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        adapter = start(PODJOBS_FUNCTION_URL_ENCODING=url, PODJOBS_CONCURRENCY_ENCODING="1").wait()
        request_encoding(redis_url, 7, "/media/7.mp4")
        connection, _ = server.accept()
        with connection:
            connection.settimeout(5)
            request_encoding(redis_url, 7, "/media/7.mp4")
            while connection.recv(65536):
                pass  # the request, until the adapter closes the connection
        server.accept()[0].close()
        assert "A step was let go: it is no longer open." in adapter.said()


def test_adapter_with_wrong_settings_names_them_all_and_ends(environment, start):
    adapter = start(MEDIA_ROOT="media", PODJOBS_FUNCTION_URL_ENCODING="x", PODJOBS_REDIS_URL="amqp://u:s3cret@h//")
    assert adapter.process.wait(10) == 2
    text = adapter.log.read_text()
    for name in ("MEDIA_ROOT", "PODJOBS_FUNCTION_URL_ENCODING", "PODJOBS_REDIS_URL"):
        assert name in text
    assert "s3cret" not in text
    assert "Traceback" not in text


def test_adapter_health_port_that_is_taken_is_named(start):
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


def test_adapter_with_another_secret_than_the_function_says_so_and_steps_wait_for_the_right_one(
    start, client, redis_url, tmp_path
):
    secrets = "the-secret-of-the-function", "another-secret-altogether"
    ours, others = ({"PODJOBS_FUNCTION_SECRET": secret} for secret in secrets)
    settings = {"MEDIA_ROOT": str(tmp_path)} | ours
    function = new_function("encoding", REPOSITORY / "functions/encoding/main.py", settings, tmp_path)
    function.start()
    try:
        function.wait()
        wrong = start(PODJOBS_FUNCTION_URL_ENCODING=function.page, **others)
        job_id = request_encoding(redis_url, 7, "/media/7.mp4")
        wrong.wait_for(lambda: "The function refuses the adapter." in wrong.said())
        (line,) = [one for one in wrong.lines() if one["message"].startswith("The function refuses the adapter.")][:1]
        assert (line["level"], line["status"], line["attempt"]) == ("error", 401, 1)
        assert SAME_SECRET in line["reason"]
        assert SAME_SECRET in client.hget(keys.job(job_id), "trouble")
        assert wrong.stop() == 0
        right = start(PODJOBS_FUNCTION_URL_ENCODING=function.page, **ours)
        missed = "A step does not find its source."
        right.wait_for(lambda: missed in right.said())
        assert [one["attempt"] for one in right.lines() if one["message"] == missed] == [1]
    finally:
        function.kill()
    assert not any(secret in part.said() for part in (wrong, right, function) for secret in secrets)
