"""The Celery door on a real Redis: nothing is lost between the queue and the records."""

import asyncio
import functools
import hashlib
import json

import pytest

from adapter.door.celery_jobs import ENCODING_TASK, TRANSCRIPTION_TASK
from adapter.door.job_intake import JobIntake, JobRules
from adapter.door.processing_list import READ_BYTES, ProcessingList
from adapter.redis import keys
from podjobs.contract.media_paths import MediaPaths
from support.celery_messages import celery_message
from support.jobs import studio_message

QUEUE = "encoding"


def message(job_id, video_id=7, path=None):
    args = [video_id, path or f"/media/videos/{video_id}.mp4", 0, 0]
    keywords = {"json_dressing": None, "dressing_input": ""}
    return celery_message(ENCODING_TASK, args, keywords, message_id=job_id, queue=QUEUE)


def transcription(job_id):
    args = [7, "/media/videos/7/audio.mp3", 60, "en"]
    return celery_message(TRANSCRIPTION_TASK, args, message_id=job_id, queue="transcripting")


@pytest.fixture
def open_door(run_door, records, make_dead_bound):
    async def start(adapter_id="one", **bound):
        rules = JobRules(MediaPaths("/media"), frozenset({"encoding"}))
        return await run_door(QUEUE, JobIntake(records, rules, make_dead_bound(**bound)), adapter_id)

    return start


async def test_door_messages_become_jobs_in_their_order(broker, open_door, wait_empty, take):
    for number in range(250):
        await broker.lpush(QUEUE, message(f"job-{number}", number))
    await open_door()
    await wait_empty(QUEUE)
    assert [step.job_id for step in await take()] == [f"job-{number}" for number in range(250)]


async def test_door_message_that_comes_while_it_waits_is_taken_at_once(broker, open_door, wait_empty, jobs_redis):
    door = await open_door()
    async with asyncio.timeout(5):
        while not door.is_open:
            await asyncio.sleep(0.01)
    await broker.lpush(QUEUE, message("job-1"))
    await wait_empty(QUEUE, timeout_s=0.5)
    assert await jobs_redis.exists(keys.job("job-1"))


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (b"not json", {"raw": "not json"}),
        (b"\xff\xfe\x00", {"raw_base64": "//4A"}),
        (transcription("x"), {"raw": transcription("x").decode()}),
        (message("a job with spaces"), {"raw": message("a job with spaces").decode()}),
    ],
    ids=["text", "binary", "no-function", "id"],
)
async def test_door_message_it_cannot_read_becomes_a_dead_letter_unchanged_and_the_next_is_stored(
    broker, open_door, wait_empty, jobs_redis, dead, raw, kept
):
    await broker.lpush(QUEUE, raw, message("good"))
    await open_door()
    await wait_empty(QUEUE)
    (entry,) = await dead()
    assert kept.items() <= entry.items()
    assert (entry["kind"], entry["queue"]) == ("message", QUEUE)
    assert entry["problem"]["detail"]
    assert await jobs_redis.exists(keys.job("good"))


async def test_door_recordings_are_jobs_of_their_own_whatever_videos_have_their_numbers(
    broker, open_door, wait_empty, jobs_redis
):
    await broker.lpush(QUEUE, studio_message("job-1", 7), message("job-2", 7), studio_message("job-3", 7))
    await open_door()
    await wait_empty(QUEUE)
    found = [await jobs_redis.hmget(keys.job(f"job-{number}"), "type", "target", "state") for number in (1, 2, 3)]
    assert found == [
        ["studio", "recording-7", "superseded"],
        ["encoding", "7", "queued"],
        ["studio", "recording-7", "queued"],
    ]


async def test_door_recording_that_cannot_be_composed_is_a_job_that_tells_pod_why(
    broker, open_door, wait_empty, jobs_redis, take, dead
):
    await broker.lpush(QUEUE, studio_message("job-1", 8, subtime="-t 5"))
    await open_door()
    await wait_empty(QUEUE)
    (step,) = await take()
    assert (step.job_id, await dead()) == ("job-1", [])
    asked = json.loads(await jobs_redis.hget(keys.job("job-1"), "params"))
    assert "subtime is '-t 5'" in asked["refusal"]["detail"]
    assert asked["reply_to"] == {"channel": "pod-recording", "recording_id": 8}


async def test_door_message_twice_is_one_job(broker, open_door, wait_empty, records):
    await broker.lpush(QUEUE, message("job-1"), message("job-1"))
    await open_door()
    await wait_empty(QUEUE)
    assert await records.ready_steps("encoding") == 1


async def test_door_message_moved_but_not_stored_is_found_again(broker, open_door, wait_empty, jobs_redis):
    """The connection broke between the move and the store."""
    await broker.lpush(keys.processing(QUEUE, "one"), message("job-1"))
    await open_door("one")
    await wait_empty(QUEUE)
    assert await jobs_redis.exists(keys.job("job-1"))


async def test_door_takes_over_the_messages_of_an_adapter_that_is_gone(broker, open_door, wait_empty, jobs_redis):
    await broker.sadd(keys.doors(QUEUE), "gone")
    await broker.lpush(keys.processing(QUEUE, "gone"), message("job-1"), message("job-2", 8))
    await open_door("two")
    await wait_empty(QUEUE)
    assert await jobs_redis.exists(keys.job("job-1"), keys.job("job-2")) == 2
    assert await broker.smembers(keys.doors(QUEUE)) == {b"two"}


