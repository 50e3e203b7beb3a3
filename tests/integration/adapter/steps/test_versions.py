"""Versions of the records: what an older one left goes on, what a newer one left stays as it is."""

import asyncio
import json
from collections import Counter

import pytest
from pydantic import ValidationError

from adapter.redis import keys
from adapter.redis.earlier_names import carry_over
from adapter.steps.records import MOST_RESTARTS
from adapter.steps.versions import RECORD_VERSION, NewerRecordError
from podjobs.contract.errors import OtherVersionError, Problem
from podjobs.contract.plans import Result
from podjobs.encoding.recipe import Recipe
from support.problems import answer_of
from support.redis_dump import EARLIER, load_dump
from support.step_function import plan_of
from support.waiting import wait_until

NEWER = str(RECORD_VERSION + 1)


@pytest.fixture
async def left_by_version_1(client, jobs_redis, jobs_url):
    if jobs_url.startswith("redis+cluster:"):
        pytest.skip("Version 1 could not store anything in a cluster.")
    dump = load_dump(client, "redis-record-1.json")
    await carry_over(jobs_redis, lease_s=1)
    return {key.replace(EARLIER, keys.PREFIX): stored for key, stored in dump.items()}


async def test_jobs_that_version_1_left_in_all_states_go_on_and_end_well(
    left_by_version_1, function, start, client, wait_state
):
    live = left_by_version_1[keys.LIVE]["value"]
    for name in ("encoding", "notification", "transcription"):
        await start(name, name=name)
    async with asyncio.timeout(15):
        while client.scard(keys.LIVE):
            await asyncio.sleep(0.05)
    states = {job_id: client.hget(keys.job(job_id), "state") for job_id in live}
    ends = {"encoding-failing": "failed", "encoding-older": "superseded"}
    assert states == {job_id: ends.get(job_id, "done") for job_id in live}
    left = {key for key in client.scan_iter("{podjobs}:job:*:*") if not key.endswith((":log", ":attempts"))}
    assert left == set()
    steps = Counter((asked["job"]["id"], asked["step_id"]) for asked in function.asked)
    chunks = {f"chunk-{number:04d}" for number in range(4, 10)}
    assert {step for job, step in steps if job == "encoding-chunks"} > chunks
    assert set(steps.values()) == {1}
    recipes = [Recipe.model_validate(asked["shared"]) for asked in function.asked if asked["action"] == "chunk"]
    assert {len(recipe.chunks) for recipe in recipes} == {10}


def test_recipe_of_another_version_is_not_read(left_by_version_1):
    shared = json.loads(left_by_version_1[keys.job("encoding-chunks")]["value"]["shared"])
    assert Recipe.model_validate(shared).version == 1
    with pytest.raises(ValidationError, match="version"):
        Recipe.model_validate(shared | {"version": 2})


async def test_steps_that_version_1_kept_ready_are_taken_in_their_order(left_by_version_1, records, take, client):
    first = [step for step in await take() if step.job_id == "encoding-chunks"]
    assert [step.spec.id for step in first] == ["chunk-0007"]  # it was in the stream, unread
    await records.join(first)
    assert [step.spec.id for step in await take()] == ["chunk-0008", "chunk-0009"]


async def test_dispatch_record_of_a_newer_version_is_kept_and_goes_on_with_it(
    records, make_job, function, start, wait_state, jobs_redis, job_hash
):
    await records.accept([make_job()])
    await jobs_redis.hset(keys.job("job-1"), "version", NEWER)
    before = await job_hash()
    await start()
    await asyncio.sleep(0.8)
    assert function.asked == []
    assert await job_hash() == before
    assert await jobs_redis.xlen(keys.DEAD) == 0
    await jobs_redis.hset(keys.job("job-1"), "version", str(RECORD_VERSION))  # as if the newer adapter ran again
    await wait_state("done")
    assert len(function.asked) == 1


async def test_dispatch_entry_of_a_newer_version_is_kept_and_blocks_nothing(
    records, make_job, start, wait_state, jobs_redis, streams
):
    entry_id = await jobs_redis.xadd(keys.steps("encoding"), {"version": NEWER, "what": "only that version knows"})
    await records.accept([make_job()])
    await start()
    await wait_state("done")
    ((kept, _),) = await jobs_redis.xrange(keys.steps("encoding"))
    assert kept == entry_id
    assert [pending.owner for pending in await streams.pending(keys.steps("encoding"))] == [keys.WAITING]
    assert await jobs_redis.xlen(keys.DEAD) == 0


