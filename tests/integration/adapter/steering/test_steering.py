"""What operators change: jobs are cancelled and run anew, functions paused."""

import asyncio

import pytest

from adapter.inspection.job_filter import JobFilter
from adapter.inspection.job_reader import JobReader
from adapter.redis import keys
from adapter.steering.selection import retry_all, select_jobs
from adapter.steering.steering import Steering, SteeringError
from adapter.steps.entries import assemble_step
from podjobs.contract.errors import Problem
from podjobs.contract.plans import Result
from support.jobs import encoding_job

BROKEN = Problem(title="Broken.", status=400, detail="It is broken.")


@pytest.fixture
def steering(jobs_redis, records):
    return Steering(jobs_redis, records)


async def do_all(records, take, functions):
    outcome = ""
    for function in functions:
        (step,) = await take(function)
        outcome = (await records.commit(step, Result())).outcome
    return outcome


@pytest.mark.parametrize("runs", [True, False])
async def test_cancelled_job_is_reported_to_its_sender_and_ends_as_cancelled(
    steering, records, take, make_job, job_hash, runs
):
    await records.accept([make_job()])
    (step,) = await take()
    if runs:
        await records.join([step], "one")
    assert await steering.cancel("job-1", "anna", "wrong file") == "cancelled"
    assert (await records.commit(step, Result())).outcome == "duplicate"
    (report,) = await take()
    (joined,) = await records.join([report], "one")
    assert assemble_step(report, joined).failure.detail == (
        "An administrator has cancelled the job. The reason given is: wrong file."
    )
    await records.commit(report, Result())
    assert await do_all(records, take, ["notification"]) == "cancelled"
    assert (await job_hash())["state"] == "cancelled"
    assert await steering.cancel("job-1", "anna") == "cancelled"
    assert await steering.cancel("no-such-job", "anna") == "gone"


async def test_job_that_has_ended_or_is_failing_cannot_be_cancelled(steering, records, take, make_job):
    await records.accept([make_job()])
    (step,) = await take()
    await records.fail(step, BROKEN)
    assert await steering.cancel("job-1", "anna") == "failing"
    assert await do_all(records, take, ["encoding", "notification"]) == "failed"
    assert await steering.cancel("job-1", "anna") == "failed"


async def test_message_that_was_revoked_before_it_came_is_cancelled_when_it_comes_and_its_sender_is_told(
    steering, records, take, make_job, job_hash
):
    assert await steering.revoke("job-1", "anna") == "remembered"
    await records.accept([make_job(), make_job("job-2", 8)])
    assert (await job_hash())["state"] == "failing"
    assert (await job_hash("job-2"))["state"] == "queued"
    report, plan = sorted(await take(), key=lambda step: step.job_id)
    assert (report.spec.action, plan.spec.action) == ("report", "plan")
    await records.commit(report, Result())
    assert await do_all(records, take, ["notification"]) == "cancelled"


@pytest.mark.parametrize("ends", ["failed", "cancelled"])
async def test_retry_runs_a_failed_or_cancelled_job_anew_and_removes_its_dead_letters(
    steering, records, take, make_job, job_hash, dead, ends
):
    await records.accept([make_job()])
    (step,) = await take()
    if ends == "failed":
        await records.fail(step, BROKEN)
        assert len(await dead()) == 1
    else:
        await steering.cancel("job-1", "anna")
    assert (await steering.retry("job-1")).outcome == "failing"
    await do_all(records, take, ["encoding", "notification"])
    assert (await steering.retry("job-1")).outcome == "accepted"
    assert await dead() == []
    assert (await job_hash())["state"] == "queued"
    assert "error" not in await job_hash()
    assert await do_all(records, take, ["encoding"]) == "done"
    assert (await steering.retry("job-1")).outcome == "done"
    assert (await steering.retry("no-such-job")).outcome == "gone"


async def test_function_that_is_paused_gets_no_steps_until_it_is_resumed(steering, records, take, make_job):
    await records.accept([make_job()])
    await steering.pause("encoding", "anna", "maintenance")
    assert await take() == []
    (pause,) = (await steering.paused()).values()
    assert (pause.function, pause.by, pause.reason) == ("encoding", "anna", "maintenance")
    assert await steering.resume("encoding")
    assert not await steering.resume("encoding")
    assert len(await take()) == 1
    with pytest.raises(SteeringError, match=r"no function 'encodings'. The functions are: encoding, "):
        await steering.pause("encodings", "anna")


async def test_all_functions_are_paused_and_resumed_at_once(steering, records, take, make_job):
    await records.accept([make_job()])
    await steering.pause(keys.ALL_FUNCTIONS, "anna")
    await steering.pause("encoding", "bert")
    assert await take() == []
    await steering.resume(keys.ALL_FUNCTIONS)
    assert await steering.paused() == {}
    assert len(await take()) == 1


async def test_jobs_are_found_by_owner_state_type_time_and_reason(records, take, jobs_redis):
    jobs = [
        encoding_job("of-anna", 1, "/media/videos/anna/1.mp4"),
        encoding_job("of-bert", 2, "/media/videos/bert/2.mp4"),
        encoding_job("of-none", 3, "/media/videos/3.mp4"),
    ]
    await records.accept(jobs)
    failed = next(step for step in await take() if step.job_id == "of-bert")
    await records.fail(failed, BROKEN)
    reader = JobReader(jobs_redis)

    async def found(**conditions):
        return {record.id for record in await reader.jobs(JobFilter(**conditions), 10)}

    assert await found() == {"of-anna", "of-bert", "of-none"}
    assert await found(owner="anna") == {"of-anna"}
    assert await found(states=frozenset({"failing"})) == {"of-bert"}
    assert await found(reason="IS BROKEN") == {"of-bert"}
    assert await found(types=frozenset({"transcription"})) == set()
    accepted_s = (await reader.job("of-anna")).accepted_at_s
    assert await found(until_s=accepted_s) == set()
    assert await found(since_s=accepted_s) == {"of-anna", "of-bert", "of-none"}
    assert {record.id for record in await reader.live()} == {"of-anna", "of-bert", "of-none"}


async def test_of_several_requests_for_a_video_that_are_retried_the_newest_counts(
    steering, records, take, make_job, job_hash, jobs_redis
):
    for job_id in ("older", "newer"):
        await records.accept([make_job(job_id)])
        (step,) = await take()
        await records.fail(step, BROKEN)
        assert await do_all(records, take, ["encoding", "notification"]) == "failed"
        await asyncio.sleep(0.002)  # times of jobs are told in milliseconds
    chosen = await select_jobs(jobs_redis, JobFilter(states=frozenset({"failed"})))
    outcome = await retry_all(steering, [record.id for record in chosen])
    assert (sorted(outcome.done), outcome.refused) == (["newer", "older"], {})
    assert [(await job_hash(job_id))["state"] for job_id in ("older", "newer")] == ["superseded", "queued"]
