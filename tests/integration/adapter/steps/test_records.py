"""The job records and their one script: whatever comes twice, late or in another order, a job ends once."""

import asyncio
import json
import random

import pytest

from adapter.redis import keys
from adapter.steps.entries import assemble_step
from adapter.steps.records import Records
from podjobs.contract.plans import Result
from support.plans import BROKEN, NOTIFY, accept_planned, plan, spec

NEWEST = "{podjobs}:newest:encoding:7"


async def test_accept_new_job_puts_its_plan_step_into_the_stream(records, take, make_job, job_hash):
    (accepted,) = await records.accept([make_job()])
    assert (accepted.outcome, accepted.other_id) == ("accepted", "")
    (step,) = await take()
    assert (step.job_id, step.spec.action, step.attempt) == ("job-1", "plan", 1)
    assert (await job_hash())["state"] == "queued"


async def test_accept_known_id_is_a_duplicate_while_it_runs_and_after_its_end(records, take, make_job, jobs_redis):
    await records.accept([make_job()])
    assert [one.outcome for one in await records.accept([make_job(), make_job()])] == ["duplicate"] * 2
    (step,) = await take()
    await records.commit(step, Result())
    assert [one.outcome for one in await records.accept([make_job()])] == ["duplicate"]
    assert await jobs_redis.xlen(keys.steps("encoding")) == 0


async def test_join_gives_job_shared_values_and_the_results_that_are_needed(records, take, make_job):
    encode = ("encode", [spec("chunk-1"), spec("audio", action="audio")])
    package = ("package", [spec("package-360", action="package", needs=("chunk",))])
    reply = plan(encode, package, shared={"list": [], "number": 12345678901234567})
    await accept_planned(records, take, make_job(), reply)
    for step in await take():
        await records.commit(step, Result(values={"from": step.spec.id, "none": []}))
    (step,) = await take()
    (joined,) = await records.join([step])
    event = assemble_step(step, joined)
    assert event.job == make_job()
    assert event.shared == {"list": [], "number": 12345678901234567}
    assert event.results == {"chunk-1": {"from": "chunk-1", "none": []}}
    assert event.failure is None


async def test_join_first_step_marks_the_job_as_running(records, take, make_job, job_hash):
    await records.accept([make_job()])
    await records.join(await take())
    record = await job_hash()
    assert record["state"] == "running"
    assert float(record["started_at"]) >= float(record["accepted_at"])


async def test_stage_starts_when_the_one_before_is_done_and_not_sooner(records, take, make_job):
    await accept_planned(records, take, make_job(), plan(("encode", [spec("a"), spec("b")]), ("package", [spec("c")])))
    first, second = await take()
    await records.commit(second, Result())
    assert await take() == []
    await records.commit(first, Result())
    assert [step.spec.id for step in await take()] == ["c"]


async def test_commit_twice_has_effect_once(records, take, make_job, job_hash):
    await accept_planned(records, take, make_job(), plan(("encode", [spec("a", weight=3), spec("b", weight=4)])))
    first, _ = await take()
    assert (await records.commit(first, Result(log=("Once.",)))).outcome == "continued"
    assert (await records.commit(first, Result(log=("Twice.",)))).outcome == "duplicate"
    record = await job_hash()
    assert float(record["weight_done"]) == 1 + 3
    assert float(record["weight_total"]) == 1 + 3 + 4


async def test_plan_replaces_the_stages_that_are_left(records, take, make_job, job_hash):
    await accept_planned(records, take, make_job(), plan(("verify", [spec("v", weight=2)]), ("publish", [spec("p")])))
    (step,) = await take()
    await records.commit(step, plan(("again", [spec("a", weight=5)]), shared={"generation": 1}))
    (again,) = await take()
    assert again.spec.id == "a"
    assert float((await job_hash())["weight_total"]) == 1 + 2 + 5
    assert (await records.commit(again, Result())).outcome == "done"


async def test_end_leaves_record_and_log_for_a_while_and_nothing_else(records, take, make_job, jobs_redis):
    await accept_planned(records, take, make_job(), plan(("encode", [spec("a")]), NOTIFY))
    (step,) = await take()
    await records.commit(step, Result(log=("Encoded.",)))
    (notify,) = await take("notification")
    assert (await records.commit(notify, Result(log=("Notified.",)))).outcome == "done"
    bells = (keys.turns_bell("encoding"), keys.turns_bell("notification"))
    kept = (
        keys.steps(""),
        *bells,
        keys.heartbeat(""),
        keys.about(""),
        keys.ADAPTERS,
        keys.TOTALS,
        keys.ARRIVALS,
        keys.plans(""),
    )
    left = {key async for key in jobs_redis.scan_iter() if not key.startswith(kept)}
    assert left == {keys.job("job-1"), keys.job_log("job-1"), keys.JOBS, NEWEST}
    assert await jobs_redis.lrange(keys.job_log("job-1"), 0, -1) == ["Encoded.", "Notified."]
    assert 0 < await jobs_redis.ttl(keys.job("job-1")) <= 1000
    assert 0 < await jobs_redis.ttl(keys.job_log("job-1")) <= 1000
    assert 0 < await jobs_redis.ttl(NEWEST) <= 86_400


