"""Dispatch of steps to a real HTTP server in the function's place."""

import asyncio

import pytest
from aiohttp import web

from adapter.redis import keys
from adapter.steps.outcomes import Accepted
from support.jobs import encoding_job
from support.problems import problem_answer
from support.step_function import RETRIES, plan_of
from support.waiting import wait_until


async def test_dispatch_steps_are_delivered_with_what_they_need_and_the_job_ends(
    records, make_job, function, start, wait_state
):
    function.answers = [plan_of(9)]
    await records.accept([make_job()])
    await start()
    await wait_state("done")
    assert function.asked[0]["job"]["source"] == "videos/7.mp4"
    assert sorted(asked["step_id"] for asked in function.asked) == ["plan", *(f"s{number}" for number in range(9))]
    assert set(function.attempts) == {1}


async def test_dispatch_job_that_was_refused_at_the_door_is_reported_and_no_function_plans_it(
    records, function, start, job_hash, dead
):
    """Its sender waits: being refused must not be silence."""
    refused = encoding_job(json_dressing={"opacity": 200})
    await records.accept([refused])
    await start()
    async with asyncio.timeout(10):
        while not function.asked:
            await asyncio.sleep(0.02)
    assert function.asked[0]["action"] == "report"
    assert "json_dressing is not valid: opacity" in function.asked[0]["failure"]["detail"]
    assert (await job_hash())["state"] == "failing"
    assert [entry["problem"] for entry in await dead()] == [refused.refusal.model_dump()]


async def test_dispatch_record_of_another_version_fails_at_once_and_says_what_to_do(
    records, make_job, jobs_redis, function, start, wait_state, job_hash
):
    await records.accept([make_job()])
    await jobs_redis.hset(keys.job("job-1"), "params", '{"type": "encoding", "video_path": "/media/7.mp4"}')
    await start()
    await wait_state("failing")
    assert "does not match this version" in (await job_hash())["error"]
    assert "Request it again in Pod." in (await job_hash())["error"]
    assert function.asked == []


async def test_dispatch_never_has_more_steps_out_than_its_concurrency(records, make_job, function, start, wait_state):
    function.answers, function.takes_s = [plan_of(12)], 0.03
    await records.accept([make_job()])
    await start(concurrency=3)
    await wait_state("done")
    assert function.most_at_once == 3


@pytest.mark.parametrize(
    "answer",
    [
        lambda: problem_answer(500),
        lambda: web.Response(status=502, text="Bad gateway"),
        lambda: web.Response(text="no event"),
        lambda: "break",
    ],
    ids=["problem", "gateway", "rubbish", "broken connection"],
)
async def test_dispatch_failed_attempt_is_retried_and_counted(records, make_job, function, start, wait_state, answer):
    function.answers = [answer()]
    await records.accept([make_job()])
    await start()
    await wait_state("done")
    assert function.attempts == [1, 2]


async def test_dispatch_step_that_takes_too_long_is_abandoned_and_retried(
    records, make_job, function, start, wait_state
):
    function.answers = [plan_of(1, timeout_s=1), "hang"]
    await records.accept([make_job()])
    await start(margin_s=0)
    await wait_state("done")
    assert function.attempts == [1, 1, 2]


async def test_dispatch_last_attempt_fails_the_job_with_the_reason(
    records, make_job, function, start, wait_state, job_hash
):
    function.answers = [problem_answer(500, "The disk is on fire.") for _ in range(RETRIES.limit)]
    await records.accept([make_job()])
    await start()
    await wait_state("failing")
    assert "The disk is on fire. (Given up after 3 attempts.)" in (await job_hash())["error"]
    assert function.attempts[:3] == [1, 2, 3]


async def test_dispatch_refused_step_fails_the_job_at_once(records, make_job, function, start, wait_state, dead):
    function.answers = [problem_answer(422, "It is a text.")]
    await records.accept([make_job()])
    await start()
    await wait_state("failing")
    await wait_until(lambda: len(function.asked) == 2)
    assert [asked["action"] for asked in function.asked] == ["plan", "report"]
    assert function.asked[1]["failure"]["detail"] == "It is a text."
    assert len(await dead()) == 1


async def test_dispatch_function_that_is_busy_is_called_again_and_no_attempt_is_counted(
    records, make_job, function, start, wait_state
):
    function.answers = [problem_answer(503, **{"Retry-After": "0"}) for _ in range(8)]
    await records.accept([make_job()])
    await start()
    await wait_state("done")
    assert function.attempts == [1] * 9


async def test_dispatch_function_that_is_unavailable_is_waited_for(records, make_job, function, start, streams):
    await records.accept([make_job()])
    dispatch = await start(url="http://127.0.0.1:1/")
    await wait_until(lambda: dispatch.on_hold == 1)
    (pending,) = await streams.pending(keys.steps("encoding"))
    assert (pending.owner, pending.attempts) == ("one", 0)
    assert "cannot be reached" in await records.trouble("job-1")


async def test_dispatch_steps_on_hold_keep_their_slots_so_no_more_are_taken(
    records, make_job, start, jobs_redis, streams
):
    await records.accept([make_job(f"job-{number}", number) for number in range(20)])
    dispatch = await start(url="http://127.0.0.1:1/", concurrency=3)
    await wait_until(lambda: dispatch.on_hold == 3)
    assert await streams.counts(keys.steps("encoding")) == (0, 3)
    assert (await dispatch.describe())["steps_not_taken"] == 17


async def test_dispatch_step_on_hold_of_a_superseded_job_is_not_delivered(
    records, make_job, function, start, wait_state
):
    function.answers = [problem_answer(503, **{"Retry-After": "1"})]
    await records.accept([make_job("old")])
    await start()
    await wait_until(lambda: len(function.asked) == 1)
    await records.accept([make_job("new")])
    await wait_state("done", "new")
    await wait_state("superseded", "old")
    assert [(asked["job"]["id"], asked["action"]) for asked in function.asked].count(("old", "plan")) == 1


async def test_finish_lets_a_running_step_end(records, make_job, function, start, job_hash):
    function.takes_s = 0.3
    await records.accept([make_job()])
    dispatch = await start()
    await wait_until(lambda: function.asked)
    dispatch.task.cancel()
    await dispatch.finish(2)
    assert (await job_hash())["state"] == "done"


async def test_finish_abandons_what_takes_longer_and_give_back_lets_it_be_reclaimed_at_once(
    records, make_job, function, start, streams, wait_state
):
    function.takes_s = 5
    await records.accept([make_job()])
    dispatch = await start()
    await wait_until(lambda: function.asked)
    dispatch.task.cancel()
    await dispatch.finish(0.1)
    assert await streams.give_back(keys.steps("encoding")) == 1
    function.takes_s = 0
    await start("two")
    await wait_state("done", timeout_s=2)
    assert function.attempts == [1, 1]


async def test_dispatch_entry_that_is_not_a_step_becomes_a_dead_letter_and_blocks_nothing(
    records, make_job, function, start, wait_state, jobs_redis, streams, dead
):
    await jobs_redis.xadd(keys.steps("encoding"), {"job": "job-1"})
    await records.accept([make_job()])
    await start()
    await wait_state("done")
    assert [entry["kind"] for entry in await dead()] == ["message"]


async def test_dispatch_lost_group_is_created_again(records, make_job, function, start, wait_state, jobs_redis):
    await start()
    await asyncio.sleep(0.1)
    await jobs_redis.flushall()
    assert await records.accept([make_job()]) == [Accepted("accepted", "")]
    await wait_state("done")
