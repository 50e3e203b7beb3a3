"""The adapter's process with the runner API: how it starts, what it says, and the commands about it."""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import redis

from adapter.door.runner.clients import digest_of
from support.metrics import Samples
from support.parts import running_redis
from support.processes import free_port
from support.runner_requests import SITE, TOKEN, client_settings, v5_task

CLIENTS = {"pod": client_settings()}


@pytest.fixture
def start_api(start, tmp_path):
    """Start an adapter with the API; returns it, and the API's address."""

    def start_one(**settings):
        port = free_port()
        given = {
            "MEDIA_ROOT": str(tmp_path),
            "PODJOBS_RUNNER_PORT": str(port),
            "PODJOBS_RUNNER_ROOT": "runner/",
            "PODJOBS_RUNNER_CLIENTS": json.dumps(CLIENTS),
        }
        return start(**(given | settings)), f"http://127.0.0.1:{port}/runner"

    return start_one


def test_adapter_serves_the_api_beside_its_pages_and_keeps_secrets_to_itself(start_api, command):
    adapter, address = start_api()
    adapter.wait()
    answer = httpx.post(f"{address}/task/execute", json=v5_task(), headers={"X-API-Token": TOKEN})
    assert answer.status_code == 200
    task_id = answer.json()["task_id"]
    assert httpx.get(f"{address}/api/health").json() | {"version": ""} == {
        "status": "healthy", "results": "ok", "service": "pod-functions", "version": "",
    }  # fmt: skip
    samples = Samples(adapter.get("metrics").text)
    assert samples.get("podjobs_door_messages_total", queue="runner", outcome="stored") == 1
    page = adapter.get(f"jobs/{task_id}").text
    assert "<dt>Client</dt><dd>pod</dd>" in page
    shown = [command("show", task_id).stdout, command("show", task_id, "--json").stdout]
    assert re.search(r"^ *client +pod", shown[0], re.MULTILINE)
    status = httpx.get(f"{address}/task/status/{task_id}", headers={"X-API-Token": TOKEN}).text
    for text in (page, *shown, status, adapter.said()):
        assert "very-secret-value" not in text
        assert TOKEN not in text


@pytest.mark.slow
def test_adapter_without_the_media_takes_tasks_and_says_that_it_gives_no_results(start_api):
    adapter, address = start_api(MEDIA_ROOT="/nonexistent/media")
    adapter.wait()
    health = httpx.get(f"{address}/manager/health").json()
    assert (health["status"], health["results"]) == ("healthy", "unavailable")
    assert "The media root '/nonexistent/media' is not there" in adapter.said()
    assert "nonexistent" not in str(health)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"PODJOBS_RUNNER_CLIENTS": ""}, "PODJOBS_RUNNER_CLIENTS must name who may use the runner API"),
        (
            {"PODJOBS_RUNNER_CLIENTS": '{"pod": {"token_sha256": "x", "notify_hosts": []}}'},
            "PODJOBS_RUNNER_CLIENTS[pod]",
        ),
        ({"MEDIA_URL": "ftp://nowhere"}, "MEDIA_URL"),
    ],
)
def test_adapter_with_wrong_settings_of_the_api_names_them_and_ends(start_api, settings, named):
    adapter, _ = start_api(**settings)
    assert adapter.process.wait(timeout=20) == 2
    assert named in adapter.said()


@pytest.mark.slow
def test_check_looks_at_the_api_and_its_clients(start_api, command, environment):
    adapter, address = start_api()
    adapter.wait()
    port = address.removesuffix("/runner").rpartition(":")[2]
    clients = {
        "pod": client_settings(notify_hosts=["localhost"]),
        "local": client_settings(notify_hosts=["localhost"], private=True),
    }
    environment |= {"PODJOBS_RUNNER_PORT": port, "PODJOBS_RUNNER_ROOT": "/runner", "PODJOBS_HEALTH_PORT": "0"}
    environment["PODJOBS_RUNNER_CLIENTS"] = json.dumps(clients)
    found = json.loads(command("check", "--json").stdout)["findings"]
    said = {one["part"]: (one["verdict"], one["said"]) for one in found if one["subject"] == "runner"}
    assert said["API"] == ("ok", "It takes tasks, and gives results.")
    assert said["client local"][0] == "ok"
    assert said["client pod"][0] == "note"
    assert "Set private for the client in PODJOBS_RUNNER_CLIENTS" in said["client pod"][1]


def test_runner_client_makes_a_token_and_the_line_that_lets_it_in(command, environment):
    environment["PODJOBS_RUNNER_CLIENTS"] = json.dumps(CLIENTS)
    added = command(
        "runner-client", "other", "--host", "other.example.org:8443", "--source-host", "10.0.0.5", "--private"
    )
    token = added.stdout.splitlines()[2]
    assert 40 <= len(token) <= 50
    setting = json.loads(re.search(r"^PODJOBS_RUNNER_CLIENTS='(.*)'$", added.stdout, re.MULTILINE)[1])
    assert setting["pod"] == CLIENTS["pod"]
    assert setting["other"] == {
        "token_sha256": digest_of(token), "notify_hosts": ["other.example.org:8443"], "source_hosts": ["10.0.0.5"],
        "private": True,
    }  # fmt: skip
    renewed = command("runner-client", "pod", "--host", SITE.removeprefix("https://"))
    setting = json.loads(re.search(r"^PODJOBS_RUNNER_CLIENTS='(.*)'$", renewed.stdout, re.MULTILINE)[1])
    assert setting["pod"]["token_sha256"] == [digest_of(TOKEN), digest_of(renewed.stdout.splitlines()[2])]


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("a b", "--host", "x"), ("pod", "--host", "https://x"), ("pod",)])
def test_runner_client_that_cannot_be_is_refused(command, arguments):
    ended = command("runner-client", *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")


@pytest.mark.slow
def test_redis_that_is_away_is_waited_for_and_the_task_is_stored_once(start_api, tmp_path):
    """The less patient client waits ten seconds, and then takes the video for failed."""
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0"
    with running_redis(tmp_path / "redis", port=port):
        adapter, address = start_api(ENCODING_TRANSCODING_CELERY_BROKER_URL=url)
        adapter.wait()
    begun = time.monotonic()
    refused = httpx.post(f"{address}/task/execute", json=v5_task(), headers={"X-API-Token": TOKEN}, timeout=10)
    assert (refused.status_code, 3 < time.monotonic() - begun < 10) == (503, True)
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(
            httpx.post, f"{address}/task/execute", json=v5_task(), headers={"X-API-Token": TOKEN}, timeout=10
        )
        time.sleep(1)
        with running_redis(tmp_path / "redis", port=port):
            assert asked.result().status_code == 200
            with redis.Redis(port=port) as client:
                assert client.zcard("{podjobs}:jobs") == 1
    assert httpx.get(f"{address}/api/health").status_code == 503