async def test_door_leaves_the_messages_of_an_adapter_that_lives(broker, open_door, make_streams):
    await make_streams("lives")
    await broker.sadd(keys.doors(QUEUE), "lives")
    await broker.lpush(keys.processing(QUEUE, "lives"), message("job-1"))
    await open_door("two")
    await asyncio.sleep(0.8)
    assert await broker.llen(keys.processing(QUEUE, "lives")) == 1


async def test_door_two_adapters_share_the_queue_without_loss_or_duplicates(
    broker, open_door, wait_empty, jobs_redis, records
):
    await open_door("one")
    await open_door("two")
    for number in range(300):
        await broker.lpush(QUEUE, message(f"job-{number}", number))
    await wait_empty(QUEUE)
    assert await jobs_redis.zcard(keys.JOBS) == 300
    assert await records.ready_steps("encoding") == 300


async def test_door_job_that_cannot_be_stored_keeps_no_other_waiting(broker, open_door, wait_empty, jobs_redis, dead):
    # something else lies where its record should be
    await jobs_redis.set("{podjobs}:job:bad:stages", "no list")
    await broker.lpush(QUEUE, message("bad", 1), message("good", 2))
    await open_door()
    await wait_empty(QUEUE)
    (entry,) = await dead()
    assert "cannot be read or stored: ResponseError: WRONGTYPE" in entry["problem"]["detail"]
    assert await jobs_redis.exists(keys.job("good"))


async def test_door_stop_leaves_nothing_behind(broker, open_door, wait_empty):
    door = await open_door()
    await broker.lpush(QUEUE, message("job-1"))
    await wait_empty(QUEUE)
    door.stop()
    async with asyncio.timeout(3):
        while await broker.exists(keys.doors(QUEUE)):
            await asyncio.sleep(0.05)


async def test_door_message_that_is_too_long_is_set_aside_whole_and_the_next_is_stored(
    broker, open_door, wait_empty, jobs_redis, dead
):
    long = b"x" * (READ_BYTES + 1)
    await broker.lpush(QUEUE, message("before", 1), long, message("after", 2))
    await open_door()
    async with asyncio.timeout(20):
        while not await jobs_redis.exists(keys.job("after")):
            await asyncio.sleep(0.05)
    assert await jobs_redis.exists(keys.job("before"))
    assert await broker.lrange(keys.too_long(QUEUE), 0, -1) == [long]
    (entry,) = await dead()
    assert entry["sha1"] == hashlib.sha1(long, usedforsecurity=False).hexdigest()
    assert f"{READ_BYTES + 1} bytes" in entry["problem"]["detail"]
    await broker.delete(keys.too_long(QUEUE))
    await wait_empty(QUEUE)


async def test_door_reads_no_more_than_its_share_of_long_messages_at_once(broker, make_streams):
    own = ProcessingList(QUEUE, broker, "one")
    for number in range(4):
        await broker.lpush(QUEUE, b"%d" % number + b"x" * (READ_BYTES // 2 - 10))
    assert len((await own.fetch(100)).messages) == 3
    assert [one.raw[:1] for one in await own.oldest(100)] == [b"0", b"1"]


async def test_door_at_the_bound_of_dead_letters_leaves_messages_on_pods_queue_and_drops_nothing(
    broker, open_door, wait_empty, jobs_redis, dead
):
    door = await open_door(limit_bytes=100_000)
    await broker.lpush(QUEUE, b"x" * 200_000)
    await wait_empty(QUEUE)
    async with asyncio.timeout(10):
        while not door.obstacle:
            await asyncio.sleep(0.05)
    await broker.lpush(QUEUE, message("later"))
    await asyncio.sleep(1.2)
    assert await broker.llen(QUEUE) == 1
    assert len(await dead()) == 1
    assert "PODJOBS_DEAD_LIMIT_BYTES" in door.obstacle
    await jobs_redis.delete(keys.DEAD)
    await wait_empty(QUEUE)
    assert await jobs_redis.exists(keys.job("later"))
    assert not door.obstacle


@pytest.mark.parametrize(
    "dressing",
    [
        functools.reduce(lambda inner, _: {"a": inner}, range(254), 1),
        {"a": "\ud800"},
        {"a": "\0"},
        {"a": float("inf")},
        {"a": float("nan")},
        {"a": 10**4000},
        {"\0": {"": []}},
        [[]],
        {"watermark_path": {"a": []}},
    ],
    ids=["deep", "surrogate", "nul", "infinite", "nan", "huge", "keys", "list", "type"],
)
async def test_door_whatever_a_dressing_holds_the_next_message_is_stored(
    broker, open_door, wait_empty, jobs_redis, dead, dressing
):
    """What Pod is told, or an operator, differs; but the door goes on."""
    strange = celery_message(
        ENCODING_TASK, [1, "/media/1.mp4"], {"json_dressing": dressing}, message_id="strange", queue=QUEUE
    )
    await broker.lpush(QUEUE, strange, message("good", 2))
    await open_door()
    await wait_empty(QUEUE)
    assert await jobs_redis.exists(keys.job("good"))
    assert len(await dead()) + await jobs_redis.exists(keys.job("strange")) == 1
