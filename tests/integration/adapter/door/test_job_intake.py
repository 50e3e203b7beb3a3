"""The Celery door on a real Redis: nothing is lost between the queue and the records."""

import asyncio

import pytest

from adapter.door.celery_jobs import ENCODING_TASK, TRANSCRIPTION_TASK
from adapter.door.dead_letters import DeadLetters
from adapter.door.job_intake import JobIntake, JobRules
from adapter.redis import keys
from podjobs.contract.media_paths import MediaPaths
from support.celery_messages import celery_message

QUEUE = "encoding"


def message(job_id, video_id=7, path=None):
    args = [video_id, path or f"/media/videos/{video_id}.mp4", 0, 0]
    keywords = {"json_dressing": None, "dressing_input": ""}
    return celery_message(ENCODING_TASK, args, keywords, message_id=job_id, queue=QUEUE)


def transcription(job_id):
    args = [7, "/media/videos/7/audio.mp3", 60, "en"]
    return celery_message(TRANSCRIPTION_TASK, args, message_id=job_id, queue="transcripting")


@pytest.fixture
def open_door(run_door, jobs_redis, records):
    async def start(adapter_id="one"):
        rules = JobRules(MediaPaths("/media"), frozenset({"encoding"}))
        return await run_door(QUEUE, JobIntake(QUEUE, records, rules, DeadLetters(jobs_redis)), adapter_id)

    return start


async def test_door_messages_become_jobs_in_their_order(broker, open_door, wait_empty, jobs_redis):
    for number in range(250):
        await broker.lpush(QUEUE, message(f"job-{number}", number))
    await open_door()
    await wait_empty(QUEUE)
    waiting = await jobs_redis.zrange(keys.turns("encoding"), 0, -1)
    assert waiting == [f"job-{number}" for number in range(250)]


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
        (message("x", path="/etc/passwd"), {"raw": message("x", path="/etc/passwd").decode()}),
        (message("x", path="/media/../etc/passwd"), {"raw": message("x", path="/media/../etc/passwd").decode()}),
        (transcription("x"), {"raw": transcription("x").decode()}),
        (message("a job with spaces"), {"raw": message("a job with spaces").decode()}),
    ],
    ids=["text", "binary", "outside", "dots", "no-function", "id"],
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


async def test_door_message_twice_is_one_job(broker, open_door, wait_empty, jobs_redis):
    await broker.lpush(QUEUE, message("job-1"), message("job-1"))
    await open_door()
    await wait_empty(QUEUE)
    assert await jobs_redis.zcard(keys.turns("encoding")) == 1


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


async def test_door_two_adapters_share_the_queue_without_loss_or_duplicates(broker, open_door, wait_empty, jobs_redis):
    await open_door("one")
    await open_door("two")
    for number in range(300):
        await broker.lpush(QUEUE, message(f"job-{number}", number))
    await wait_empty(QUEUE)
    assert await jobs_redis.zcard(keys.JOBS) == 300
    assert await jobs_redis.zcard(keys.turns("encoding")) == 300


async def test_door_job_that_cannot_be_stored_keeps_no_other_waiting(broker, open_door, wait_empty, jobs_redis, dead):
    # something else lies where its record should be
    await jobs_redis.set("podjobs:job:bad:stages", "no list")
    await broker.lpush(QUEUE, message("bad", 1), message("good", 2))
    await open_door()
    await wait_empty(QUEUE)
    (entry,) = await dead()
    assert entry["problem"]["title"] == "The job cannot be stored."
    assert await jobs_redis.exists(keys.job("good"))


async def test_door_stop_leaves_nothing_behind(broker, open_door, wait_empty):
    door = await open_door()
    await broker.lpush(QUEUE, message("job-1"))
    await wait_empty(QUEUE)
    door.stop()
    async with asyncio.timeout(3):
        while await broker.exists(keys.doors(QUEUE)):
            await asyncio.sleep(0.05)
