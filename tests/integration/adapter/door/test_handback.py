"""The way back to Pod's workers: every message is on Pod's queue again, or is finished here, and never both."""

import pytest

from adapter.door.celery_jobs import JOB_TASKS
from adapter.door.handback import Handback, Returned
from adapter.door.job_intake import JobIntake, JobRules
from adapter.door.processing_list import ProcessingList, Share
from adapter.redis import keys
from podjobs.contract.media_paths import MediaPaths
from support.jobs import encoding_job, encoding_message, studio_message

QUEUE = "encoding"
LEASE_S = 0.4


def request(number):
    return encoding_message(f"job-{number}", number)


@pytest.fixture
def handback(broker, jobs_redis):
    return Handback(QUEUE, broker, jobs_redis, LEASE_S)


@pytest.fixture
def queue(broker):
    """Read Pod's queue, oldest first."""

    async def read():
        return (await broker.lrange(QUEUE, 0, -1))[::-1]

    return read


@pytest.fixture
def hold(broker):
    """Have an adapter hold messages that it has not stored, oldest first."""

    async def move(name, *messages):
        await broker.lpush(QUEUE, *messages)
        return await ProcessingList(QUEUE, broker, name).fetch(100)

    return move


async def test_handback_what_was_left_to_pod_is_on_the_queue_again_before_what_came_later(broker, handback, queue):
    sent = [request(number) for number in range(30)]
    await broker.lpush(QUEUE, *sent[:20])
    tenth = Share(10, frozenset({"pod.video_encode_transcript.encoding_tasks.start_encoding_task"}))
    await ProcessingList(QUEUE, broker, "one").fetch(20, tenth)
    await broker.delete(keys.processing(QUEUE, "one"))
    await broker.lpush(QUEUE, *sent[20:])
    assert await handback.run() == Returned(from_left=18, from_gone=0, in_hand=0)
    assert await queue() == sent[:9] + sent[10:19] + sent[20:]
    assert await handback.run() == Returned(0, 0, 0)


async def test_handback_recordings_go_back_like_others(broker, handback, queue):
    sent = [studio_message(f"job-{number}", number) for number in range(10)]
    await broker.lpush(QUEUE, *sent)
    await ProcessingList(QUEUE, broker, "one").fetch(20, Share(10, JOB_TASKS))
    await broker.delete(keys.processing(QUEUE, "one"))
    assert await handback.run() == Returned(from_left=9, from_gone=0, in_hand=0)
    assert await queue() == sent[:9]


async def test_handback_of_adapters_that_are_gone_returns_what_they_had_not_stored(
    broker, handback, hold, queue, records, dead
):
    await hold("gone", request(1), request(2), b"not json", request(3))
    await records.accept([encoding_job("job-2", 2)])
    await broker.lpush(QUEUE, request(4))
    assert await handback.run() == Returned(from_left=0, from_gone=2, in_hand=0)
    assert await queue() == [request(1), request(3), request(4)]
    assert [entry["raw"] for entry in await dead()] == ["not json"]
    assert not await broker.exists(keys.doors(QUEUE), keys.processing(QUEUE, "gone"))
    assert await broker.hkeys(keys.places(QUEUE)) == [b"last"]


async def test_handback_knows_jobs_of_an_earlier_version_that_no_adapter_has_carried_over(
    broker, handback, hold, queue, jobs_redis
):
    await hold("gone", request(1), request(2))
    await jobs_redis.hset("podjobs:job:job-1", "state", "running")
    assert await handback.run() == Returned(from_left=0, from_gone=1, in_hand=0)
    assert await queue() == [request(2)]


@pytest.mark.slow
async def test_handback_leaves_to_an_adapter_that_lives_what_it_has_in_hand(
    broker, handback, hold, queue, make_streams
):
    await make_streams("lives")
    await hold("gone", request(1))
    await hold("lives", request(2))
    assert await handback.run() == Returned(from_left=0, from_gone=0, in_hand=2)
    assert await queue() == []
    assert await broker.lrange(keys.processing(QUEUE, "lives"), 0, -1) == [request(2)]


async def test_handback_waits_until_an_adapter_has_stored_what_one_that_is_gone_had_in_hand(
    handback, hold, queue, run_door, records, make_dead_bound, jobs_redis
):
    await hold("gone", request(1), request(2))
    rules = JobRules(MediaPaths("/media"), frozenset({"encoding"}))
    await run_door(QUEUE, JobIntake(records, rules, make_dead_bound()), "two")
    assert await Handback(QUEUE, handback._broker, jobs_redis, 2.0).run() == Returned(0, 0, 0)
    assert await queue() == []
    assert await jobs_redis.exists(keys.job("job-1"), keys.job("job-2")) == 2
