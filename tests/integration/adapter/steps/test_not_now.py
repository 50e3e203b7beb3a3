"""«Not now» about a step has an end; what every step must wait for has none."""

import asyncio
import dataclasses
import time

import pytest
from aiohttp import web

from adapter.redis import keys
from podjobs.contract.errors import NotNowError, OperatorNeededError, UnavailableError
from support.problems import answer_of
from support.step_function import TIMING
from support.waiting import wait_until

IMPATIENT = dataclasses.replace(TIMING, not_now_limit_s=0.5)


def short_of_memory(retry_after_s=0.0):
    return answer_of(NotNowError("Memory is short.", retry_after_s=retry_after_s))


@pytest.fixture
async def held(jobs_redis):
    async def read(job_id="job-1"):
        return await jobs_redis.hgetall(f"{keys.job(job_id)}:held")

    return read


def always(function, make_answer, takes_s=0.05):
    """Answer every request for the plan so."""
    function.takes_s = takes_s
    function.answers = [make_answer() for _ in range(1000)]


async def test_dispatch_step_that_is_never_possible_fails_with_its_reason_after_a_bounded_time(
    records, make_job, function, start, wait_state, job_hash, dead
):
    always(function, short_of_memory)
    await records.accept([make_job()])
    await start(timing=IMPATIENT)
    await wait_state("failing")
    error = (await job_hash())["error"]
    assert "Memory is short. (Given up: the function has answered so for" in error
    assert "see PODJOBS_NOT_NOW_LIMIT_S.)" in error
    assert 1 < len(function.asked) < 15  # each attempt takes 0.05 s or, on a busy machine, more
    assert set(function.attempts) == {1}  # none of them counted
    assert len(await dead()) == 1


async def test_dispatch_step_that_becomes_possible_within_the_time_goes_on(
    records, make_job, function, start, wait_state, held
):
    function.answers = [short_of_memory() for _ in range(4)]
    function.takes_s = 0.05
    await records.accept([make_job()])
    await start(timing=IMPATIENT)
    await wait_state("done")
    assert await held() == {}


@pytest.mark.parametrize(
    "make_answer",
    [
        lambda: answer_of(OperatorNeededError("The disk is full.", retry_after_s=0)),
        lambda: answer_of(UnavailableError("No slot is free.", retry_after_s=0)),
        lambda: web.Response(status=503, text="Service Unavailable", headers={"Retry-After": "0"}),
        lambda: web.Response(status=429, headers={"Retry-After": "0"}),
    ],
    ids=["full disk", "no slot", "gateway", "throttled"],
)
async def test_dispatch_what_every_step_must_wait_for_is_waited_for_without_limit(
    records, make_job, function, start, wait_state, held, make_answer
):
    function.answers = [make_answer() for _ in range(30)]
    function.takes_s = 0.05
    await records.accept([make_job()])
    begun_s = time.monotonic()
    await start(timing=IMPATIENT)
    await wait_state("done")
    assert time.monotonic() - begun_s > 2 * IMPATIENT.not_now_limit_s
    assert await held() == {}


async def test_dispatch_function_that_is_away_is_waited_for_without_limit(records, make_job, start, job_hash, held):
    await records.accept([make_job()])
    dispatch = await start(url="http://127.0.0.1:1/", timing=dataclasses.replace(IMPATIENT, busy_cap_s=0.1))
    await wait_until(lambda: dispatch.on_hold == 1)
    await asyncio.sleep(3 * IMPATIENT.not_now_limit_s)
    assert (await job_hash())["state"] == "running"
    assert await held() == {}


async def test_dispatch_times_of_a_busy_function_between_two_answers_do_not_count(
    records, make_job, function, start, wait_state
):
    busy = [answer_of(UnavailableError("No slot is free.", retry_after_s=0)) for _ in range(20)]
    function.answers = [short_of_memory(), short_of_memory(), *busy, short_of_memory(), short_of_memory()]
    function.takes_s = 0.05
    await records.accept([make_job()])
    await start(timing=IMPATIENT)
    await wait_state("done")


async def test_dispatch_a_wait_is_no_longer_than_the_whole_limit(records, make_job, function, start, wait_state):
    """A function that asks for a day keeps its slot no longer than the setting says."""
    always(function, lambda: short_of_memory(86_400))
    await records.accept([make_job()])
    await start(timing=IMPATIENT)
    await wait_state("failing", timeout_s=5)
    assert len(function.asked) >= 2


async def test_dispatch_time_passes_from_one_adapter_to_the_next(
    records, make_job, function, start, wait_state, held, jobs_redis, make_streams
):
    """Each of them lives for less than the limit; together they do not."""
    timing = dataclasses.replace(TIMING, not_now_limit_s=1.0)
    always(function, short_of_memory)
    await records.accept([make_job()])
    cost_s = 0.0
    for number in range(2):
        first = await start(f"adapter-{number}", timing=timing)
        await wait_until(lambda enough=5 * (number + 1): len(function.asked) > enough)
        first.task.cancel()
        await first.finish(0)
        await (await make_streams(f"adapter-{number}")).give_back(keys.steps("encoding"))
        (seconds,) = (await held()).values()
        assert cost_s < float(seconds) < timing.not_now_limit_s
        cost_s = float(seconds)
    asked = len(function.asked)
    await start("last", timing=timing)
    await wait_state("failing")
    assert len(function.asked) - asked < 15


async def test_dispatch_nothing_is_left_of_a_job_that_was_given_up(
    records, make_job, function, start, wait_state, jobs_redis
):
    always(function, short_of_memory)
    await records.accept([make_job()])
    await start(timing=IMPATIENT)
    await wait_state("failing")
    function.answers = []
    await wait_until(lambda: function.asked[-1]["action"] == "report")
    assert f"{keys.job('job-1')}:held" not in await jobs_redis.keys()