@pytest.mark.parametrize("ending", ["commit", "fail", "schedule_retry", "hold"])
async def test_step_whose_record_became_newer_meanwhile_changes_nothing(
    records, take, make_job, jobs_redis, job_hash, streams, ending
):
    await records.accept([make_job()])
    (step,) = await take()
    await jobs_redis.hset(keys.job("job-1"), "version", NEWER)
    before = await job_hash()
    problem = Problem(title="No.", status=500, detail="It is broken.")
    endings = {
        "commit": lambda: records.commit(step, Result()),
        "fail": lambda: records.fail(step, problem),
        "schedule_retry": lambda: records.schedule_retry(step, ""),
        "hold": lambda: records.hold(step, "one", ""),
    }
    with pytest.raises(NewerRecordError, match="Run the newer adapter again"):
        await endings[ending]()
    assert await job_hash() == before
    (pending,) = await streams.pending(keys.steps("encoding"))
    assert (pending.owner, pending.attempts) == (keys.WAITING, 1)


async def test_reclaim_step_of_a_newer_record_that_is_used_up_is_kept(
    records, take, make_job, start, jobs_redis, job_hash
):
    await records.accept([make_job()])
    (step,) = await take()
    stream = keys.steps("encoding")
    await jobs_redis.xclaim(stream, keys.GROUP, "gone", 0, [step.entry_id], retrycount=3, idle=60_000, justid=True)
    await jobs_redis.hset(keys.job("job-1"), "version", NEWER)
    dispatch = await start()
    await asyncio.sleep(0.4)
    assert not dispatch.task.done()
    assert (await job_hash())["state"] == "queued"


def planned_by_another():
    return answer_of(OtherVersionError("The step's own data are not valid: sizes: Field required"))


async def test_dispatch_job_that_another_version_planned_is_planned_anew(
    records, make_job, function, start, wait_state, jobs_redis
):
    function.answers = [plan_of(1), planned_by_another(), plan_of(2)]
    await records.accept([make_job()])
    await start()
    await wait_state("done")
    begun, parallel = function.asked[:3], function.asked[3:]
    assert [asked["step_id"] for asked in begun] == ["plan", "s0", "plan"]
    assert {asked["step_id"] for asked in parallel} == {"s0", "s1"}
    (sentence,) = await jobs_redis.lrange(keys.job_log("job-1"), 0, -1)
    assert sentence == "The job is planned anew: The step's own data are not valid: sizes: Field required"
    assert await jobs_redis.xlen(keys.DEAD) == 0


async def test_dispatch_job_that_planning_anew_does_not_help_fails_in_the_end(
    records, make_job, function, start, wait_state, job_hash
):
    function.answers = [answer for _ in range(MOST_RESTARTS + 1) for answer in (plan_of(1), planned_by_another())]
    await records.accept([make_job()])
    await start()
    await wait_state("failing")
    await wait_until(lambda: function.asked[-1]["action"] == "report")
    assert [asked["action"] for asked in function.asked].count("plan") == MOST_RESTARTS + 1
    assert "sizes: Field required" in json.loads((await job_hash())["error"])["detail"]


async def test_restart_drops_what_was_planned_and_done(records, take, make_job, jobs_redis, job_hash):
    await records.accept([make_job()])
    (plan,) = await take()
    await records.join([plan])
    await records.commit(plan, plan_of(3))
    done, late, found = await take()
    await records.commit(done, Result(values={"of": "the other version"}))
    problem = Problem(title="No.", status=400, detail="It is of another version.")
    assert await records.restart(found, make_job(), problem)
    assert (await records.commit(late, Result())).outcome == "duplicate"
    (again,) = await take()
    assert again.spec.action == "plan"
    assert not await jobs_redis.exists(f"{keys.job('job-1')}:results")
    record = await job_hash()
    assert (record["weight_total"], record["weight_done"]) == ("1", "0")
    assert "shared" not in record
