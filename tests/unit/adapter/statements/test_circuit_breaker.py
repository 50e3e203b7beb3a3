"""While a function is unavailable one delivery probes it at a time, after growing waits; then all go on at once."""

import asyncio
import time

from adapter.statements.circuit_breaker import PROBES, CircuitBreaker


async def pass_through(breaker, noted, *, takes_s=0.0):
    async with breaker.delivery() as began:
        noted.append(began)
        await asyncio.sleep(takes_s)


async def test_delivery_while_closed_they_run_side_by_side():
    breaker, noted = CircuitBreaker(60), []
    begun = time.monotonic()
    await asyncio.gather(*(pass_through(breaker, noted, takes_s=0.1) for _ in range(5)))
    assert time.monotonic() - begun < 2
    assert breaker.wait_s == 0


async def test_delivery_after_a_failure_one_at_a_time_each_after_the_wait():
    breaker, noted = CircuitBreaker(60), []
    breaker.record_failure(time.monotonic(), 0.1)

    async def fail():
        async with breaker.delivery() as began:
            noted.append(began)
            breaker.record_failure(began, 0.1)

    begun = time.monotonic()
    await asyncio.gather(*(fail() for _ in range(3)))
    gaps = [later - earlier for earlier, later in zip([begun, *noted], noted, strict=False)]
    assert all(gap > 0.08 for gap in gaps), gaps


async def test_delivery_first_success_lets_all_pass_again():
    breaker, noted = CircuitBreaker(60), []
    breaker.record_failure(time.monotonic(), 0.1)

    async def succeed():
        async with breaker.delivery() as began:
            noted.append(began)
            breaker.record_success()
            await asyncio.sleep(1)

    await asyncio.gather(*(succeed() for _ in range(4)))
    # the first probes alone; the three behind it do not wait for one another
    assert sorted(noted)[3] - sorted(noted)[1] < 0.9


def test_record_failure_waits_grow_up_to_the_cap():
    breaker = CircuitBreaker(cap_s=8)
    assert [round(breaker.record_failure(time.monotonic(), None)) for _ in range(6)] == [1, 2, 4, 8, 8, 8]
    breaker.record_success()
    assert breaker.wait_s == 0
    assert round(breaker.record_failure(time.monotonic(), None)) == 1


def test_record_failure_four_that_fail_together_are_one_failure():
    breaker, began = CircuitBreaker(cap_s=60), time.monotonic()
    assert [round(breaker.record_failure(began, None)) for _ in range(4)] == [1, 1, 1, 1]
    assert round(breaker.record_failure(time.monotonic(), None)) == 2


def test_record_failure_wait_that_was_asked_for_is_honoured_and_not_shortened():
    breaker = CircuitBreaker(cap_s=60)
    began = time.monotonic()
    assert round(breaker.record_failure(began, 90)) == 90
    assert round(breaker.record_failure(began, None)) == 90


def test_record_failure_that_may_be_the_contents_fault_allows_many_small_probes_between_two_waits():
    breaker = CircuitBreaker(cap_s=60)

    def fail():
        return round(breaker.record_failure(time.monotonic(), None, may_be_content=True))

    assert fail() == 1
    assert breaker.wants_small_probe
    breaker._open_until = 0  # the wait is over
    assert [fail() for _ in range(PROBES - 1)] == [0] * (PROBES - 1)
    assert fail() == 2
    breaker.record_success()
    assert not breaker.wants_small_probe


def test_record_failure_for_want_of_the_function_allows_no_other_probe():
    breaker = CircuitBreaker(cap_s=60)
    assert [round(breaker.record_failure(time.monotonic(), None)) for _ in range(3)] == [1, 2, 4]
    assert not breaker.wants_small_probe
