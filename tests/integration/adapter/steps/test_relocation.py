"""A step that does not find its source: it is looked into once, and the job goes on elsewhere, or is cancelled."""

import json

import pytest
from aiohttp import web

from adapter.redis import keys
from adapter.steps.entries import assemble_step
from podjobs.contract.errors import PROBLEM_CONTENT_TYPE, Problem, SourceGoneError
from podjobs.contract.plans import Plan, Result, Stage, StepSpec
from podjobs.contract.relocations import Relocation, Whereabouts
from support.step_function import RETRIES, FakeFunction, plan_of

GONE = Problem.of(SourceGoneError("The file '/media/videos/7.mp4' is not there."))
TROUBLE = GONE.model_dump_json()
BROKEN = Problem(title="Broken.", status=422, detail="It is broken.")


def answer(job, whereabouts, log=()):
    return Relocation(whereabouts=whereabouts, job=job, log=log)


def moved(job):
    return job.at("videos/bob/7.mp4")


@pytest.fixture
async def missing(records, take, make_job):
    """Two chunks of a job that do not find the source."""
    chunks = tuple(StepSpec(id=f"chunk-{number}", function="encoding", action="chunk") for number in (1, 2))
    notify = StepSpec(id="notify", function="notification", action="encoding")
    await records.accept([make_job()])
    (plan,) = await take()
    stages = (Stage(name="encode", steps=chunks), Stage(name="notify", steps=(notify,)))
    await records.commit(plan, Plan(shared={"n": 1}, stages=stages))
    return await take()


@pytest.fixture
async def idle_of(jobs_redis):
    """Owner, idle time and attempts of a step's entry."""

    async def look(step):
        (row,) = await jobs_redis.xpending_range(keys.steps("encoding"), keys.GROUP, step.entry_id, step.entry_id, 1)
        return row["consumer"], row["time_since_delivered"] / 1000, row["times_delivered"]

    return look


async def test_missing_source_is_asked_for_once_and_only_that_attempt_counts(records, take, missing, idle_of):
    first, second = missing
    assert await records.miss_source(first, TROUBLE, is_last=False) == "asked"
    assert await records.miss_source(second, TROUBLE, is_last=True) == "waiting"
    (question,) = await take("notification")
    assert (question.spec.id, question.spec.action) == ("locate", "locate")
    assert await idle_of(first) == ("waiting", pytest.approx(0, abs=0.5), 1)
    assert await idle_of(second) == ("waiting", pytest.approx(0, abs=0.5), 0)


async def test_last_attempt_that_misses_the_source_is_left_to_fail_unless_the_answer_is_awaited(records, missing):
    first, _ = missing
    assert await records.miss_source(first, TROUBLE, is_last=True) == "exhausted"


async def test_moved_job_goes_on_at_the_new_place_at_once_with_all_attempts(
    records, take, missing, idle_of, make_job, job_hash
):
    first, second = missing
    await records.miss_source(first, TROUBLE, is_last=False)
    (question,) = await take("notification")
    job = moved(make_job())
    committed = await records.relocate(question, answer(job, Whereabouts.MOVED, ("It was moved.",)))
    assert committed.outcome == "continued"
    owner, idle_s, attempts = await idle_of(first)
    assert (owner, attempts) == ("waiting", 0)
    assert idle_s > RETRIES.cap_s
    assert (await idle_of(second))[0] == "one"  # nobody takes a step from who works on it
    (joined,) = await records.join([second])
    assert assemble_step(second, joined).job == job
    assert "missed" not in await job_hash()


async def test_unchanged_job_waits_as_after_any_failure_and_may_ask_again(
    records, take, missing, idle_of, make_job, job_hash
):
    first, _ = missing
    await records.miss_source(first, TROUBLE, is_last=False)
    before = (await job_hash())["params"]
    (question,) = await take("notification")
    assert (await records.relocate(question, answer(moved(make_job()), Whereabouts.UNCHANGED))).outcome == "continued"
    assert (await job_hash())["params"] == before
    assert await idle_of(first) == ("waiting", pytest.approx(0, abs=0.5), 1)
    assert await records.miss_source(first, TROUBLE, is_last=False) == "asked"
    assert len(await take("notification")) == 1


async def test_deleted_job_withdraws_its_files_and_is_cancelled_without_a_notification(
    records, take, missing, make_job, job_hash, jobs_redis, dead
):
    first, second = missing
    await records.miss_source(first, TROUBLE, is_last=False)
    (question,) = await take("notification")
    assert (await records.relocate(question, answer(make_job(), Whereabouts.DELETED))).outcome == "continued"
    assert (await records.commit(second, Result())).outcome == "duplicate"
    (withdraw,) = await take()
    assert withdraw.spec.action == "withdraw"
    assert (await records.commit(withdraw, Result())).outcome == "cancelled"
    assert (await job_hash())["state"] == "cancelled"
    assert await take("notification") == []
    assert await jobs_redis.smembers(keys.LIVE) == set()
    assert await jobs_redis.exists("{podjobs}:current:encoding:7") == 0
    assert await dead() == []


