"""The job records and their one script: whatever comes twice, late or in another order, a job ends once."""

import asyncio
import json
import random

import pytest

from adapter.redis import keys
from adapter.steps.entries import assemble_step
from adapter.steps.interventions import Interventions
from adapter.steps.records import Records
from podjobs.contract.errors import Problem
from podjobs.contract.plans import Plan, Result, Stage, StepSpec

NEWEST = "{podjobs}:newest:encoding:7"
BROKEN = Problem(title="Broken.", status=422, detail="It is broken.")


def spec(step_id, function="encoding", action="chunk", **more):
    return StepSpec(id=step_id, function=function, action=action, **more)


def plan(*stages, **more):
    return Plan(stages=tuple(Stage(name=name, steps=tuple(steps)) for name, steps in stages), **more)


NOTIFY = ("notify", [spec("notify", "notification", "encoding")])


async def planned(records, take, job, reply):
    """Accept a job and commit its plan."""
    await records.accept([job])
    (step,) = await take()
    assert step.spec.id == "plan"
    await records.commit(step, reply)


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
    await planned(records, take, make_job(), reply)
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
    await planned(records, take, make_job(), plan(("encode", [spec("a"), spec("b")]), ("package", [spec("c")])))
    first, second = await take()
    await records.commit(second, Result())
    assert await take() == []
    await records.commit(first, Result())
    assert [step.spec.id for step in await take()] == ["c"]


async def test_commit_twice_has_effect_once(records, take, make_job, job_hash):
    await planned(records, take, make_job(), plan(("encode", [spec("a", weight=3), spec("b", weight=4)])))
    first, _ = await take()
    assert (await records.commit(first, Result(log=("Once.",)))).outcome == "continued"
    assert (await records.commit(first, Result(log=("Twice.",)))).outcome == "duplicate"
    record = await job_hash()
    assert float(record["weight_done"]) == 1 + 3
    assert float(record["weight_total"]) == 1 + 3 + 4


async def test_plan_replaces_the_stages_that_are_left(records, take, make_job, job_hash):
    await planned(records, take, make_job(), plan(("verify", [spec("v", weight=2)]), ("publish", [spec("p")])))
    (step,) = await take()
    await records.commit(step, plan(("again", [spec("a", weight=5)]), shared={"generation": 1}))
    (again,) = await take()
    assert again.spec.id == "a"
    assert float((await job_hash())["weight_total"]) == 1 + 2 + 5
    assert (await records.commit(again, Result())).outcome == "done"


async def test_end_leaves_record_and_log_for_a_while_and_nothing_else(records, take, make_job, jobs_redis):
    await planned(records, take, make_job(), plan(("encode", [spec("a")]), NOTIFY))
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
    await planned(records, take, make_job(), plan(("encode", [spec("a"), spec("b")]), NOTIFY))
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


async def test_newer_job_supersedes_the_older_whose_steps_are_dropped(records, take, make_job, job_hash, jobs_redis):
    await planned(records, take, make_job("old"), plan(("encode", [spec("a"), spec("b")]), NOTIFY))
    running, _ = await take()
    (accepted,) = await records.accept([make_job("new")])
    assert accepted.other_id == "old"
    assert (await records.commit(running, Result())).outcome == "duplicate"
    assert await records.join([running]) == [None]
    discard, new = await take()
    assert (discard.job_id, discard.spec.action, new.job_id) == ("old", "discard", "new")
    assert (await records.commit(discard, Result())).outcome == "superseded"
    assert (await job_hash("old"))["state"] == "superseded"
    assert await jobs_redis.get("{podjobs}:current:encoding:7") == "new"


@pytest.mark.parametrize("is_over", [False, True])
async def test_accept_older_request_than_the_newest_ends_superseded_at_once(
    records, take, make_job, job_hash, jobs_redis, is_over
):
    """An adapter that died left its message behind, and it is taken over later, even after the newer job has ended."""
    await records.accept([make_job("new")], [200])
    if is_over:
        assert await fail_for_good(records, take) == "failed"
    (accepted,) = await records.accept([make_job("old")], [100])
    assert (accepted.outcome, accepted.other_id) == ("superseded", "new")
    assert (await job_hash("old"))["state"] == "superseded"
    assert await jobs_redis.lrange(keys.job_log("old"), 0, -1) == [
        "The job is superseded by the job new, which was requested later."
    ]
    assert "old" not in {step.job_id for step in await take()}
    assert (await job_hash("new"))["state"] == ("failed" if is_over else "queued")
    assert [one.outcome for one in await records.accept([make_job("old")], [100])] == ["duplicate"]


async def fail_for_good(records, take):
    """Fail a job, its report and its notification. Returns what became of it."""
    for function in ("encoding", "encoding", "notification"):
        (step,) = await take(function)
        outcome = await records.fail(step, BROKEN)
    return outcome