async def test_fail_runs_the_failure_stages_says_why_and_dead_letters_the_step(records, take, make_job, job_hash, dead):
    await accept_planned(records, take, make_job(), plan(("encode", [spec("a"), spec("b")]), NOTIFY))
    failed, other = await take()
    assert await records.fail(failed, BROKEN) == "failing"
    assert (await records.commit(other, Result())).outcome == "duplicate"
    (report,) = await take()
    (joined,) = await records.join([report])
    assert report.spec.action == "report"
    assert assemble_step(report, joined).failure == BROKEN
    await records.commit(report, Result())
    (notify,) = await take("notification")
    assert (await records.commit(notify, Result())).outcome == "failed"
    assert json.loads((await job_hash())["error"]) == BROKEN.model_dump()
    (entry,) = await dead()
    assert (entry["kind"], entry["job"], json.loads(entry["step"])["id"]) == ("job", "job-1", "a")


async def test_fail_while_failing_goes_on_to_notify_and_says_why_there_is_no_report(
    records, take, make_job, job_hash, dead
):
    await records.accept([make_job()])
    (step,) = await take()
    await records.fail(step, BROKEN)
    (report,) = await take()
    second = BROKEN.model_copy(update={"detail": "The disk is read-only."})
    assert await records.fail(report, second) == "failing"
    (notify,) = await take("notification")
    assert notify.spec.id == "notify-failure"
    (joined,) = await records.join([notify])
    detail = "It is broken. The report could not be left for Pod: The disk is read-only."
    assert assemble_step(notify, joined).failure.detail == detail
    assert await records.fail(notify, BROKEN) == "failed"
    assert json.loads((await job_hash())["error"])["detail"] == "It is broken."
    assert [letter["problem"]["detail"] for letter in await dead()] == [
        "It is broken.", "The disk is read-only.", "It is broken.",
    ]  # fmt: skip


async def test_read_entry_that_is_not_a_step_becomes_a_dead_letter_whole(records, streams, jobs_redis, dead):
    entry_id = await jobs_redis.xadd(keys.steps("encoding"), {"some": "thing"})
    await streams.read(keys.steps("encoding"), 1)
    assert await records.read_entry("encoding", entry_id, {"some": "thing"}, 1) is None
    (entry,) = await dead()
    assert json.loads(entry["raw"]) == {"some": "thing"}
    assert "is not a step" in entry["problem"]["detail"]
    assert await jobs_redis.xlen(keys.steps("encoding")) == 0


async def test_ended_jobs_leave_the_index_with_their_record(jobs_redis, take, make_job):
    brief = Records(jobs_redis, 1)
    await brief.accept([make_job("first", 1)])
    (step,) = await take()
    await brief.commit(step, Result())
    await asyncio.sleep(1.1)
    await brief.accept([make_job("second", 2)])
    (step,) = await take()
    await brief.commit(step, Result())
    assert await jobs_redis.zrange(keys.JOBS, 0, -1) == ["second"]


@pytest.mark.parametrize("seed", range(12))
async def test_any_order_and_repetition_of_commits_ends_each_job_once(records, take, make_job, jobs_redis, seed):
    """Law 2: three jobs, their steps committed in a random order, some twice, some failing once in a while."""
    chance = random.Random(seed)
    jobs = [make_job(f"job-{number}", number) for number in range(3)]
    await records.accept(jobs)
    held, done, ends = [], [], []
    while True:
        held += await take() + await take("notification")
        if not held:
            break
        step = held.pop(chance.randrange(len(held)))
        if step.spec.action == "plan":
            chunks = [spec(f"c{number}") for number in range(chance.randint(1, 9))]
            reply = plan(("encode", chunks), ("package", [spec("p1"), spec("p2")]), NOTIFY)
        else:
            reply = Result()
        outcomes = [(await records.commit(step, reply)).outcome]
        if done and chance.random() < 0.5:
            outcomes.append((await records.commit(chance.choice(done), Result())).outcome)
            assert outcomes[-1] == "duplicate"
        done.append(step)
        ends += [outcome for outcome in outcomes if outcome == "done"]
    assert ends == ["done"] * 3
    left = {key async for key in jobs_redis.scan_iter("{podjobs}:job:*")}
    assert left == {keys.job(job.id) for job in jobs}
    assert await jobs_redis.scard(keys.LIVE) == 0
    assert await jobs_redis.xlen(keys.steps("encoding")) == 0
