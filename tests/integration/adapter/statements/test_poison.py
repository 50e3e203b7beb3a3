"""Many statements make the LRS fail: the others reach it, nothing waits for ever, and an outage is told apart."""

import asyncio
import json
import time

import pytest

from adapter.redis import keys
from adapter.retries import RetryPolicy
from adapter.settings import BatchLimits
from podjobs.contract.statements import BatchReport
from support.problems import problem
from support.waiting import wait_until
from support.xapi_function import accept_all, numbers

QUICK = BatchLimits(50, 100_000, 0.05)


def fail_for(poison):
    """The report of an LRS that answers 500 to every request with one of these statements."""

    def judge(batch):
        return BatchReport(trouble=problem(500)) if poison & set(numbers(batch)) else accept_all(batch)

    return judge


async def dead_numbers(dead):
    return {json.loads(entry["statement"])["n"] for entry in await dead()}


@pytest.mark.parametrize(
    ("poison", "healthy"),
    [
        (range(0, 120, 2), range(1, 120, 2)),
        (range(120), range(120, 124)),
    ],
    ids=["alternating", "few-behind-many"],
)
async def test_dispatch_many_poisonous_statements_are_given_up_and_all_others_delivered(
    send, function, start, wait_gone, dead, poison, healthy
):
    function.judge = fail_for(set(poison))
    await send(*sorted([*poison, *healthy]))
    await start(limits=QUICK)

    async def others_come():
        number = 1000
        while True:
            await send(number)
            number += 1
            await asyncio.sleep(0.1)

    others = asyncio.create_task(others_come())
    await wait_until(lambda: set(healthy) <= set(function.accepted), 15)
    async with asyncio.timeout(30):
        while await dead_numbers(dead) != set(poison):
            await asyncio.sleep(0.1)
    others.cancel()
    await wait_gone()
    assert await dead_numbers(dead) == set(poison)
    assert "other statements succeeded" in (await dead())[0]["problem"]["detail"]


async def test_dispatch_poisonous_statements_that_take_long_leave_a_slot_to_fresh_ones(send, function, start):
    """Each keeps a request for a second: fresh statements must not wait for all of them."""
    function.judge = fail_for(set(range(20)))
    function.lasts_s = lambda batch: 1 if min(numbers(batch)) < 20 else 0
    await send(*range(20))
    await start(limits=BatchLimits(10, 100_000, 0.05))
    await wait_until(lambda: len(function.asked) >= 2)
    begun = time.monotonic()
    for number in range(100, 140):
        await send(number)
        await asyncio.sleep(0.05)
    await wait_until(lambda: set(range(100, 140)) <= set(function.accepted), 10)
    assert time.monotonic() - begun < 6


@pytest.mark.slow
async def test_dispatch_suspects_beyond_the_limit_wait_in_the_stream_and_end_all_the_same(
    send, function, start, wait_gone, dead, jobs_redis
):
    function.judge = fail_for(set(range(14)))
    await send(*range(14))
    dispatch = await start(limits=QUICK, retries=RetryPolicy(base_s=0.5, factor=1, cap_s=1, limit=1))
    dispatch.suspects_in_memory = 5
    await wait_until(lambda: function.asked)
    most, number = 0, 1000
    async with asyncio.timeout(60):
        while await jobs_redis.xlen(keys.DEAD) < 14:
            most = max(most, (await dispatch.describe())["suspects_here"])
            await send(number)
            number += 1
            await asyncio.sleep(0.05)
    await wait_gone()
    assert most <= 5
    assert await dead_numbers(dead) == set(range(14))


async def test_dispatch_outage_that_looks_like_poison_costs_no_statement(send, function, start, wait_gone, dead):
    """An LRS that answers 500 to everything for a while, after it has worked."""
    away = False
    function.judge = lambda batch: BatchReport(trouble=problem(500)) if away else accept_all(batch)
    dispatch = await start(limits=QUICK)
    await send(*range(100))
    await wait_gone()
    away = True
    await send(*range(100, 400))
    await asyncio.sleep(1.5)
    asked = len(function.asked)
    # 0.2 s is the longest wait here: at most 32 probes with single statements after each
    assert set(function.sizes[-20:]) == {1}
    away = False
    await wait_gone()
    assert sorted(function.accepted) == list(range(400))
    assert await dead() == []
    assert asked < 1.5 / 0.2 * 40
    assert (await dispatch.describe())["trouble"] == ""


class FaultyDelivery:
    """Has a bug that one statement shows."""

    def __init__(self, delivery):
        self._delivery = delivery

    async def deliver(self, batch):
        if 7 in numbers(batch):
            raise ZeroDivisionError("A bug.")
        return await self._delivery.deliver(batch)


async def test_dispatch_unforeseen_fault_with_a_statement_costs_no_other(send, function, start, dead):
    await send(*range(20))
    await start(limits=QUICK, wrap=FaultyDelivery)
    number = 100
    async with asyncio.timeout(20):
        while not await dead():
            await send(number)
            number += 1
            await asyncio.sleep(0.05)
    assert set(range(20)) - {7} <= set(function.accepted)
    (entry,) = await dead()
    assert json.loads(entry["statement"]) == {"n": 7}
    assert "ZeroDivisionError" in entry["problem"]["detail"]
