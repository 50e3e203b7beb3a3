"""`celery inspect` and `celery control`, answered by a real adapter."""

import base64
import json

import pytest

from adapter.redis import keys
from local.client import request_encoding, request_transcription
from support.celery_messages import celery_message
from support.processes import wait_for

from .conftest import HOST

ENCODE, TRANSCRIPT = f"encode@{HOST}", f"transcript@{HOST}"
ENCODING = "pod.video_encode_transcript.encoding_tasks.start_encoding_task"
STATEMENT = "pod.xapi.xapi_tasks.send_xapi_statement_task"
EVERY_COMMAND = ("active", "reserved", "ping", "stats", "registered", "active_queues", "scheduled", "report", "conf",
                 "revoked", "clock")  # fmt: skip


@pytest.fixture
def running(start, silent_url, redis_url, client):
    """An adapter with one job that runs and two that wait; returns it and the ids of the jobs."""
    adapter = start(PODJOBS_FUNCTION_URL_ENCODING=silent_url, PODJOBS_CONCURRENCY_ENCODING="1").wait()
    ids = [request_encoding(redis_url, video_id, f"/media/videos/{video_id}.mp4", (1, 2.5)) for video_id in (7, 8, 9)]
    wait_for(lambda: client.scard(keys.LIVE) == 3 and client.hlen(keys.running("encoding")) == 1, 10, adapter.said)
    return adapter, ids


def raw_request(method, reply_to):
    """A request as kombu writes it, but for where the reply is wanted."""
    body = base64.b64encode(json.dumps({"method": method, "ticket": "t", "reply_to": reply_to}).encode()).decode()
    return json.dumps({"headers": {}, "content-type": "application/json", "body": body})


def state(client, job_id):
    return client.hget(keys.job(job_id), "state")


def test_command_line_shows_what_runs_and_what_waits(running, celery):
    adapter, (active, *waiting) = running
    text = celery("inspect", "active")
    assert f"->  {ENCODE}: OK" in text
    for part in (active, ENCODING, "[7, '/media/videos/7.mp4', 1.0, 2.5]", "'stage': 'plan'", "'progress': 0.0"):
        assert part in text
    assert "1 node online" in text
    reserved = celery("inspect", "reserved", "--json")[ENCODE]
    assert {task["id"] for task in reserved} == set(waiting)
    assert [(task["position"], task["of"]) for task in reserved] == [(1, 2), (2, 2)]
    assert {task["name"] for task in reserved} == {ENCODING}
    assert adapter.stop() == 0


def test_revoke_cancels_what_waits_and_leaves_alone_what_runs(running, remote, client):
    _, (active, waiting, _) = running
    said = remote("revoke", task_id=[waiting, active])[ENCODE]["ok"]
    assert f"The job {waiting} is cancelled, and Pod is told." in said
    assert f"The job {active} has begun (plan, 0%) and was not touched." in said
    assert f"celery control terminate KILL {active}" in said
    assert client.hget(keys.job(waiting), "cancelled_by") == "celery control"
    assert (state(client, active), state(client, waiting)) == ("running", "failing")
    assert "is failing: there is nothing to cancel" in remote("revoke", task_id=waiting, terminate=True)[ENCODE]["ok"]


@pytest.mark.slow
def test_terminate_cancels_what_runs(running, celery, client):
    _, (active, waiting, other) = running
    assert f"The job {active} is cancelled" in celery("control", "terminate", "KILL", active)
    assert state(client, active) == "failing"
    # how Celery's command line can be given the option that it does not have
    assert f"The job {waiting} is cancelled" in celery("control", "revoke", "--", waiting, "--terminate")
    assert client.hget(keys.job(other), "cancelled_by") is None


