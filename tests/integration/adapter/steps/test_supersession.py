"""Of several requests for a video the newest counts, whatever the order in which they come."""

import pytest

from adapter.redis import keys
from adapter.steps.interventions import Interventions
from podjobs.contract.plans import Result
from support.plans import BROKEN, NOTIFY, accept_planned, fail_for_good, plan, spec


async def test_newer_job_supersedes_the_older_whose_steps_are_dropped(records, take, make_job, job_hash, jobs_redis):
    await accept_planned(records, take, make_job("old"), plan(("encode", [spec("a"), spec("b")]), NOTIFY))
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
