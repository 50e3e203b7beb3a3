"""Clients of a master that Sentinel watches: of the adapter, and of programs without an event loop."""

import asyncio
import contextlib
import multiprocessing
import time

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisError

from adapter.redis.connections import POOL_CONNECTIONS, open_redis
from adapter.redis_retry import retry_until_redis_answers
from podjobs.redis_connections import open_redis_sync
from support.processes import wait_for
from support.redis_servers import FAILOVER_LIMIT_S, MASTER, PASSWORD, running_cluster

pytestmark = pytest.mark.slow

COUNT_UP = "return redis.call('INCR', KEYS[1])"


@pytest.fixture(params=["plain", "tls"])
def cluster(request, tmp_path):
    with running_cluster(tmp_path, over_tls=request.param == "tls") as cluster:
        yield cluster


async def test_client_goes_on_at_the_new_master_and_loads_its_scripts_there(cluster):
    async with contextlib.aclosing(open_redis(cluster.url, text=True)) as client:
        count_up = client.register_script(COUNT_UP)
        calls = (count_up(keys=["count"]) for _ in range(POOL_CONNECTIONS * 3))
        await asyncio.gather(*calls)
        cluster.master().call("WAIT", 1, 5000)
        cluster.sentinels[0].kill()  # the first one that is asked
        killed = cluster.master()
        killed.kill()
        started = time.monotonic()
        count = await retry_until_redis_answers(lambda: count_up(keys=["count"]), "count")
        assert count == POOL_CONNECTIONS * 3 + 1
        assert time.monotonic() - started < FAILOVER_LIMIT_S
        with pytest.raises(NoScriptError):
            await client.evalsha("0" * 40, 0)
        # the old master comes back, as a replica: nothing is written to it
        killed.start()
        wait_for(lambda: killed.answers() and killed.call("ROLE")[0] == "slave", FAILOVER_LIMIT_S)
        counts = await asyncio.gather(*(count_up(keys=["count"]) for _ in range(POOL_CONNECTIONS * 3)))
        assert max(counts) == POOL_CONNECTIONS * 6 + 1


def _count_in_child(url, connection):
    with open_redis_sync(url, retries=12, longest_wait_s=8) as client:
        connection.send(client.incr("count"))
        connection.recv()  # the master is dead now
        connection.send(client.incr("count"))


def test_client_of_a_forked_child_goes_on_at_the_new_master(cluster):
    with open_redis_sync(cluster.url) as ours:
        assert ours.incr("count") == 1
        here, there = multiprocessing.Pipe()
        child = multiprocessing.get_context("fork").Process(target=_count_in_child, args=(cluster.url, there))
        child.start()
        assert here.recv() == 2
        cluster.master().call("WAIT", 1, 5000)
        cluster.master().kill()
        here.send("go on")
        assert here.poll(FAILOVER_LIMIT_S * 2)
        assert here.recv() == 3
        child.join()
        assert ours.incr("count") == 4


async def test_client_leaves_a_master_that_was_replaced_but_lives_on(tmp_path):
    with running_cluster(tmp_path) as cluster:
        old, new = cluster.servers
        async with contextlib.aclosing(open_redis(cluster.url, text=True)) as client:
            await client.set("key", "old")
            old.call("WAIT", 1, 5000)
            # as behind a broken link: it takes no more writes, but its connections stay open
            for sentinel in cluster.sentinels[1:]:
                sentinel.call("SENTINEL", "REMOVE", MASTER)
            new.call("REPLICAOF", "NO", "ONE")
            old.call("CONFIG", "SET", "min-replicas-to-write", "1")
            with pytest.raises(RedisConnectionError, match="not the master any more: NOREPLICAS"):
                await client.set("key", "lost")
            with pytest.raises(RedisConnectionError, match="not the master any more: NOREPLICAS"):
                await client.eval("return redis.call('SET', KEYS[1], 'lost')", 1, "key")
            for sentinel in cluster.sentinels[1:]:  # the first one does not know yet
                sentinel.call("SENTINEL", "MONITOR", MASTER, "127.0.0.1", new.port, 2)
                sentinel.call("SENTINEL", "SET", MASTER, "auth-pass", PASSWORD)
            assert await retry_until_redis_answers(lambda: client.set("key", "new"), "test")
            assert await client.get("key") == "new"
            assert old.call("ROLE")[0] == "master"


async def test_client_whose_sentinels_do_not_know_the_master_says_so_without_secrets(tmp_path):
    with running_cluster(tmp_path) as cluster:
        cluster.sentinels[0].kill()
        for url, said in (
            (
                cluster.url.replace(MASTER, "other"),
                f"No Sentinel names the master other: .*{cluster.sentinels[1].port}",
            ),
            (cluster.url.replace("sentinel_password=", "sentinel_password=x"), "invalid username-password pair"),
        ):
            async with contextlib.aclosing(open_redis(url, text=True)) as client:
                with pytest.raises(RedisError, match=said) as caught:
                    await client.ping()
            with open_redis_sync(url) as client, pytest.raises(RedisError, match=said) as caught_sync:
                client.ping()
            for error in (caught.value, caught_sync.value):
                assert "of the" not in str(error)
                assert "%20" not in str(error)
