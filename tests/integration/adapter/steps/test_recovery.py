"""The work of lost jobs is looked for at times, and soon after Redis has lost its data."""

import json
import time

import pytest

from adapter.redis import keys
from adapter.steps import recovery
from adapter.steps.entries import assemble_step
from adapter.steps.recovery import Recovery
from podjobs.backends.files import FileStorage
from podjobs.contract.jobs import RecoveryJob
from podjobs.contract.plans import Result
from podjobs.encoding.function import EncodingFunction


@pytest.fixture
def search(jobs_redis, records):
    return Recovery(jobs_redis, records)


async def job_of(jobs_redis):
    (job_id,) = [one for one in await jobs_redis.zrange(keys.JOBS, 0, -1) if one.startswith("recovery-")]
    return json.loads(await jobs_redis.hget(keys.job(job_id), "params"))


async def test_start_if_due_is_once_for_all_adapters_and_at_once_after_a_loss(search, jobs_redis, records):
    assert await search.start_if_due()
    assert not await Recovery(jobs_redis, records).start_if_due()
    assert 0 < await jobs_redis.ttl(keys.RECOVERY) <= recovery.EVERY_S
    await jobs_redis.flushall()
    assert await search.start_if_due()


async def test_start_if_due_knows_all_jobs_that_have_not_ended(search, records, jobs_redis, make_job):
    await records.accept([make_job("a", 1), make_job("b", 2)])
    begun = time.time()
    await search.start_if_due()
    job = await job_of(jobs_redis)
    assert job["known"] == ["a", "b"]
    assert begun <= job["known_at"] <= time.time()


async def test_start_if_due_says_from_when_on_results_have_expired(jobs_redis, records):
    await Recovery(jobs_redis, records, result_days=2).start_if_due()
    job = await job_of(jobs_redis)
    assert job["results_before"] == pytest.approx(job["known_at"] - 2 * 86_400)


async def test_start_if_due_leaves_results_alone_without_the_runner_api(search, jobs_redis):
    await search.start_if_due()
    assert "results_before" not in await job_of(jobs_redis)


async def test_recovery_job_ends_with_its_first_step(search, take, records, job_hash):
    await search.start_if_due()
    (step,) = await take()
    (joined,) = await records.join([step])
    assert isinstance(assemble_step(step, joined).job, RecoveryJob)
    assert (await records.commit(step, Result(log=("Found.",)))).outcome == "done"


async def test_recovery_job_is_performed_by_the_encoding_function(search, take, records, tmp_path):
    storage = FileStorage(tmp_path, "/media")
    storage.start_work("lost", "encoding of 7")
    await search.start_if_due()
    (step,) = await take()
    (joined,) = await records.join([step])
    reply = EncodingFunction(None, storage, None).handle(assemble_step(step, joined))
    assert reply == Result(log=("There is no work folder of an unknown job.",))
