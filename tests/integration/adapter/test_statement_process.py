"""`python -m adapter` and xAPI statements: the real process, and the operator's commands."""

import json

import pytest
import redis

from adapter import keys
from podjobs.contract.errors import Problem
from support.statements import messages_of, new_statement

PROBLEM = Problem(title="Broken.", status=422, detail="It is broken.")


def bury_statement(client, number):
    fields = {"kind": "statement", "statement": json.dumps(new_statement(number)), "problem": PROBLEM.model_dump_json()}
    return client.xadd(keys.DEAD, fields)


def test_dead_replay_of_a_statement_puts_it_into_the_stream_again(command, client):
    entry_id = bury_statement(client, 1)
    listed = command("dead", "list").stdout
    assert f"statement {new_statement(1)['id']}" in listed
    assert "It is broken." in listed
    shown = json.loads(command("dead", "show", entry_id).stdout)
    assert json.loads(shown["statement"]) == new_statement(1)
    replayed = command("dead", "replay", entry_id)
    assert replayed.stdout.strip() == f"The statement {new_statement(1)['id']} goes to the LRS with the next batch."
    ((_, fields),) = client.xrange(keys.STATEMENTS)
    assert json.loads(fields["statement"]) == new_statement(1)
    assert client.xlen(keys.DEAD) == 0


def test_dead_drop_of_a_statement_forgets_it(command, client):
    entry_id = bury_statement(client, 1)
    assert command("dead", "drop", entry_id).returncode == 0
    assert client.xlen(keys.DEAD) == client.xlen(keys.STATEMENTS) == 0


def test_dead_all_of_a_kind_are_listed_replayed_or_dropped_together(command, client):
    client.xadd(keys.DEAD, {"kind": "job", "job": "job-1", "problem": PROBLEM.model_dump_json()})
    for number in range(450):
        bury_statement(client, number)
    listed = command("dead", "list", "--kind", "job").stdout.splitlines()
    assert len(listed) == 2
    replayed = command("dead", "replay", "--all", "statement")
    assert len(replayed.stdout.splitlines()) == 450
    stored = [json.loads(fields["statement"])["id"] for _, fields in client.xrange(keys.STATEMENTS)]
    assert stored == [new_statement(number)["id"] for number in range(450)]
    assert client.xlen(keys.DEAD) == 1
    assert command("dead", "drop", "--all", "job").returncode == 0
    assert client.xlen(keys.DEAD) == 0


@pytest.mark.parametrize("arguments", [(), ("--all", "job", "1-1")])
def test_dead_replay_without_a_clear_choice_is_refused(command, arguments):
    ended = command("dead", "replay", *arguments)
    assert ended.returncode == 2
    assert "Name entries, or a kind with --all." in ended.stderr


def test_dead_replay_of_a_message_of_xapi_goes_to_its_own_broker(command, client, environment, redis_url):
    other = f"{redis_url[:-1]}3"
    environment["XAPI_CELERY_BROKER_URL"] = other
    fields = {"kind": "message", "queue": "xapi", "raw": "rubbish", "problem": PROBLEM.model_dump_json()}
    assert command("dead", "replay", client.xadd(keys.DEAD, fields)).returncode == 0
    with redis.Redis.from_url(other) as broker:
        assert broker.lrange("xapi", 0, -1) == [b"rubbish"]


def test_adapter_without_the_xapi_function_leaves_its_queue_alone_and_says_so(start, client):
    client.lpush("xapi", *messages_of(0, 3))
    adapter = start().wait()
    assert "PODJOBS_FUNCTION_URL_XAPI is not set: the queue xapi is not read." in adapter.log.read_text()
    status = adapter.get("status").json()
    assert "statements" not in status
    assert list(status["functions"]) == ["encoding", "notification"]
    assert client.llen("xapi") == 3


def test_adapter_takes_statements_from_their_own_broker_holds_them_and_gives_them_back(start, client, redis_url):
    other = f"{redis_url[:-1]}3"
    with redis.Redis.from_url(other) as broker:
        broker.lpush("xapi", *messages_of(0, 250))
        limits = {"PODJOBS_XAPI_HELD_LIMIT": "200", "PODJOBS_XAPI_BATCH_WAIT_S": "0.1"}
        adapter = start(PODJOBS_FUNCTION_URL_XAPI="http://127.0.0.1:1/", XAPI_CELERY_BROKER_URL=other, **limits).wait()
        adapter.wait_for(lambda: adapter.get("status").json()["statements"]["is_full"])
        adapter.wait_for(lambda: adapter.get("status").json()["functions"]["xapi"]["trouble"])
        status = adapter.get("status").json()
        assert status["statements"] == {"held": 200, "held_limit": 200, "is_full": True}
        assert status["queues"] == {"encoding": 0, "xapi": 50}
        assert "cannot be reached" in status["functions"]["xapi"]["trouble"]
        assert adapter.stop() == 0
        assert broker.keys("xapi:*") == []
        assert broker.llen("xapi") == 50
    assert client.xlen(keys.STATEMENTS) == 200
    assert [row["name"] for row in client.xinfo_consumers(keys.STATEMENTS, keys.GROUP)] == [keys.WAITING]
    assert "they stay on Pod's queue" in adapter.log.read_text()