async def test_accept_newer_request_supersedes_by_its_position_not_by_its_digits(records, make_job):
    await records.accept([make_job("old")], [999_999_999_999_999])
    (accepted,) = await records.accept([make_job("new")], [1_000_000_000_000_000])
    assert (accepted.outcome, accepted.other_id) == ("accepted", "old")


async def test_replay_is_newer_than_all_before_it_and_older_than_all_that_come(
    records, take, make_job, jobs_redis, job_hash
):
    await records.accept([make_job("failed")], [100])
    await fail_for_good(records, take)
    await records.accept([make_job("other")], [200])
    (letter, _), *_ = await jobs_redis.xrange(keys.DEAD)
    assert (await Interventions(records.script).replay(make_job("failed"), letter)).other_id == "other"
    assert [one.outcome for one in await records.accept([make_job("left-behind")], [150])] == ["superseded"]
    assert [one.outcome for one in await records.accept([make_job("next")], [201])] == ["accepted"]
    assert (await job_hash("failed"))["state"] == "superseded"


async def test_jobs_for_other_videos_do_not_supersede_one_another(records, make_job):
    answers = await records.accept([make_job("a", 1), make_job("b", 2)])
    assert [one.other_id for one in answers] == ["", ""]


async def test_fail_of_a_superseded_job_ends_it_quietly(records, take, make_job, job_hash, dead):
    await records.accept([make_job("old")])
    await take()
    await records.accept([make_job("new")])
    discard, _ = await take()
    assert await records.fail(discard, BROKEN) == "superseded"
    assert (await job_hash("old"))["state"] == "superseded"
    assert await dead() == []


async def test_schedule_retry_leaves_the_entry_to_nobody_and_keeps_its_count(records, take, streams, make_job):
    await records.accept([make_job()])
    (step,) = await take()
    assert await records.schedule_retry(step, BROKEN.model_dump_json())
    (pending,) = await streams.pending(keys.steps("encoding"))
    assert (pending.owner, pending.attempts) == (keys.WAITING, 1)
    assert pending.idle_s < 0.5
    assert await records.trouble("job-1") == "It is broken."


async def test_hold_sets_the_attempt_back_and_resume_counts_it(records, take, streams, make_job):
    await records.accept([make_job()])
    (step,) = await take()
    assert await records.hold(step, "one", BROKEN.model_dump_json()) == 0
    assert [(one.owner, one.attempts) for one in await streams.pending(keys.steps("encoding"))] == [("one", 0)]
    await streams.resume(keys.steps("encoding"), step.entry_id, 1)
    assert [(one.owner, one.attempts) for one in await streams.pending(keys.steps("encoding"))] == [("one", 1)]


@pytest.mark.parametrize("ending", ["schedule_retry", "hold", "fail"])
async def test_step_that_is_no_longer_open_is_dropped_whatever_its_attempt_ended_with(
    records, take, streams, make_job, ending
):
    await records.accept([make_job("old")])
    (step,) = await take()
    await records.accept([make_job("new")])
    match ending:
        case "schedule_retry":
            assert not await records.schedule_retry(step, "")
        case "hold":
            assert await records.hold(step, "one", "") is None
        case "fail":
            assert await records.fail(step, BROKEN) == "duplicate"
    assert await streams.pending(keys.steps("encoding")) == []


async def test_replay_failed_job_starts_anew_and_its_dead_letter_is_removed(
    records, take, make_job, job_hash, dead, jobs_redis
):
    await records.accept([make_job()])
    for function in ("encoding", "encoding", "notification"):
        (step,) = await take(function)
        await records.fail(step, BROKEN)
    ((entry_id, _), *_) = await jobs_redis.xrange(keys.DEAD)
    assert (await Interventions(records.script).replay(make_job(), entry_id)).outcome == "accepted"
    assert (await Interventions(records.script).replay(make_job(), entry_id)).outcome == "gone"
    assert (await job_hash())["state"] == "queued"
    assert await dead() == []
    (step,) = await take()
    assert (await records.commit(step, Result())).outcome == "done"


async def test_entry_of_an_earlier_run_does_not_count_in_a_later_one(records, take, make_job, jobs_redis):
    await records.accept([make_job()])
    (early,) = await take()
    await records.fail(early, BROKEN)
    for function in ("encoding", "notification"):
        (step,) = await take(function)
        await records.fail(step, BROKEN)
    answer = await Interventions(records.script).replay(make_job(), (await jobs_redis.xrange(keys.DEAD))[0][0])
    assert answer.outcome == "accepted"
    assert (await records.commit(early, Result())).outcome == "duplicate"


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
