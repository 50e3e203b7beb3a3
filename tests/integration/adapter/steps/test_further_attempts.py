"""Further attempts: of steps that failed or were put on hold, and of whole jobs that an operator replays."""

import pytest

from adapter.redis import keys
from adapter.steps.interventions import Interventions
from podjobs.contract.plans import Result
from support.plans import BROKEN, fail_for_good


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
    await fail_for_good(records, take)
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
