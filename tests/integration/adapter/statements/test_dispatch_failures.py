"""When the function, the LRS, an adapter or a statement fails: nothing is lost, and nothing holds up the rest."""

import asyncio
import json

import pytest
from aiohttp import web

from adapter.redis import keys
from adapter.settings import BatchLimits
from adapter.statements.bisection import GIVE_UP_AFTER
from podjobs.contract.statements import BatchReport, Refusal
from support.problems import problem, problem_answer
from support.waiting import wait_until
from support.xapi_function import accept_all, numbers


async def test_dispatch_lrs_unavailable_one_delivery_probes_and_nothing_grows(
    send, function, start, wait_gone, jobs_redis
):
    away = True
    function.judge = lambda batch: BatchReport(trouble=problem()) if away else accept_all(batch)
    await send(*range(1000))
    dispatch = await start(concurrency=4)
    await asyncio.sleep(1.2)
    # 0.2 s is the cap here: one request each, not four
    assert len(function.asked) <= 4 + 1.2 / 0.2 + 1
    assert len(dispatch.claimed) <= 4 * 50 + 150
    described = await dispatch.describe()
    assert (described["trouble"], described["on_hold_here"] >= 3) == ("As the test says.", True)
    assert await jobs_redis.xlen(keys.STATEMENTS) == 1000
    away = False
    await wait_gone()
    assert sorted(function.accepted) == list(range(1000))
    assert (await dispatch.describe())["trouble"] == ""


@pytest.mark.parametrize(
    "answer",
    ["break", problem_answer(500), problem_answer(503), web.Response(status=502), web.Response(text="no event")],
    ids=["break", "500", "503", "502", "garbage"],
)
async def test_dispatch_function_that_fails_once_is_called_again(send, function, start, wait_gone, dead, answer):
    function.answers = [answer]
    await send(1, 2, 3)
    await start()
    await wait_gone()
    assert sorted(function.accepted) == [1, 2, 3]
    assert await dead() == []


async def test_dispatch_function_unavailable_keeps_all_and_gives_up_nothing(send, start, jobs_redis, dead):
    await send(*range(10))
    dispatch = await start(url="http://127.0.0.1:1/")
    await asyncio.sleep(2)
    assert await jobs_redis.xlen(keys.STATEMENTS) == 10
    assert await dead() == []
    assert "cannot be reached" in (await dispatch.describe())["trouble"]


@pytest.mark.parametrize("status", [500, pytest.param(400, marks=pytest.mark.slow)])
async def test_dispatch_nothing_succeeds_nothing_is_given_up(send, function, start, jobs_redis, dead, status):
    """A function that fails at everything, or refuses everything (a wrong address), must not cost anything."""
    function.judge = lambda _: problem_answer(status)
    await send(*range(60))
    await start(limits=BatchLimits(10, 100_000, 0.05))
    await asyncio.sleep(4)
    assert await dead() == []
    assert await jobs_redis.xlen(keys.STATEMENTS) == 60
    function.judge = accept_all


@pytest.mark.parametrize("spoils", ["break", problem_answer, "lrs"], ids=["crash", "refusal", "lrs"])
async def test_dispatch_poisonous_statement_is_found_and_blocks_nothing(send, function, start, wait_gone, dead, spoils):
    """It crashes the function, is refused with all that is in its batch, or makes the LRS fail."""

    def judge(batch):
        if 33 not in numbers(batch):
            return accept_all(batch)
        if spoils == "lrs":
            return BatchReport(trouble=problem(500))
        return spoils if spoils == "break" else problem_answer(422)

    function.judge = judge
    await send(*range(100))
    await start(concurrency=1, limits=BatchLimits(50, 100_000, 0.05))

    async def go_on():
        for number in range(100, 100 + 40 * GIVE_UP_AFTER):
            await send(number)
            await asyncio.sleep(0.05)
            if await dead():
                return

    await asyncio.wait_for(go_on(), 20)
    await wait_gone()
    (entry,) = await dead()
    assert json.loads(entry["statement"]) == {"n": 33}
    assert "other statements succeeded" in entry["problem"]["detail"]
    assert set(range(100)) - {33} <= set(function.accepted)


async def test_dispatch_statements_the_function_refuses_itself_say_nothing_about_the_lrs(
    send, function, start, jobs_redis, dead
):
    """While the LRS fails, refusals are not successes that count against a good statement."""

    def judge(batch):
        bad = [entry for entry in batch.entries if entry.statement["n"] >= 100]
        refused = tuple(Refusal(entry_id=entry.entry_id, problem=problem(400)) for entry in bad)
        return BatchReport(refused=refused, trouble=problem(500) if len(bad) < len(batch.entries) else None)

    function.judge = judge
    await send(1)
    await start(concurrency=2, limits=BatchLimits(1, 100_000, 0.05))
    for number in range(100, 100 + 4 * GIVE_UP_AFTER):
        await send(number)
        await asyncio.sleep(0.1)
    await wait_until(lambda: len(function.asked) > 4 * GIVE_UP_AFTER)
    assert len(await dead()) >= 2 * GIVE_UP_AFTER
    assert all(json.loads(entry["statement"])["n"] >= 100 for entry in await dead())


async def test_dispatch_statements_of_an_adapter_that_died_are_taken_over(
    send, function, start, wait_gone, jobs_redis, make_streams
):
    gone = await make_streams("gone", alive=False)
    await gone.ensure_group(keys.STATEMENTS)
    await send(*range(230))
    await gone.read(keys.STATEMENTS, 230)
    await send(1000)
    await start("two")
    await wait_gone()
    assert sorted(function.accepted) == [*range(230), 1000]


async def test_dispatch_statements_of_an_adapter_that_lives_stay_its_own(send, function, start, make_streams):
    other = await make_streams("lives")
    await other.ensure_group(keys.STATEMENTS)
    await send(1)
    await other.read(keys.STATEMENTS, 10)
    await start("two")
    await asyncio.sleep(1.2)
    assert function.asked == []


async def test_dispatch_entry_that_is_not_a_statement_becomes_a_dead_letter_and_blocks_nothing(
    send, function, start, wait_gone, dead, jobs_redis
):
    await send(1)
    for fields in ({"some": "thing"}, {"statement": "no json"}, {"statement": "[1]"}):
        await jobs_redis.xadd(keys.STATEMENTS, fields)
    await send(2)
    await start()
    await wait_gone()
    assert sorted(function.accepted) == [1, 2]
    assert [entry["kind"] for entry in await dead()] == ["message", "statement", "statement"]


async def test_dispatch_lost_stream_is_created_again(send, function, start, wait_gone, jobs_redis):
    await start()
    await asyncio.sleep(0.1)
    await jobs_redis.delete(keys.STATEMENTS)
    await asyncio.sleep(0.3)
    await send(1)
    await wait_gone()
    assert function.accepted == [1]
