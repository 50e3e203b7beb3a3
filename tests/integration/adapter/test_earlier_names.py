"""Records that an earlier version has stored under other names get those of this version, and lose nothing."""

import asyncio

import pytest

from adapter.redis import keys
from adapter.redis.earlier_names import carry_over
from support.redis_dump import EARLIER, load_dump, read_database

LEASE_S = 0.5
HEARTBEAT = f"{EARLIER}adapter:old"
STREAM = f"{EARLIER}steps:encoding"


@pytest.fixture
def left(client):
    """Real records of version 1."""
    return load_dump(client, "redis-record-1.json")


def pending(client, stream):
    return client.xpending_range(stream, keys.GROUP, "-", "+", 100)


async def test_carry_over_keeps_values_entries_and_who_owns_them(left, client, jobs_redis):
    client.pexpire(f"{EARLIER}job:encoding-done", 60_000)
    values, entries, owners = read_database(client), client.xrange(STREAM), pending(client, STREAM)
    assert len(owners) > 3
    assert await carry_over(jobs_redis, LEASE_S) == len(left)
    assert list(client.scan_iter(f"{EARLIER}*")) == []
    assert read_database(client) == {key.replace(EARLIER, keys.PREFIX): value for key, value in values.items()}
    assert client.xrange(keys.steps("encoding")) == entries
    kept = [{**row, "time_since_delivered": 0} for row in pending(client, keys.steps("encoding"))]
    assert kept == [{**row, "time_since_delivered": 0} for row in owners]
    assert 0 < client.pttl(keys.job("encoding-done")) <= 60_000
    assert await carry_over(jobs_redis, LEASE_S) == 0


async def test_carry_over_leaves_what_belongs_to_the_brokers(left, client, jobs_redis):
    names = [keys.doors("encoding"), keys.places("xapi"), keys.share("xapi"), keys.side("encoding") + "7"]
    names += [keys.handed_back("encoding"), "podjobs:rq:encoding:bell:one", "encoding:podjobs:one", "someone:jobs"]
    for name in names:
        client.set(name, "")
    await carry_over(jobs_redis, LEASE_S)
    assert client.exists(*names) == len(names)


async def test_carry_over_by_two_adapters_at_once_is_done_once(left, client, jobs_redis):
    live = client.smembers(f"{EARLIER}live")
    await asyncio.gather(*(carry_over(jobs_redis, LEASE_S) for _ in range(5)))
    assert client.smembers(keys.LIVE) == live
    assert list(client.scan_iter(f"{EARLIER}*")) == []


async def test_carry_over_waits_until_the_earlier_adapter_is_silent(left, client, jobs_redis):
    carrying = asyncio.create_task(carry_over(jobs_redis, LEASE_S))
    for beat in range(12):
        client.set(HEARTBEAT, beat)
        await asyncio.sleep(LEASE_S / 5)
    assert not carrying.done()
    assert client.exists(keys.LIVE) == 0
    async with asyncio.timeout(4 * LEASE_S):  # it was killed: its heartbeat stays, and changes no more
        assert await carrying == len(left)


async def test_carry_over_of_what_an_earlier_version_wrote_again_adds_it(client, jobs_redis):
    client.zadd(keys.JOBS, {"both": 2, "new": 3})
    client.zadd(f"{EARLIER}jobs", {"old": 1, "both": 1})
    client.xadd(keys.DEAD, {"kind": "job"})
    client.xadd(f"{EARLIER}dead", {"kind": "statement"})
    client.set(keys.RECOVERY, "")
    client.set(f"{EARLIER}recovery", "")
    client.xadd(keys.turns_bell("encoding"), {"job": "new"})
    client.xadd(f"{EARLIER}turns:encoding:bell", {"job": "old"})
    for stream in (STREAM, keys.steps("encoding")):
        client.xgroup_create(stream, keys.GROUP, "0", mkstream=True)
    client.xadd(STREAM, {"job": "old"})
    await carry_over(jobs_redis, LEASE_S)
    assert client.zrange(keys.JOBS, 0, -1, withscores=True) == [("old", 1), ("both", 2), ("new", 3)]
    assert [fields["kind"] for _, fields in client.xrange(keys.DEAD)] == ["job", "statement"]
    assert [fields["job"] for _, fields in client.xrange(keys.turns_bell("encoding"))] == ["new"]
    assert [fields["job"] for _, fields in client.xrange(keys.steps("encoding"))] == ["old"]
    assert list(client.scan_iter(f"{EARLIER}*")) == []


async def test_carry_over_of_jobs_that_both_versions_work_on_changes_nothing(left, client, jobs_redis):
    client.xadd(keys.steps("encoding"), {"job": "new"})
    before = read_database(client), client.xrange(STREAM)
    assert await carry_over(jobs_redis, LEASE_S) == 0
    assert (read_database(client), client.xrange(STREAM)) == before


async def test_adapter_process_begins_when_the_earlier_one_has_stopped(left, client, start):
    live = client.scard(f"{EARLIER}live")
    client.set(HEARTBEAT, "1")
    adapter = start()
    adapter.wait_for(lambda: "waits for their end" in adapter.said())
    assert client.exists(keys.LIVE) == 0
    client.delete(HEARTBEAT)  # as one does that stops in order
    adapter.wait()
    assert client.scard(keys.LIVE) == live
