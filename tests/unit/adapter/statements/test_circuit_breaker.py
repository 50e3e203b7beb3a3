"""While a function is away one delivery asks at a time, after growing waits; then all go on at once."""

import asyncio
import time

from adapter.statements.circuit_breaker import Pause


async def pass_through(pause, noted, *, takes_s=0.0):
    async with pause.turn() as began:
        noted.append(began)
        await asyncio.sleep(takes_s)


async def test_turn_while_all_is_well_deliveries_run_side_by_side():
    pause, noted = Pause(60), []
    begun = time.monotonic()
    await asyncio.gather(*(pass_through(pause, noted, takes_s=0.1) for _ in range(5)))
    assert time.monotonic() - begun < 2
    assert pause.left_s == 0


async def test_turn_after_a_failure_one_at_a_time_each_after_the_wait():
    pause, noted = Pause(60), []
    pause.prolong(time.monotonic(), 0.1)

    async def fail():
        async with pause.turn() as began:
            noted.append(began)
            pause.prolong(began, 0.1)

    begun = time.monotonic()
    await asyncio.gather(*(fail() for _ in range(3)))
    gaps = [later - earlier for earlier, later in zip([begun, *noted], noted, strict=False)]
    assert all(gap > 0.08 for gap in gaps), gaps


async def test_turn_first_success_lets_all_pass_again():
    pause, noted = Pause(60), []
    pause.prolong(time.monotonic(), 0.1)

    async def succeed():
        async with pause.turn() as began:
            noted.append(began)
            pause.end()
            await asyncio.sleep(1)

    await asyncio.gather(*(succeed() for _ in range(4)))
    # the first asks alone; the three behind it do not wait for one another
    assert sorted(noted)[3] - sorted(noted)[1] < 0.9


def test_prolong_waits_grow_up_to_the_cap():
    pause = Pause(cap_s=8)
    assert [round(pause.prolong(time.monotonic(), None)) for _ in range(6)] == [1, 2, 4, 8, 8, 8]
    pause.end()
    assert pause.left_s == 0
    assert round(pause.prolong(time.monotonic(), None)) == 1


def test_prolong_four_that_fail_together_are_one_failure():
    pause, began = Pause(cap_s=60), time.monotonic()
    assert [round(pause.prolong(began, None)) for _ in range(4)] == [1, 1, 1, 1]
    assert round(pause.prolong(time.monotonic(), None)) == 2


def test_prolong_wait_that_was_asked_for_is_honoured_and_not_shortened():
    pause = Pause(cap_s=60)
    began = time.monotonic()
    assert round(pause.prolong(began, 90)) == 90
    assert round(pause.prolong(began, None)) == 90
