"""What is read from Redis for the metrics, from a real one: exact numbers, and seldom enough."""

import asyncio
import time

import pytest

from adapter.redis import keys
from adapter.redis.connections import open_redis
from adapter.telemetry.exposition import Standing, write_metrics
from adapter.telemetry.observed import Observed
from adapter.telemetry.snapshot import KEPT_S, SnapshotReader
from podjobs.contract.errors import Problem
from podjobs.contract.plans import Plan, Result, Stage, StepSpec
from support.redis_cluster import MODES, url_of

LEASE_S = 5
PAUSE_S = 0.2
SLACK_S = 0.5
PROBLEM = Problem(title="Down.", status=502, detail="It is down.")
MANY = 10_000
LIMIT_S = 0.05


@pytest.fixture(params=MODES)
def jobs_url(request):
    return url_of(request)


@pytest.fixture
def read(jobs_redis):
    return lambda: SnapshotReader(jobs_redis, (), LEASE_S).read()


async def test_snapshot_of_an_empty_redis_is_zero(read):
    found = await read()
    assert (found.jobs, found.totals, found.dead, found.adapters) == ({}, {}, {}, {})
    assert {one.waiting + one.running + one.held + one.oldest_turn_s for one in found.functions.values()} == {0}
    assert found.functions.keys() == {"encoding", "transcription", "notification"}


async def test_snapshot_counts_what_waits_and_what_runs(read, records, make_job, take):
    await records.accept([make_job("job-1", 1), make_job("job-2", 2)])
    await asyncio.sleep(PAUSE_S)
    (first, _) = await take()
    await records.join([first], "one")
    found = await read()
    assert found.jobs == {("encoding", "running"): 1, ("encoding", "waiting"): 1}
    encoding = found.functions["encoding"]
    assert (encoding.waiting, encoding.running, encoding.held) == (0, 1, 1)
    assert 0 <= encoding.oldest_step_s <= SLACK_S


async def test_snapshot_age_of_the_oldest_turn(read, records, make_job):
    await records.accept([make_job("job-1", 1)])
    await asyncio.sleep(PAUSE_S)
    found = await read()
    assert found.functions["encoding"].oldest_turn_s == pytest.approx(PAUSE_S, abs=SLACK_S)
    assert found.functions["encoding"].waiting == 1


async def test_snapshot_totals_are_those_of_jobs_that_have_ended(read, records, jobs_redis, make_job, take):
    await records.accept([make_job("job-1", 1)])
    await jobs_redis.hset(keys.job("job-1"), mapping={"media_s": "12.5", "source_bytes": "1000"})
    (plan,) = await take()
    step = StepSpec(id="last", function="encoding", action="chunk")
    await records.commit(plan, Plan(stages=(Stage(name="last", steps=(step,)),)))
    (last,) = await take()
    await records.commit(last, Result())
    found = await read()
    assert found.jobs == {}
    assert found.totals == {"done:encoding": 1, "media_s:encoding": 12.5, "source_bytes:encoding": 1000}


async def test_snapshot_does_not_count_what_a_failed_job_would_have_made(read, records, jobs_redis, make_job, take):
    await records.accept([make_job("job-1", 1)])
    await jobs_redis.hset(keys.job("job-1"), "media_s", "12.5")
    for function in ("encoding", "encoding", "notification"):
        (step,) = await take(function)
        await records.fail(step, PROBLEM)
    found = await read()
    assert found.totals == {"failed:encoding": 1}
    assert found.dead == {"job": 3}


async def test_snapshot_dead_letters_by_kind_are_counted_anew_when_there_are_others(jobs_redis):
    reader = SnapshotReader(jobs_redis, (), LEASE_S)
    for kind in ("job", "job", "statement"):
        letter = await jobs_redis.xadd(keys.DEAD, {"kind": kind, "problem": "{}"})
    assert (await reader.read()).dead == {"job": 2, "statement": 1}
    await jobs_redis.xdel(keys.DEAD, letter)
    await asyncio.sleep(KEPT_S)
    assert (await reader.read()).dead == {"job": 2}


async def test_snapshot_dead_letters_beyond_the_newest_are_not_looked_at(read, jobs_redis):
    async with jobs_redis.pipeline(transaction=False) as pipeline:
        for _ in range(1003):
            pipeline.xadd(keys.DEAD, {"kind": "message"})
        await pipeline.execute()
    assert (await read()).dead == {"message": 1000, "older": 3}


async def test_snapshot_functions_that_are_paused(read, jobs_redis):
    await jobs_redis.hset(keys.PAUSED, "encoding", "{}")
    assert (await read()).paused == {"encoding": True, "notification": False, "transcription": False, "xapi": False}
    await jobs_redis.hset(keys.PAUSED, keys.ALL_FUNCTIONS, "{}")
    assert set((await read()).paused.values()) == {True}


async def test_snapshot_adapters_by_state_and_those_that_are_silent(read, jobs_redis):
    now_s = time.time()
    await jobs_redis.zadd(keys.ADAPTERS, {"a": now_s, "b": now_s - 1, "c": now_s - 3 * LEASE_S, "gone": now_s})
    for name, state in (("a", "running"), ("b", "draining"), ("c", "running")):
        await jobs_redis.set(keys.about(name), f'{{"id": "{name}", "state": "{state}"}}')
    assert (await read()).adapters == {"running": 1, "draining": 1, "silent": 1}


async def test_snapshot_is_read_once_a_second_whoever_asks(jobs_redis):
    reader = SnapshotReader(jobs_redis, (), LEASE_S)
    found = await asyncio.gather(*(reader.read() for _ in range(50)))
    assert reader.readings == 1
    assert {id(one) for one in found} == {id(found[0])}
    await asyncio.sleep(KEPT_S)
    await asyncio.gather(*(reader.read() for _ in range(50)))
    assert reader.readings == 2


async def test_snapshot_of_a_redis_that_is_away_is_none():
    client = open_redis("redis://127.0.0.1:1/0", text=True)
    try:
        assert await SnapshotReader(client, (), LEASE_S).read() is None
    finally:
        await client.aclose()


async def test_metrics_of_ten_thousand_jobs_take_less_than_50_ms(jobs_redis):
    """Of the processor: what else this machine does is not their fault."""
    async with jobs_redis.pipeline(transaction=False) as pipeline:
        for number in range(MANY):
            pipeline.hset(keys.job(f"job-{number}"), mapping={"type": "encoding", "state": "queued"})
            pipeline.sadd(keys.LIVE, f"job-{number}")
        await pipeline.execute()
    took_s = []
    reader = SnapshotReader(jobs_redis, (), LEASE_S)
    for _ in range(3):
        began_s = time.process_time()
        found = await reader.read()
        write_metrics(found, Observed(), Standing(0), "")
        took_s.append(time.process_time() - began_s)
        assert found.jobs == {("encoding", "waiting"): MANY}
        await asyncio.sleep(KEPT_S)
    assert min(took_s) < LIMIT_S
