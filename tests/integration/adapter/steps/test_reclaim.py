"""Steps are reclaimed after their wait or their adapter's end, and never by two adapters at once."""

import asyncio
import time

import pytest

from adapter.redis import keys
from adapter.retries import RetryPolicy
from adapter.settings import FunctionSettings
from adapter.steps.reclaim import StepReclaimer

LEASE_S = 0.8
FUNCTION = FunctionSettings("encoding", "http://127.0.0.1:1/", 4, RetryPolicy(base_s=0.6, factor=2, cap_s=60, limit=3))


@pytest.fixture
def reclaimer_of(records):
    def make(streams):
        return StepReclaimer(FUNCTION, streams, records, LEASE_S, lambda *_: None)

    return make


async def reclaim_in_time(reclaimer, timeout_s, claimed=()):
    """Sweep until something is reclaimed. Returns it, and how long that took, in seconds."""
    begun = time.monotonic()
    async with asyncio.timeout(timeout_s):
        while not (found := await reclaimer.reclaim(4, claimed)):
            await asyncio.sleep(0.02)
    return found, time.monotonic() - begun


async def sweep(reclaimer, duration_s, claimed=()):
    """Sweep for a while; nothing must be reclaimed."""
    end = time.monotonic() + duration_s
    while time.monotonic() < end:
        assert await reclaimer.reclaim(4, claimed) == []
        await asyncio.sleep(0.02)


async def test_reclaim_waiting_step_is_claimed_after_its_wait_and_counted(
    records, take, streams, make_job, reclaimer_of
):
    await records.accept([make_job()])
    (step,) = await take()
    await records.schedule_retry(step, "")
    assert await reclaimer_of(streams).reclaim(4, ()) == []
    await asyncio.sleep(0.65)
    (((entry_id, fields), attempt),) = await reclaimer_of(streams).reclaim(4, ())
    assert (entry_id, fields["job"], attempt) == (step.entry_id, "job-1", 2)
    await records.schedule_retry(step, "")
    await asyncio.sleep(0.65)
    assert await reclaimer_of(streams).reclaim(4, ()) == []  # the second wait is 1.2 s


async def test_reclaim_steps_of_an_adapter_that_lives_stay_its_own(records, take, make_streams, make_job, reclaimer_of):
    await records.accept([make_job()])
    await take()
    await sweep(reclaimer_of(await make_streams("two")), LEASE_S * 1.5)


@pytest.mark.parametrize("beats", [0, 3])
async def test_reclaim_steps_of_an_adapter_that_is_gone_are_taken_over_after_a_lease(
    records, take, make_streams, make_job, reclaimer_of, jobs_redis, beats
):
    """Its heartbeat may still be there: nobody believes that it expires in time."""
    await records.accept([make_job()])
    (step,) = await take(of=await make_streams("gone", alive=False))
    if beats:
        await jobs_redis.set(keys.heartbeat("gone"), beats)
    # it may have died this moment, or Redis may have been away
    (((entry_id, _), attempt),), took_s = await reclaim_in_time(reclaimer_of(await make_streams("two")), 10)
    assert (entry_id, attempt) == (step.entry_id, 2)
    assert took_s >= LEASE_S


async def test_reclaim_no_heartbeat_reaches_redis_nobody_is_believed_gone(
    records, take, make_streams, make_job, reclaimer_of, jobs_redis
):
    """Redis is out of memory: whatever keeps our own heartbeat away keeps those of the others away."""
    await records.accept([make_job()])
    await take()
    other = reclaimer_of(await make_streams("two"))
    await jobs_redis.config_set("maxmemory", 1)
    try:
        await sweep(other, LEASE_S * 2)
    finally:
        await jobs_redis.config_set("maxmemory", 0)


async def test_reclaim_own_step_whose_reading_was_cut_off_is_found_and_no_attempt_counted(
    records, take, streams, make_job, reclaimer_of
):
    await records.accept([make_job("job-1"), make_job("job-2", 8)])
    lost, claimed = await take()
    reclaimer = reclaimer_of(streams)
    (((entry_id, _), attempt),), took_s = await reclaim_in_time(reclaimer, 10, (claimed.entry_id,))
    assert (entry_id, attempt) == (lost.entry_id, 1)
    assert took_s >= LEASE_S * 0.9  # of which a little had passed before


async def test_reclaim_by_two_adapters_gives_each_step_to_one(records, take, make_streams, make_job, reclaimer_of):
    await records.accept([make_job(f"job-{number}", number) for number in range(40)])
    for step in await take():
        await records.schedule_retry(step, "")
    await asyncio.sleep(0.65)
    adapters = [reclaimer_of(await make_streams(name)) for name in ("two", "three", "four")]
    claims = await asyncio.gather(*(adapter.reclaim(40, ()) for adapter in adapters))
    claimed = [entry_id for claim in claims for (entry_id, _), _ in claim]
    assert len(claimed) == len(set(claimed)) == 40


async def test_reclaim_takes_no_more_than_there_are_slots(records, take, streams, make_job, reclaimer_of):
    await records.accept([make_job(f"job-{number}", number) for number in range(10)])
    for step in await take():
        await records.schedule_retry(step, "")
    await asyncio.sleep(0.65)
    assert len(await reclaimer_of(streams).reclaim(3, ())) == 3


async def test_reclaim_step_whose_attempts_are_used_up_fails_its_job(
    records, take, streams, make_job, reclaimer_of, job_hash, jobs_redis
):
    """A step that kills whoever performs it must not be retried forever."""
    await records.accept([make_job()])
    (step,) = await take()
    await jobs_redis.xclaim(keys.steps("encoding"), keys.GROUP, "gone", 0, [step.entry_id], retrycount=3, justid=True)
    reclaimer = reclaimer_of(streams)
    async with asyncio.timeout(10):
        while (record := await job_hash())["state"] != "failing":
            assert await reclaimer.reclaim(4, ()) == []
            await asyncio.sleep(0.05)
    assert "was tried 3 times without success" in record["error"]


async def test_reclaim_removes_adapters_that_are_gone_and_own_nothing(
    records, take, streams, make_streams, make_job, reclaimer_of, jobs_redis
):
    async def consumers():
        return {row["name"] for row in await jobs_redis.xinfo_consumers(keys.steps("encoding"), keys.GROUP)}

    await records.accept([make_job()])
    assert await take(of=await make_streams("gone-with-step", alive=False), count=1)
    await make_streams("lives")
    for name in ("gone", "lives"):
        await jobs_redis.xgroup_createconsumer(keys.steps("encoding"), keys.GROUP, name)
    reclaimer = reclaimer_of(streams)
    async with asyncio.timeout(10):
        while "gone" in await consumers():
            await reclaimer.reclaim(0, ())
            await asyncio.sleep(0.05)
    await reclaimer.reclaim(0, ())
    assert await consumers() == {"gone-with-step", "lives"}


async def test_give_back_counts_no_attempt_and_anybody_may_reclaim_at_once(
    records, take, streams, make_streams, make_job, reclaimer_of
):
    await records.accept([make_job()])
    await take()
    assert await streams.give_back(keys.steps("encoding")) == 1
    ((_, attempt),) = await reclaimer_of(await make_streams("two")).reclaim(4, ())
    assert attempt == 1


async def test_resume_redis_was_emptied_there_is_nothing_to_count(streams, jobs_redis):
    await jobs_redis.flushall()
    await streams.resume(keys.steps("encoding"), "1-0", 1)
    assert not await jobs_redis.exists(keys.steps("encoding"))
