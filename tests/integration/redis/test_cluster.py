"""The adapter's client of a real Redis in cluster mode: who has the keys is found, left and found again."""

import asyncio
import contextlib

import pytest
from redis.exceptions import RedisError

from adapter.redis import keys
from adapter.redis.cluster import NoOwnerError, SlotMovesError
from adapter.redis.connections import POOL_CONNECTIONS, open_redis
from adapter.redis.memory import KeyMemory
from adapter.redis.streams import Streams
from adapter.redis_retry import retry_until_redis_answers
from adapter.steps.entries import parse_entry
from adapter.steps.records import Records
from podjobs.contract.plans import Result
from support.jobs import encoding_job
from support.processes import wait_for
from support.redis_cluster import running_redis_cluster
from support.step_function import plan_of

COUNT_UP = "return redis.call('INCR', KEYS[1] .. 'count')"
KEYS = [keys.PREFIX, keys.NEVER]


@pytest.fixture(params=["plain", "tls"])
def cluster(request, tmp_path):
    with running_redis_cluster(tmp_path, replicas=1, over_tls=request.param == "tls") as cluster:
        yield cluster


async def _do_a_job(redis):
    """A job with two parallel steps, from its request to its end."""
    records, streams = Records(redis, 1000), Streams(redis, "one")
    for function in ("encoding", "notification"):
        await streams.ensure_group(keys.steps(function))
    await records.accept([encoding_job("job-1", 7, "/media/7.mp4")])
    outcomes = []
    for reply in (plan_of(2), Result(), Result()):
        ((entry_id, fields),), _ = await records.take("encoding", "one", 1)
        step = parse_entry("encoding", entry_id, fields, 1)
        assert None not in await records.join([step])
        outcomes.append((await records.commit(step, reply)).outcome)
    assert outcomes == ["continued", "continued", "done"]
    assert await streams.alive(["two", "three"], 1) == {"two", "three"}
    assert await KeyMemory(redis, keys.JOBS).size_bytes() > 0


async def test_job_in_a_cluster_goes_from_its_request_to_its_end(tmp_path):
    with running_redis_cluster(tmp_path) as cluster:
        async with contextlib.aclosing(open_redis(cluster.url, text=True)) as client:
            await _do_a_job(client)
            assert await client.hget(keys.job("job-1"), "state") == "done"
            target = cluster.other()
            cluster.move_slot(target)  # and the client finds it
            assert await client.hget(keys.job("job-1"), "state") == "done"
            assert (await client.info("server"))["tcp_port"] == target.port


@pytest.mark.slow
async def test_client_goes_on_at_the_replica_when_the_owner_is_killed(cluster):
    async with contextlib.aclosing(open_redis(cluster.url, text=True)) as client:
        count_up = client.register_script(COUNT_UP)
        await asyncio.gather(*(count_up(keys=KEYS) for _ in range(POOL_CONNECTIONS * 3)))
        cluster.owner().call("WAIT", 1, 5000)
        killed = cluster.kill_owner()
        assert await retry_until_redis_answers(lambda: count_up(keys=KEYS), "count") == POOL_CONNECTIONS * 3 + 1
        # it comes back as a replica: nothing is written to it
        killed.start()
        wait_for(lambda: killed.answers() and killed.call("ROLE")[0] == "slave", 20)
        counts = await asyncio.gather(*(count_up(keys=KEYS) for _ in range(POOL_CONNECTIONS * 3)))
        assert max(counts) == POOL_CONNECTIONS * 6 + 1
        await _do_a_job(client)


@pytest.mark.slow
async def test_client_finds_the_owner_though_the_only_node_of_its_setting_is_gone(tmp_path):
    with running_redis_cluster(tmp_path, replicas=1) as cluster:
        async with contextlib.aclosing(open_redis(cluster.url, text=True)) as client:
            await client.set(f"{keys.PREFIX}key", "value")
            cluster.owner().call("WAIT", 1, 5000)
            cluster.nodes[0].kill()
            await client.connection_pool.disconnect()
            assert await retry_until_redis_answers(lambda: client.get(f"{keys.PREFIX}key"), "read") == "value"


@pytest.mark.slow
async def test_script_while_the_slot_moves_does_nothing_at_either_node(tmp_path):
    """Without the key that never exists it would run where its keys are not: shown by a client that follows ASK."""
    with running_redis_cluster(tmp_path) as cluster:
        async with contextlib.aclosing(open_redis(cluster.url, text=True)) as client:
            count_up = client.register_script(COUNT_UP)
            assert await count_up(keys=KEYS) == 1
            target = cluster.other()
            cluster.begin_move(target)
            with cluster.client_of(target) as follower, follower.pipeline(transaction=False) as asking:
                for given in (KEYS, KEYS[:1]):
                    asking.execute_command("ASKING")
                    asking.eval(COUNT_UP, len(given), *given)
                _, refused, _, run = asking.execute(raise_on_error=False)
                assert "rehashing" in str(refused)
                assert run == 1  # the count at the old node was not seen
                follower.execute_command("ASKING")
                follower.delete(f"{keys.PREFIX}count")
            with pytest.raises(SlotMovesError, match="moves the jobs' keys"):
                await count_up(keys=KEYS)
            assert await client.get(f"{keys.PREFIX}count") == "1"  # a key that is still there
            with pytest.raises(SlotMovesError):
                await client.get(f"{keys.PREFIX}missing")
            counting = asyncio.create_task(retry_until_redis_answers(lambda: count_up(keys=KEYS), "count"))
            await asyncio.sleep(0.3)
            cluster.move_keys(target)
            await asyncio.sleep(0.3)
            assert not counting.done()
            cluster.end_move(target)
            assert await counting == 2


@pytest.mark.slow
async def test_client_of_a_cluster_that_does_not_answer_says_so_without_secrets(tmp_path):
    with running_redis_cluster(tmp_path) as cluster:
        async with contextlib.aclosing(open_redis(cluster.url.replace("://:", "://:x"), text=True)) as client:
            with pytest.raises(RedisError, match=r"invalid username-password pair") as caught:
                await client.ping()
            assert "%20" not in str(caught.value)
        url = cluster.url
    async with contextlib.aclosing(open_redis(url, text=True)) as client:
        with pytest.raises(NoOwnerError, match=r"No node of the cluster names the owner of the jobs' keys: 127.0.0.1"):
            await client.ping()
