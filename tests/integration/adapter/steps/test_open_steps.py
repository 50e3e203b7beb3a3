"""Steps in work that nobody waits for any longer: their deliveries end, and what works on them is freed."""

import asyncio

import pytest

from adapter.delivery import FunctionBusyError, StepFailedError, StepRefusedError
from adapter.redis import keys
from podjobs.contract.errors import Problem, SourceGoneError
from podjobs.contract.relocations import Relocation, Whereabouts
from support.problems import problem
from support.slow_delivery import SlowDelivery
from support.step_function import TIMING, plan_of
from support.waiting import wait_until

GONE = Problem.of(SourceGoneError("The file '/media/videos/7.mp4' is not there."))


@pytest.fixture
def delivery():
    return SlowDelivery()


async def test_dispatch_step_of_a_superseded_job_is_withdrawn_and_its_slot_is_free(records, make_job, start, delivery):
    await records.accept([make_job("old")])
    dispatch = await start(delivery=delivery, concurrency=1)
    await wait_until(lambda: delivery.begun == ["old/plan"])
    await records.accept([make_job("new")])
    await wait_until(lambda: delivery.withdrawn == ["old/plan"], timeout_s=3)
    await wait_until(lambda: len(delivery.begun) == 2)
    assert delivery.begun[1] in {"old/discard", "new/plan"}
    assert len(dispatch.claimed) == 1


async def test_dispatch_steps_of_a_cancelled_job_are_withdrawn(records, make_job, take, start, delivery):
    delivery.answers = {"plan": plan_of(3), "s1": StepFailedError(GONE)}
    await records.accept([make_job()])
    await start(delivery=delivery)
    question = []
    async with asyncio.timeout(5):
        while not question or delivery.in_flight < 2:
            question += await take("notification")
            await asyncio.sleep(0.02)
    deleted = Relocation(whereabouts=Whereabouts.DELETED, job=make_job(), log=())
    await records.commit(question[0], deleted)
    await wait_until(lambda: sorted(delivery.withdrawn) == ["job-1/s0", "job-1/s2"])
    await wait_until(lambda: delivery.begun[-1] == "job-1/withdraw")


async def test_dispatch_steps_of_a_job_that_fails_are_withdrawn(records, make_job, start, delivery):
    delivery.answers = {"plan": plan_of(2), "s1": StepRefusedError(problem(422))}
    await records.accept([make_job()])
    await start(delivery=delivery)
    await wait_until(lambda: delivery.withdrawn == ["job-1/s0"])


async def test_dispatch_step_on_hold_is_let_go_long_before_its_wait_is_over(records, make_job, start, delivery):
    delivery.answers = {"plan": FunctionBusyError(problem(503), retry_after_s=600)}
    await records.accept([make_job("old")])
    dispatch = await start(delivery=delivery, concurrency=1)
    await wait_until(lambda: dispatch.on_hold == 1)
    delivery.answers = {}
    await records.accept([make_job("new")])
    await wait_until(lambda: delivery.in_flight == 1, timeout_s=3)
    assert delivery.withdrawn == []  # nothing worked on it


async def test_dispatch_steps_that_are_open_are_left_in_work(records, make_job, start, delivery, wait_state):
    await records.accept([make_job()])
    await start(delivery=delivery)
    await wait_until(lambda: delivery.in_flight == 1)
    await asyncio.sleep(5 * TIMING.sweep_s)
    delivery.released.set()
    await wait_state("done")
    assert delivery.withdrawn == []


async def test_dispatch_that_stops_withdraws_nothing(records, make_job, start, delivery):
    """What works on the step may finish it for the next adapter."""
    await records.accept([make_job("old")])
    dispatch = await start(delivery=delivery)
    await wait_until(lambda: delivery.in_flight == 1)
    dispatch.task.cancel()
    await dispatch.finish(0.1)
    assert (delivery.in_flight, delivery.withdrawn) == (0, [])


async def test_dispatch_step_of_a_newer_record_is_left_in_work(records, make_job, start, delivery, jobs_redis):
    """Nothing is known about which of its steps are open."""
    await records.accept([make_job()])
    await start(delivery=delivery)
    await wait_until(lambda: delivery.in_flight == 1)
    async with jobs_redis.pipeline() as pipeline:
        pipeline.hset(keys.job("job-1"), "version", 99)
        pipeline.delete(f"{keys.job('job-1')}:open")
        await pipeline.execute()
    await asyncio.sleep(5 * TIMING.sweep_s)
    assert (delivery.in_flight, delivery.withdrawn) == (1, [])


@pytest.mark.parametrize("jobs_url", ["one server"], indirect=True)
async def test_dispatch_goes_on_looking_after_redis_was_away(records, make_job, start, delivery, jobs_redis):
    await records.accept([make_job("old")])
    await start(delivery=delivery)
    await wait_until(lambda: delivery.in_flight == 1)
    pool = jobs_redis.connection_pool
    port, pool.connection_kwargs["port"] = pool.connection_kwargs["port"], 1
    await pool.disconnect()
    await asyncio.sleep(5 * TIMING.sweep_s)
    pool.connection_kwargs["port"] = port
    # those that were made meanwhile have the other port for good
    for connection in (*pool._available_connections, *pool._in_use_connections):
        connection.port = port
    await pool.disconnect()
    await records.accept([make_job("new")])
    await wait_until(lambda: delivery.withdrawn == ["old/plan"])