def test_message_on_pods_list_is_reserved_and_a_revoked_one_is_not_begun(start, remote, client, redis_url):
    client.set(keys.handed_back("encoding"), "1")
    adapter = start().wait()
    job_id = request_encoding(redis_url, 7, "/media/videos/7.mp4")
    client.rpush("encoding", "no message")
    rubbish, listed = remote("reserved")[ENCODE]
    assert (listed["id"], listed["acknowledged"], listed["args"]) == (job_id, False, [7, "/media/videos/7.mp4", 0, 0])
    assert "cannot be read" in rubbish["args"][0]
    assert "If its message is read within a day, it is not begun" in remote("revoke", task_id=job_id)[ENCODE]["ok"]
    assert remote("revoked") == {ENCODE: [job_id]}
    client.delete(keys.handed_back("encoding"))
    adapter.wait_for(lambda: client.hget(keys.job(job_id), "cancelled_by"))
    assert state(client, job_id) in {"failing", "cancelled"}


@pytest.mark.slow
def test_query_task_finds_jobs_whatever_has_become_of_them(running, remote, client):
    _, (active, waiting, _) = running
    client.hset(keys.job("old"), mapping={"type": "encoding", "target": "1", "state": "done", "ended_at": "5"})
    found = remote("query_task", ids=[active, waiting, "old", "nobody"])[ENCODE]
    assert {job_id: row[0] for job_id, row in found.items()} == {active: "active", waiting: "reserved", "old": "ready"}
    assert found["old"][1]["progress"] == 1.0


@pytest.mark.slow
def test_step_that_waits_for_another_attempt_is_scheduled(start, remote, client, redis_url, serve_status):
    start(PODJOBS_FUNCTION_URL_ENCODING=serve_status(500), PODJOBS_RETRY_BASE_S="600").wait()
    job_id = request_encoding(redis_url, 7, "/media/videos/7.mp4")
    wait_for(lambda: client.hget(keys.job(job_id), "retries"), 10)
    (row,) = remote("scheduled")[ENCODE]
    assert row["request"]["id"] == job_id
    assert row["request"]["steps_waiting_for_retry"] == 1
    assert row["eta"] == row["request"]["retry_eta"]
    assert remote("active") == {ENCODE: []}


@pytest.mark.slow
def test_consumer_that_is_cancelled_pauses_its_function(running, remote, client):
    said = remote("cancel_consumer", queue="encoding")[ENCODE]["ok"]
    assert said.startswith("Paused, on all adapters: nothing more is delivered to the function encoding")
    assert json.loads(client.hget(keys.PAUSED, "encoding"))["by"] == "celery control"
    assert remote("add_consumer", queue="encoding") == {ENCODE: {"ok": "The function encoding goes on."}}
    assert not client.exists(keys.PAUSED)
    assert "reads the queue encoding only" in remote("cancel_consumer", queue="encodign")[ENCODE]["error"]


REFUSED = (
    ("shutdown", {}, "podjobs drain"),
    ("pool_grow", {"n": 2}, "PODJOBS_CONCURRENCY_ENCODING"),
    ("rate_limit", {"task_name": ENCODING, "rate_limit": "5/s"}, "no such limit"),
    ("objgraph", {}, "/status"),
    ("make_coffee", {}, "does not know the command 'make_coffee'"),
)


@pytest.mark.slow
def test_command_that_means_nothing_here_is_refused_with_what_to_do(start, remote):
    adapter = start().wait()
    for command, arguments, remedy in REFUSED:
        assert remedy in remote(command, **arguments)[ENCODE]["error"]
    assert adapter.is_running