async def test_cancelled_job_ends_even_if_its_files_cannot_be_withdrawn(records, take, missing, make_job, job_hash):
    await records.miss_source(missing[0], TROUBLE, is_last=False)
    (question,) = await take("notification")
    await records.relocate(question, answer(make_job(), Whereabouts.DELETED))
    (withdraw,) = await take()
    assert await records.fail(withdraw, BROKEN) == "cancelled"
    assert (await job_hash())["state"] == "cancelled"


async def test_stage_waits_for_the_answer_and_then_goes_on(records, take, missing, make_job):
    """The step was tried again meanwhile, and found its source."""
    first, second = missing
    await records.miss_source(first, TROUBLE, is_last=False)
    (question,) = await take("notification")
    await records.commit(first, Result())
    assert (await records.commit(second, Result())).outcome == "continued"
    assert await take("notification") == []
    await records.relocate(question, answer(make_job(), Whereabouts.UNCHANGED))
    (notify,) = await take("notification")
    assert notify.spec.id == "notify"


async def test_answer_that_comes_twice_or_after_the_job_was_superseded_is_dropped(records, take, missing, make_job):
    await records.miss_source(missing[0], TROUBLE, is_last=False)
    (question,) = await take("notification")
    await records.relocate(question, answer(make_job(), Whereabouts.UNCHANGED))
    assert (await records.relocate(question, answer(make_job(), Whereabouts.DELETED))).outcome == "duplicate"
    await records.miss_source(missing[0], TROUBLE, is_last=False)
    (question,) = await take("notification")
    await records.accept([make_job("job-2")])
    assert (await records.relocate(question, answer(make_job(), Whereabouts.DELETED))).outcome == "duplicate"
    assert await records.miss_source(missing[1], TROUBLE, is_last=False) == "duplicate"


async def test_notification_that_finds_the_video_deleted_cancels_the_job(records, take, missing, make_job, job_hash):
    for step in missing:
        await records.commit(step, Result())
    (notify,) = await take("notification")
    await records.relocate(notify, answer(make_job(), Whereabouts.DELETED))
    (withdraw,) = await take()
    await records.commit(withdraw, Result())
    assert (await job_hash())["state"] == "cancelled"


def gone():
    return web.Response(status=500, text=TROUBLE, content_type=PROBLEM_CONTENT_TYPE)


@pytest.fixture
async def notification(serve):
    return await serve(FakeFunction())


@pytest.mark.parametrize(
    "slow_answer",
    [False, pytest.param(True, marks=pytest.mark.slow)],
    ids=["", "the answer takes longer than all attempts"],
)
async def test_dispatch_step_that_misses_its_source_is_done_at_its_new_place(
    records, make_job, function, notification, start, wait_state, slow_answer
):
    job = make_job()
    notification.answers = [answer(moved(job), Whereabouts.MOVED)]
    notification.takes_s = 2.2 if slow_answer else 0
    misses = RETRIES.limit + 2 if slow_answer else 1
    function.answers = [plan_of(1), *(gone() for _ in range(misses))]
    await records.accept([job])
    await start()
    await start("two", url=notification.url, name="notification")
    await wait_state("done")
    assert notification.asked[0]["action"] == "locate"
    moved_steps = [asked for asked in function.asked if asked["job"]["source"] == "videos/bob/7.mp4"]
    assert moved_steps[0]["attempt"] == 1
    missed = len(function.asked) - 1 - len(moved_steps)
    assert missed > RETRIES.limit if slow_answer else missed == 1


async def test_dispatch_step_whose_source_stays_away_fails_after_its_attempts(
    records, make_job, function, notification, start, wait_state, job_hash
):
    job = make_job()
    notification.answers = [answer(job, Whereabouts.UNCHANGED) for _ in range(RETRIES.limit)]
    function.answers = [gone() for _ in range(RETRIES.limit)]
    await records.accept([job])
    await start()
    await start("two", url=notification.url, name="notification")
    await wait_state("failed")
    assert function.attempts == [1, 2, 3, 1]  # the last one is the report
    assert "is not there. (Given up after 3 attempts.)" in json.loads((await job_hash())["error"])["detail"]


async def test_dispatch_question_that_is_refused_leaves_the_job_as_it_was(
    records, make_job, function, notification, start, wait_state
):
    """As by a Pod that knows no such page: the steps are tried again."""
    refusal = BROKEN.model_dump_json()
    notification.answers = [web.Response(status=422, text=refusal, content_type=PROBLEM_CONTENT_TYPE)]
    function.answers = [gone(), plan_of(1)]
    await records.accept([make_job()])
    await start()
    await start("two", url=notification.url, name="notification")
    await wait_state("done")
