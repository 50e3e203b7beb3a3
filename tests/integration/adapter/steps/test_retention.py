"""What is older than it is kept is removed once an hour, and the log says what that was."""

import asyncio
import json
import logging
import time

import pytest
import structlog
from structlog.testing import capture_logs

from adapter.inspection.dead_letter_reader import DeadLetterReader
from adapter.inspection.job_reader import JobReader
from adapter.redis import keys
from adapter.steering.steering import Steering
from adapter.steps import retention
from adapter.steps.records import Records
from adapter.steps.retention import Retention
from podjobs.contract.errors import Problem
from podjobs.contract.plans import Result
from support.jobs import encoding_job

BROKEN = Problem(title="Broken.", status=400, detail="It is broken.")
DAY_S = 86_400
LONG_S = 90 * DAY_S


@pytest.fixture
def add_letter(jobs_redis):
    async def add(age_s, **fields):
        """Add a dead letter of that age; the oldest first."""
        moment = f"{int((time.time() - age_s) * 1000)}-*"
        return await jobs_redis.xadd(keys.DEAD, {**fields, "problem": BROKEN.model_dump_json()}, id=moment)

    return add


async def fail_job(records, take, job_id, *, ends):
    """A job whose first step fails; it is reported if it ends."""
    await records.accept([encoding_job(job_id, int(job_id), f"/media/videos/{job_id}.mp4")])
    (step,) = await take()
    await records.fail(step, BROKEN)
    if ends:
        for function in ("encoding", "notification"):
            (step,) = await take(function)
            await records.commit(step, Result())


async def trim(jobs_redis, records, dead_ttl_s=LONG_S):
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    try:
        with capture_logs() as logs:
            assert await Retention(jobs_redis, records, dead_ttl_s).trim_if_due()
    finally:
        structlog.configure(**before)
    return logs


async def test_trim_is_once_an_hour_for_all_adapters(jobs_redis, records):
    await trim(jobs_redis, records)
    assert not await Retention(jobs_redis, records, 0).trim_if_due()
    assert 0 < await jobs_redis.ttl(keys.RETENTION) <= retention.EVERY_S


async def test_old_dead_letters_of_every_kind_go_and_the_log_says_which(jobs_redis, records, add_letter):
    await add_letter(92 * DAY_S, kind="job", job="job-1", type="encoding", target="7", params="{}", step="{}")
    await add_letter(91 * DAY_S, kind="statement", statement=json.dumps({"id": "s-1"}))
    await add_letter(91 * DAY_S, kind="statement", statement="[1, 2")
    await add_letter(91 * DAY_S, kind="message", queue="encoding", raw="{}")
    young = await add_letter(89 * DAY_S, kind="statement", statement=json.dumps({"id": "s-2"}))
    (said,) = await trim(jobs_redis, records)
    assert [letter.id for letter in await DeadLetterReader(jobs_redis).newest(10)] == [young]
    assert said["log_level"] == "warning"
    assert said["removed"] == {"job": 1, "statement": 2, "message": 1}
    assert said["about"] == {"job": ["job-1"], "statement": ["s-1", ""], "message": ["encoding"]}
    assert said["oldest"] == time.strftime("%Y-%m-%d", time.localtime(time.time() - 92 * DAY_S))


async def test_many_dead_letters_go_and_only_some_are_named(jobs_redis, records, add_letter):
    for number in range(130):
        await add_letter(100 * DAY_S - number, kind="statement", statement=json.dumps({"id": f"s-{number}"}))
    (said,) = await trim(jobs_redis, records)
    assert await jobs_redis.xlen(keys.DEAD) == 0
    assert said["removed"] == {"statement": 130}
    assert said["about"]["statement"] == [f"s-{number}" for number in range(retention.TOLD)]


async def test_dead_letters_are_kept_for_ever_if_that_is_set(jobs_redis, records, add_letter):
    await add_letter(1000 * DAY_S, kind="message", queue="encoding", raw="{}")
    assert await trim(jobs_redis, records, dead_ttl_s=0) == []
    assert await jobs_redis.xlen(keys.DEAD) == 1


async def test_nothing_old_nothing_said(jobs_redis, records, add_letter):
    await add_letter(DAY_S, kind="message", queue="encoding", raw="{}")
    assert await trim(jobs_redis, records) == []


