"""flower beside a real adapter: its pages show the nodes online, and their tasks."""

import sys

import httpx
import pytest

from adapter.redis import keys
from local.client import request_encoding
from support.processes import Program, free_port, wait_for

from .conftest import HOST

pytestmark = pytest.mark.slow

NODE, STATEMENTS = f"encode@{HOST}", f"xapi@{HOST}"
STUDIO = "pod.video_encode_transcript.encoding_tasks.start_studio_task"
ENCODING = "pod.video_encode_transcript.encoding_tasks.start_encoding_task"


@pytest.fixture
def flower(redis_url, tmp_path):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    argv = [sys.executable, "-m", "celery", f"--broker={redis_url}", "flower", f"--port={port}", "--address=127.0.0.1"]
    settings = {"FLOWER_UNAUTHENTICATED_API": "true"}
    program = Program("flower", argv, settings, tmp_path / "flower.log", f"{url}/healthcheck", folder=tmp_path)
    program.start()
    yield program.wait()
    program.kill()


@pytest.fixture
def ask(flower):
    def request(page, method="GET"):
        return httpx.request(method, flower.page.replace("healthcheck", page), timeout=20).raise_for_status().json()

    return request


def test_flower_shows_the_nodes_online_and_their_tasks_and_revokes_one(
    start, silent_url, redis_url, client, ask, flower
):
    settings = {"PODJOBS_FUNCTION_URL_XAPI": silent_url, "PODJOBS_CONCURRENCY_ENCODING": "1"}
    start(PODJOBS_FUNCTION_URL_ENCODING=silent_url, **settings).wait()
    active, waiting = (request_encoding(redis_url, video_id, f"/media/videos/{video_id}.mp4") for video_id in (7, 8))

    def tasks():
        return {task["uuid"]: task["state"] for task in ask("api/tasks").values()}

    wait_for(lambda: tasks() == {active: "STARTED", waiting: "RECEIVED"}, 30, flower.said)
    wait_for(lambda: ask("api/workers?status=true") == {NODE: True, STATEMENTS: True}, 10, flower.said)
    shown = ask(f"api/workers?refresh=1&workername={NODE}")[NODE]
    assert [task["id"] for task in shown["active"]] == [active]
    assert [task["id"] for task in shown["reserved"]] == [waiting]
    assert shown["active_queues"][0]["name"] == "encoding"
    assert shown["stats"]["pool"]["max-concurrency"] == 1
    assert shown["registered"] == [ENCODING, STUDIO, "podjobs.recovery"]
    assert ask("api/tasks")[waiting]["name"] == ENCODING
    assert ask("api/tasks")[waiting]["args"] == "(8, '/media/videos/8.mp4', 0.0, 0.0)"
    ask(f"api/task/revoke/{waiting}?terminate=true", "POST")
    wait_for(lambda: client.hget(keys.job(waiting), "cancelled_by") == "celery control", 10, flower.said)
    assert "Traceback" not in flower.said()


def test_flower_sees_tasks_end(start, serve_status, redis_url, ask, flower):
    settings = {"PODJOBS_RETRY_LIMIT_NOTIFICATION": "1", "PODJOBS_RETRY_LIMIT_ENCODING": "1"}
    refusing = serve_status(422)
    start(PODJOBS_FUNCTION_URL_ENCODING=refusing, PODJOBS_FUNCTION_URL_NOTIFICATION=refusing, **settings).wait()
    wait_for(lambda: ask("api/workers?status=true") == {NODE: True}, 20, flower.said)
    job_id = request_encoding(redis_url, 7, "/media/videos/7.mp4")
    wait_for(lambda: ask("api/tasks").get(job_id, {}).get("state") == "FAILURE", 30, flower.said)
    assert "422" in ask("api/tasks")[job_id]["exception"]
