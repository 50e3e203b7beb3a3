"""`python -m adapter` and xAPI statements: the real process."""

import redis

from adapter.redis import keys
from support.statements import messages_of


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
        statements = status["statements"]
        assert (statements["held"], statements["held_limit"], statements["is_full"]) == (200, 200, True)
        assert "PODJOBS_XAPI_HELD_LIMIT" in status["obstacles"]["xapi"]
        assert status["queues"] == {"encoding": 0, "xapi": 50}
        assert "cannot be reached" in status["functions"]["xapi"]["trouble"]
        assert adapter.stop() == 0
        assert broker.keys("xapi:*") == []
        assert broker.llen("xapi") == 50
    assert client.xlen(keys.STATEMENTS) == 200
    assert [row["name"] for row in client.xinfo_consumers(keys.STATEMENTS, keys.GROUP)] == [keys.RETURNED]
    assert "stay on Pod's queue" in adapter.log.read_text()


def test_adapter_at_the_bound_of_dead_letters_is_not_ready_and_says_what_to_do(start, client):
    adapter = start(PODJOBS_XAPI_HELD_BYTES="10", PODJOBS_DEAD_LIMIT_BYTES="1000").wait()
    client.lpush("encoding", "x" * 1000)
    adapter.wait_for(lambda: adapter.get("readyz").status_code == 503)
    assert "replay or drop dead letters, or raise PODJOBS_DEAD_LIMIT_BYTES" in adapter.get("readyz").text
    adapter.wait_for(lambda: adapter.get("status").json()["obstacles"])
    client.lpush("encoding", "y")
    assert client.llen("encoding") == 1
    assert client.xlen(keys.DEAD) == 1