@pytest.mark.slow
def test_every_command_is_answered_on_the_command_line_plain_and_as_json(start, celery, redis_url):
    start(
        PODJOBS_FUNCTION_URL_TRANSCRIPTION="http://127.0.0.1:1/", PODJOBS_FUNCTION_URL_XAPI="http://127.0.0.1:1/"
    ).wait()
    request_transcription(redis_url, 70, "/media/videos/0070/a.mp3", 9, "fr")
    nodes = {ENCODE, TRANSCRIPT, f"xapi@{HOST}"}
    for command in EVERY_COMMAND:
        text = celery("inspect", command)
        assert all(f"->  {node}: OK" in text for node in nodes), text
        assert "3 nodes online" in text
        assert set(celery("inspect", command, "--json")) == nodes
    assert celery("inspect", "-d", TRANSCRIPT, "ping", "--json") == {TRANSCRIPT: {"ok": "pong"}}
    assert "3 nodes online" in celery("status")
    assert celery("inspect", "active", "--timeout", "2", "--json")[TRANSCRIPT][0]["args"][0] == 70
    assert "An adapter is not shut down from afar" in celery("control", "shutdown")


def test_statements_are_shown_that_the_lrs_does_not_have(start, remote, client, silent_url):
    start(PODJOBS_FUNCTION_URL_XAPI=silent_url).wait()
    statements = [{"id": f"s-{number}", "verb": {"id": "v"}, "actor": {"mbox": "mailto:a@b.c"}} for number in range(3)]
    for statement in statements:
        client.lpush("xapi", celery_message(STATEMENT, [statement], message_id=statement["id"], queue="xapi"))
    node = f"xapi@{HOST}"
    wait_for(lambda: len(remote("active", destination=[node])[node]) == 3, 10)
    active = remote("active", destination=[node])[node]
    assert [task["args"] for task in active] == [[{"id": f"s-{number}", "verb": "v"}] for number in range(3)]
    assert remote("reserved", destination=[node]) == {node: []}
    assert "cannot be revoked" in remote("revoke", destination=[node], task_id="s-1")[node]["ok"]


@pytest.mark.slow
def test_remote_control_that_is_switched_off_is_not_answered(start, remote, client):
    start(PODJOBS_REMOTE_CONTROL="false").wait()
    assert remote("ping", timeout_s=0.7) == {}
    assert client.pubsub_channels() == []


def test_rubbish_on_the_channel_costs_nothing_but_a_line_in_the_log(start, remote, client):
    adapter = start().wait()
    wait_for(client.pubsub_channels, 5)
    elsewhere = raw_request("active", {"exchange": "", "routing_key": "encoding"})
    texts = ("", "{", "null", "[" * 100_000, "\x00\xff", "x" * 1_000_000, '{"headers": {}, "body": 3}')
    for message in (*texts, elsewhere):
        assert client.publish("/0.celery.pidbox", message) == 1
    for arguments in ({"task_id": {"a": 1}}, {"task_id": [[[]]]}, {"task_id": "x" * 100_000}, {"task_id": None}):
        assert "ok" in remote("revoke", **arguments)[ENCODE]
    assert remote("query_task", ids=3)[ENCODE] == {}
    assert remote("ping") == {ENCODE: {"ok": "pong"}}
    assert client.llen("encoding") == 0
    dropped = [line for line in adapter.lines() if "was dropped" in line["message"]]
    assert len(dropped) == 1
    assert "Traceback" not in adapter.said()


@pytest.mark.slow
def test_commands_leave_nothing_that_grows(start, celery, remote, client):
    adapter = start().wait()
    celery("inspect", "active")
    before = set(client.keys("*"))
    for _ in range(3):
        remote("active")
    assert set(client.keys("*")) - before <= {"_kombu.binding.reply.celery.pidbox", "_kombu.binding_deadlines"}
    # whoever asked may be gone when the reply comes
    key = "00000000-0000-0000-0000-000000000000"
    client.publish("/0.celery.pidbox", raw_request("ping", {"exchange": "reply.celery.pidbox", "routing_key": key}))
    wait_for(lambda: client.exists(f"{key}.reply.celery.pidbox"), 5)
    assert 0 < client.ttl(f"{key}.reply.celery.pidbox") <= 60
    assert adapter.stop() == 0
    assert client.keys("podjobs:nodes:*") == []