async def test_dead_letter_of_an_ended_job_goes_and_its_record_no_longer_names_it(jobs_redis, records, take, job_hash):
    """The job that has not ended keeps its own: it is looked at again once it has."""
    await fail_job(records, take, "1", ends=True)
    await fail_job(records, take, "2", ends=False)
    assert (await job_hash("1"))["dead_letters"]
    await asyncio.sleep(1.1)
    await trim(jobs_redis, records, dead_ttl_s=1)
    (left,) = await DeadLetterReader(jobs_redis).newest(10)
    assert left.what == "2"
    assert (await job_hash("2"))["dead_letters"] == left.id
    record = await job_hash("1")
    assert record["state"] == "failed"
    assert "dead_letters" not in record
    # and it can be run anew all the same
    assert (await Steering(jobs_redis, records).retry("1")).outcome == "accepted"


async def test_record_that_names_two_dead_letters_keeps_the_younger(jobs_redis, records, take, add_letter, job_hash):
    old = await add_letter(91 * DAY_S, kind="job", job="1", type="encoding", target="1", params="{}", step="{}")
    await fail_job(records, take, "1", ends=True)
    young = (await job_hash("1"))["dead_letters"]
    await jobs_redis.hset(keys.job("1"), "dead_letters", f"{old} {young}")
    await trim(jobs_redis, records)
    assert (await job_hash("1"))["dead_letters"] == young


async def test_ended_jobs_go_after_their_time_whatever_was_set_when_they_ended(jobs_redis, records, take):
    await fail_job(records, take, "1", ends=True)
    await fail_job(records, take, "2", ends=False)
    for job_id in ("1", "2"):
        await jobs_redis.zadd(keys.JOBS, {job_id: time.time() - 40 * DAY_S})
    await jobs_redis.zadd(keys.JOBS, {f"expired-{number}": number for number in range(250)})
    (said,) = await trim(jobs_redis, Records(jobs_redis, 50 * DAY_S))
    assert (said["log_level"], said["removed"]) == ("info", 250)
    assert await jobs_redis.zrange(keys.JOBS, 0, -1) == ["1", "2"]
    await jobs_redis.delete(keys.RETENTION)
    await trim(jobs_redis, Records(jobs_redis, 30 * DAY_S))
    assert await jobs_redis.zrange(keys.JOBS, 0, -1) == ["2"]
    reader = JobReader(jobs_redis)
    assert await reader.job("1") is None
    assert await reader.log("1") == []
    assert not await jobs_redis.exists(keys.job_attempts("1"))
    assert (await reader.job("2")).state == "failing"


async def test_many_jobs_that_have_not_ended_do_not_hide_those_behind_them(jobs_redis, records):
    old_s = time.time() - 100 * DAY_S
    await records.accept([encoding_job(str(one), one, f"/media/videos/{one}.mp4") for one in range(120)])
    await jobs_redis.zadd(keys.JOBS, {str(one): old_s + one for one in range(120)})
    await jobs_redis.zadd(keys.JOBS, {"gone": old_s + 1000})
    await trim(jobs_redis, records)
    assert await jobs_redis.zcard(keys.JOBS) == 120


async def test_revoked_messages_are_forgotten_after_a_day(jobs_redis, records):
    await jobs_redis.zadd(keys.REVOKED, {"old": time.time() - 2 * DAY_S, "young": time.time()})
    await Steering(jobs_redis, records).revoke("new", "anna")
    assert sorted(await jobs_redis.zrange(keys.REVOKED, 0, -1)) == ["new", "young"]


async def test_drains_of_adapters_that_are_gone_are_forgotten(jobs_redis, records):
    await jobs_redis.set(keys.about("alive"), "{}")
    old = str(time.time() - 30 * DAY_S)
    await jobs_redis.hset(keys.DRAINS, mapping={"alive": old, "gone": old, "killed just now": str(time.time())})
    await trim(jobs_redis, records)
    assert sorted(await jobs_redis.hkeys(keys.DRAINS)) == ["alive", "killed just now"]


async def test_what_cannot_be_removed_now_is_removed_later(jobs_redis, records, add_letter):
    await add_letter(91 * DAY_S, kind="message", queue="encoding", raw="{}")
    running = asyncio.create_task(Retention(jobs_redis, records, LONG_S, check_s=0.05).run())
    try:
        async with asyncio.timeout(5):
            while await jobs_redis.xlen(keys.DEAD):
                await asyncio.sleep(0.02)
    finally:
        running.cancel()
