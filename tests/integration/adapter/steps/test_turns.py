"""Turns: jobs get a function's slots in proportion to their shares, whoever else comes, and nobody waits forever."""

import asyncio
import itertools
import zlib
from collections import Counter

import pytest

from adapter.redis import keys
from podjobs.contract.errors import Problem
from podjobs.contract.plans import Plan, Result, Stage, StepSpec
from support.step_function import plan_of
from support.waiting import wait_until

LONG = [60.0] * 100
"""Weights of the steps of a job of hours."""
SHORT = [8.0, 2.0]
BROKEN = Problem(title="Broken.", status=422, detail="It is broken.")


def video(name):
    """The number of a job's video."""
    return zlib.crc32(name.encode())


def encode(weights):
    """A plan of one stage, whose steps have these weights."""
    steps = (
        StepSpec(id=f"s{number}", function="encoding", action="chunk", weight=weight)
        for number, weight in enumerate(weights)
    )
    return Plan(stages=(Stage(name="encode", steps=tuple(steps)),))


@pytest.fixture
def arrive(records, take, make_job):
    """Accept a job and plan it at once, before any other gets a turn."""

    async def arrive_one(job_id, weights):
        await records.accept([make_job(job_id, video(job_id))])
        (step,) = await take(count=1)
        assert (step.job_id, step.spec.action) == (job_id, "plan")
        await records.commit(step, encode(weights))

    return arrive_one


async def served(take, count):
    """The jobs of the next steps, one after another."""
    return [step.job_id for _ in range(count) for step in await take(count=1)]


async def test_take_short_job_that_comes_last_goes_first(take, arrive):
    for name in ("long-1", "long-2", "long-3"):
        await arrive(name, LONG)
    assert set(await served(take, 10)) == {"long-1", "long-2", "long-3"}
    await arrive("short", SHORT)
    assert await served(take, 2) == ["short", "short"]
    assert set(await served(take, 3)) == {"long-1", "long-2", "long-3"}


async def test_take_every_stage_of_a_short_job_goes_first(records, take, arrive, make_job):
    """Whatever waits: the slot that its last step has left is taken by its next one."""
    for name in ("long-1", "long-2", "long-3"):
        await arrive(name, LONG)
    await records.accept([make_job("short", video("short"))])
    names = ("encode", "package", "publish")
    stages = tuple(
        Stage(name=name, steps=(StepSpec(id=name, function="encoding", action=name, weight=2),)) for name in names
    )
    reply = Plan(stages=stages)
    for action in ("plan", *names):
        (step,) = await take(count=1)
        assert (step.job_id, step.spec.action) == ("short", action)
        assert set(await served(take, 1)) < {"long-1", "long-2", "long-3"}
        await records.commit(step, reply)
        reply = Result()


async def test_take_equal_jobs_take_turns(take, arrive):
    for name in ("a", "b", "c"):
        await arrive(name, LONG)
    order = await served(take, 60)
    for start in range(0, 60, 3):
        assert set(order[start : start + 3]) == {"a", "b", "c"}


async def test_take_shares_follow_the_root_of_what_is_left_to_do(take, arrive):
    """A job of 400 s beside one of 10,000 s: 5 to 1 of the work that is handed out."""
    await arrive("short", [2.0] * 200)
    await arrive("long", [2.0] * 5000)
    counts = Counter(await served(take, 180))
    assert counts["short"] == pytest.approx(150, abs=2)


async def test_take_steps_of_one_job_keep_their_order(records, take, make_job):
    await records.accept([make_job()])
    (step,) = await take()
    await records.commit(step, encode([5.0, 1.0, 9.0, 2.0]))
    assert [step.spec.id for step in await take()] == ["s0", "s1", "s2", "s3"]


async def test_take_jobs_that_come_at_once_keep_their_order(records, take, make_job):
    names = [f"job-{number}" for number in (5, 3, 9, 1, 7)]
    await records.accept([make_job(name, video(name)) for name in names])
    assert [step.job_id for step in await take()] == names


@pytest.mark.slow
async def test_take_long_job_keeps_its_share_in_a_storm_of_short_ones(records, take, arrive, make_job):
    """Ten short jobs wait at any time, each new: a share of 1/√6000 beside ten of 1/√60 is one in a hundred."""
    await arrive("long", LONG)
    coming = (make_job(f"short-{number}", number) for number in itertools.count())
    await records.accept(list(itertools.islice(coming, 10)))
    work_s = Counter()
    while work_s["long"] < 180:
        assert work_s["short"] < 180 * 150
        (step,) = await take(count=1)
        if step.spec.action == "plan":
            await records.commit(step, encode(SHORT))
            continue
        work_s[step.job_id.partition("-")[0]] += step.spec.weight
        if step.spec.id == "s1":
            await records.accept([next(coming)])
    assert work_s["short"] > 180 * 50


async def test_take_job_that_was_away_gets_no_credit(records, take, arrive):
    """Its steps ran for long while the others went on: they do not wait until it has caught up."""
    await arrive("away", [1.0])
    (away,) = await take()
    await arrive("busy", [60.0] * 50)
    await served(take, 30)
    await records.commit(away, encode([60.0] * 50))
    assert Counter(await served(take, 10))["busy"] >= 4


@pytest.mark.parametrize("ending", ["fail", "supersede"])
async def test_job_that_ends_leaves_the_queue_and_its_share_to_the_others(
    records, take, arrive, make_job, jobs_redis, ending
):
    await arrive("stays", LONG)
    await arrive("goes", LONG)
    step = next(step for step in await take(count=2) if step.job_id == "goes")
    if ending == "fail":
        await records.fail(step, BROKEN)
    else:
        await records.accept([make_job("newer", video("goes"))])
    last = await take(count=3)
    assert {step.job_id for step in last} >= {"goes", "stays"}
    assert await jobs_redis.zrange(keys.turns("encoding"), 0, -1) == ["stays"]
    shares = await jobs_redis.hget(keys.turns_clock("encoding"), "shares")
    assert shares == await jobs_redis.hget(keys.job("stays"), "share")
    assert await records.ready_steps("encoding") == 100 - sum(step.job_id == "stays" for step in last) - 1


async def test_queue_that_is_empty_leaves_nothing_but_its_bell(records, take, arrive, jobs_redis):
    await arrive("short", SHORT)
    await take()
    assert [key async for key in jobs_redis.scan_iter("{podjobs}:turns:*")] == [keys.turns_bell("encoding")]


async def test_stage_of_several_functions_waits_for_each_of_them_alone(records, take, make_job):
    await records.accept([make_job()])
    (step,) = await take()
    steps = tuple(
        StepSpec(id=f"{name}-{number}", function=name, action="do")
        for number in range(2) for name in ("encoding", "notification")
    )  # fmt: skip
    await records.commit(step, Plan(stages=(Stage(name="both", steps=steps),)))
    notifications = await take("notification")
    assert [step.spec.id for step in notifications] == ["notification-0", "notification-1"]
    assert [step.spec.id for step in await take()] == ["encoding-0", "encoding-1"]


async def test_dispatch_that_waits_is_woken_at_once_by_another_adapters_commit(
    records, make_job, function, start, take
):
    await records.accept([make_job()])
    (plan,) = await take()
    await start("two")
    await asyncio.sleep(0.3)  # it has found nothing and listens
    begun_s = asyncio.get_running_loop().time()
    await records.commit(plan, plan_of(3))
    await wait_until(lambda: len(function.asked) == 3)
    assert asyncio.get_running_loop().time() - begun_s < 0.09  # less than the interval between two sweeps
