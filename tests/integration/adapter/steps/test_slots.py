"""How many steps are in flight: as many as an operator has set, or one more than there are workers."""

import asyncio

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from support.slow_delivery import SlowDelivery
from support.step_function import TIMING, plan_of
from support.waiting import wait_until


@pytest.fixture
def delivery():
    return SlowDelivery({"plan": plan_of(9)}, present=2)


@pytest.fixture
async def begin(records, make_job, start, delivery):
    async def begin_one(**settings):
        await records.accept([make_job()])
        return await start(delivery=delivery, **settings)

    return begin_one


async def settle():
    await asyncio.sleep(4 * TIMING.sweep_s)


async def test_dispatch_without_a_set_concurrency_has_one_step_more_in_flight_than_there_are_workers(begin, delivery):
    dispatch = await begin(concurrency_is_set=False, concurrency=9)
    await wait_until(lambda: delivery.in_flight == 3)
    await settle()
    assert delivery.in_flight == 3
    described = await dispatch.describe()
    assert (described["concurrency"], described["workers"], described["running_here"]) == (3, 2, 3)


async def test_dispatch_workers_that_come_get_steps_and_those_that_go_take_none_back(begin, delivery):
    dispatch = await begin(concurrency_is_set=False)
    await wait_until(lambda: delivery.in_flight == 3)
    delivery.present = 4
    await wait_until(lambda: delivery.in_flight == 5)
    delivery.present = 1
    await settle()
    assert delivery.in_flight == 5
    assert (await dispatch.describe())["concurrency"] == 2
    assert delivery.withdrawn == []


async def test_dispatch_without_a_worker_has_one_step_in_flight_which_the_first_worker_finds(begin, delivery):
    delivery.present, delivery.answers = 0, {}
    await begin(concurrency_is_set=False)
    await wait_until(lambda: delivery.in_flight == 1)


async def test_dispatch_with_a_set_concurrency_does_not_follow_the_workers(begin, delivery):
    dispatch = await begin(concurrency=4)
    await wait_until(lambda: delivery.in_flight == 4)
    delivery.present = 8
    await settle()
    assert delivery.in_flight == 4
    assert (await dispatch.describe())["workers"] == 8


async def test_dispatch_keeps_its_slots_while_the_workers_cannot_be_counted(begin, delivery):
    dispatch = await begin(concurrency_is_set=False)
    await wait_until(lambda: delivery.in_flight == 3)
    delivery.present = RedisConnectionError("Connection refused")
    await settle()
    assert (await dispatch.describe())["concurrency"] == 3
    delivery.present = 4
    await wait_until(lambda: delivery.in_flight == 5)
