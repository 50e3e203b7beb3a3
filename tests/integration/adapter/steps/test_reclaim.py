"""Steps are reclaimed after their wait or their adapter's end, and never by two adapters at once."""

import asyncio

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
        return StepReclaimer(FUNCTION, streams, records, LEASE_S)

    return make


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
    other = await make_streams("two")
    await asyncio.sleep(LEASE_S + 0.1)
    assert await reclaimer_of(other).reclaim(4, ()) == []


async def test_reclaim_steps_of_an_adapter_that_is_gone_are_taken_over(
    records, take, make_streams, make_job, reclaimer_of, jobs_redis
):
    await records.accept([make_job()])
    (step,) = await take()
    await jobs_redis.delete(keys.heartbeat("one"))
    other = await make_streams("two")
    assert await reclaimer_of(other).reclaim(4, ()) == []  # it may have died this moment, or Redis may have been away
    await asyncio.sleep(LEASE_S + 0.1)
    (((entry_id, _), attempt),) = await reclaimer_of(other).reclaim(4, ())
    assert (entry_id, attempt) == (step.entry_id, 2)


async def test_reclaim_own_step_whose_reading_was_cut_off_is_found(records, take, streams, make_job, reclaimer_of):
    await records.accept([make_job()])
    (step,) = await take()
    await asyncio.sleep(LEASE_S + 0.1)
    assert await reclaimer_of(streams).reclaim(4, (step.entry_id,)) == []
    assert len(await reclaimer_of(streams).reclaim(4, ())) == 1


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
    await jobs_redis.xclaim(
        keys.steps("encoding"), keys.GROUP, "gone", 0, [step.entry_id], retrycount=3, idle=5000, justid=True
    )
    assert await reclaimer_of(streams).reclaim(4, ()) == []
    record = await job_hash()
    assert record["state"] == "failing"
    assert "was tried 3 times without success" in record["error"]


async def test_reclaim_removes_adapters_that_are_gone_and_own_nothing(
    records, take, streams, make_streams, make_job, reclaimer_of, jobs_redis
):
    await records.accept([make_job()])
    assert await take(of=await make_streams("gone-with-step", alive=False), count=1)
    await make_streams("lives")
    for name in ("gone", "lives"):
        await jobs_redis.xgroup_createconsumer(keys.steps("encoding"), keys.GROUP, name)
    await reclaimer_of(streams).reclaim(4, ())
    names = {row["name"] for row in await jobs_redis.xinfo_consumers(keys.steps("encoding"), keys.GROUP)}
    assert names == {"gone-with-step", "lives"}


async def test_give_back_counts_no_attempt_and_anybody_may_reclaim_at_once(
    records, take, streams, make_streams, make_job, reclaimer_of
):
    await records.accept([make_job()])
    await take()
    assert await streams.give_back(keys.steps("encoding")) == 1
    ((_, attempt),) = await reclaimer_of(await make_streams("two")).reclaim(4, ())
    assert attempt == 1
