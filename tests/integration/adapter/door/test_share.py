"""A share of each queue is ours, the rest is left to Pod's workers: exactly, whoever reads and however often."""

import asyncio
import json

import pytest

from adapter.door.celery_jobs import ENCODING_TASK, JOB_TASKS
from adapter.door.job_intake import JobIntake, JobRules
from adapter.door.processing_list import READ_BYTES, ProcessingList, Share
from adapter.door.queue_share import MICROSECONDS, UNREAD_LIMIT_S, QueueShare
from adapter.door.room import Room
from adapter.redis import keys
from podjobs.contract.media_paths import MediaPaths
from support.celery_messages import celery_message
from support.jobs import encoding_message, studio_message
from support.pod_worker import DONE, new_pod_worker

QUEUE = "encoding"
LEFT = keys.left_to_pod(QUEUE)
TENTH = Share(10, frozenset({ENCODING_TASK}))


def of_percent(percent):
    return Share(percent, TENTH.tasks)


def requests(numbers):
    return [encoding_message(f"job-{number}", number) for number in numbers]


def returned(raw):
    """What kombu makes of a message that a worker gives back."""
    message = json.loads(raw)
    message["headers"]["redelivered"] = message["properties"]["delivery_info"]["redelivered"] = True
    return json.dumps(message).encode()


async def read_oldest_first(broker, key):
    return (await broker.lrange(key, 0, -1))[::-1]


@pytest.fixture
def own(broker):
    return ProcessingList(QUEUE, broker, "one")


@pytest.fixture
def ours(own):
    """Fetch everything. Returns the messages that are ours."""

    async def fetch(share=TENTH):
        found = []
        while (fetched := await own.fetch(7, share)).moved:
            found += [message.raw for message in fetched.messages]
        return found

    return fetch


@pytest.fixture
def open_door(run_door, records, make_dead_bound):
    async def start(adapter_id="one", percent=10):
        rules = JobRules(MediaPaths("/media"), frozenset({"encoding"}))
        return await run_door(QUEUE, JobIntake(records, rules, make_dead_bound()), adapter_id, percent)

    return start


@pytest.mark.parametrize("percent", [1, 10, 33, 50, 99, 100])
async def test_fetch_any_hundred_videos_in_a_row_contain_exactly_the_share(broker, ours, percent):
    sent = requests(range(250))
    await broker.lpush(QUEUE, *sent)
    taken = set(await ours(of_percent(percent)))
    is_taken = [raw in taken for raw in sent]
    assert {sum(is_taken[start : start + 100]) for start in range(151)} == {percent}


async def test_fetch_leaves_every_other_message_to_pod_unchanged_in_order_and_counts(broker, ours):
    sent = requests(range(30))
    await broker.lpush(QUEUE, *sent)
    assert await ours() == [sent[9], sent[19], sent[29]]
    assert await read_oldest_first(broker, LEFT) == [raw for raw in sent if raw not in {sent[9], sent[19], sent[29]}]
    state = await QueueShare(QUEUE, broker, 10).state()
    assert (state.waiting, state.taken, state.forwarded, state.waiting_for_pod) == (0, 3, 27, 27)


async def test_fetch_counts_on_after_another_adapter_and_after_a_restart(broker, own):
    sent = requests(range(20))
    for number, raw in enumerate(sent):
        await broker.lpush(QUEUE, raw)
        reader = ProcessingList(QUEUE, broker, f"adapter-{number % 3}")
        assert bool((await reader.fetch(5, TENTH)).messages) == (number % 10 == 9)


async def test_fetch_video_that_is_requested_again_stays_at_its_side_and_is_not_counted(broker, ours):
    sent = [encoding_message(f"first-{number}", number) for number in range(1, 11)]
    again = [encoding_message(f"again-{number}", number) for number in (10, 3, 10, 3, 10)]
    await broker.lpush(QUEUE, *sent, *again, *requests(range(100, 110)))
    mine = [json.loads(raw)["headers"]["id"] for raw in await ours()]
    assert mine == ["first-10", "again-10", "again-10", "again-10", "job-109"]


async def test_fetch_numbers_of_other_tasks_are_other_things(broker, ours):
    tasks = ("one.task", "another.task")
    messages = [
        celery_message(task, [7, "x"], message_id=f"{task}-{number}", queue=QUEUE)
        for number in range(3)
        for task in tasks
    ]
    await broker.lpush(QUEUE, *messages)
    assert [json.loads(raw)["headers"]["task"] for raw in await ours(Share(50, frozenset(tasks)))] == [tasks[1]] * 3


async def test_fetch_recording_that_is_requested_again_stays_at_its_side_and_is_no_video(broker, ours):
    recordings = [studio_message(f"recording-{number}", number) for number in range(10)]
    await broker.lpush(QUEUE, *recordings)
    assert await ours(Share(10, JOB_TASKS)) == recordings[9:]
    again = [studio_message("again-9", 9), encoding_message("video-9", 9), studio_message("again-8", 8)]
    await broker.lpush(QUEUE, *again)
    assert await ours(Share(10, JOB_TASKS)) == again[:1]


async def test_fetch_statements_are_counted_one_by_one(broker, ours):
    sent = [
        celery_message("statement", [{"actor": {"name": "7"}, "n": n}], message_id=f"s-{n}", queue=QUEUE)
        for n in range(10)
    ]
    await broker.lpush(QUEUE, *sent)
    assert await ours(Share(20, frozenset({"statement"}))) == [sent[4], sent[9]]


async def test_fetch_what_a_worker_of_pod_gave_back_is_its_next_and_is_not_counted(broker, ours):
    await broker.lpush(QUEUE, *requests(range(9)))
    await ours()
    first, second = (returned(raw) for raw in requests([100, 101]))
    # kombu puts back the one that it had first at first
    await broker.rpush(QUEUE, first, second)
    assert not await ours()
    assert (await read_oldest_first(broker, LEFT))[:3] == [first, second, requests([0])[0]]
    await broker.lpush(QUEUE, *requests([9]))
    assert await ours() == requests([9])


async def test_fetch_task_that_is_not_known_is_left_and_what_is_no_message_is_ours_and_none_of_them_counts(
    broker, ours
):
    later = celery_message("pod.later_task", [1, "x"], message_id="later", queue=QUEUE)
    strange = [b"not json", b"\xff", b"[]", b'{"headers": 1}', b"[" * 5000, b"x" * (READ_BYTES + 1)]
    await broker.lpush(QUEUE, *strange, *[later] * 20)
    assert len(await ours()) == len(strange)
    assert await broker.llen(LEFT) == 20
    await broker.lpush(QUEUE, *requests(range(10)))
    assert await ours() == requests([9])


async def test_fetch_of_everything_takes_first_what_was_left_to_pod(broker, own, ours):
    await broker.lpush(QUEUE, *requests(range(9)))
    assert not await ours()
    await broker.lpush(QUEUE, *requests(range(9, 12)))
    messages = (await own.fetch(100)).messages
    assert [message.raw for message in messages] == requests(range(12))
    assert [message.position for message in messages] == sorted(message.position for message in messages)
    assert not await broker.exists(QUEUE, LEFT)


async def test_door_without_room_neither_takes_nor_leaves_a_message(broker, run_door):
    class FullIntake:
        tasks = TENTH.tasks

        async def room(self):
            return Room(0, "It is full.")

    await broker.lpush(QUEUE, *requests(range(20)))
    door = await run_door(QUEUE, FullIntake(), percent=10)
    async with asyncio.timeout(5):
        while not door.obstacle:
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.3)
    assert (await broker.llen(QUEUE), await broker.exists(LEFT)) == (20, 0)


async def test_share_messages_that_nobody_takes_are_said_after_a_while_with_the_remedy(broker, ours):
    share = QueueShare(QUEUE, broker, 10)
    await broker.lpush(QUEUE, *requests(range(9)))
    await ours()
    assert not (await share.state()).advice
    long_ago = int(await broker.hget(keys.share(QUEUE), "oldest_since")) - UNREAD_LIMIT_S * MICROSECONDS
    await broker.hset(keys.share(QUEUE), "oldest_since", long_ago)
    advice = (await share.state()).advice
    assert advice.startswith("9 messages wait on encoding-pod, and none was taken for 10 minutes.")
    assert "-Q encoding-pod, or set PODJOBS_SHARE=100" in advice
    await broker.rpop(LEFT)
    assert not (await share.state()).advice


async def test_door_of_a_queue_that_is_handed_back_moves_nothing_and_reads_on_after_the_takeover(
    broker, open_door, wait_empty, jobs_redis
):
    share = QueueShare(QUEUE, broker)
    door = await open_door(percent=100)
    await share.hand_back()
    await broker.lpush(QUEUE, *requests(range(3)))
    async with asyncio.timeout(5):
        while not door.share.advice:
            await asyncio.sleep(0.02)
    assert "`podjobs takeover encoding` begins again" in door.share.advice
    assert await broker.llen(QUEUE) == 3
    assert await share.take_over()
    await wait_empty(QUEUE)
    assert await jobs_redis.zcard(keys.JOBS) == 3
    assert not await share.take_over()


async def test_share_of_two_doors_is_exact_and_pods_own_celery_worker_does_the_rest_in_order(
    broker, open_door, jobs_redis, redis_url, tmp_path
):
    worker = new_pod_worker(redis_url, LEFT, tmp_path)
    worker.start()
    try:
        await open_door("one")
        await open_door("two")
        for raw in requests(range(100)):
            await broker.lpush(QUEUE, raw)
        async with asyncio.timeout(30):
            while await broker.llen(DONE) + await jobs_redis.zcard(keys.JOBS) < 100 or await broker.hlen("unacked"):
                await asyncio.sleep(0.05)
    finally:
        worker.stop()
    done = [job_id.decode() for job_id in await broker.lrange(DONE, 0, -1)]
    assert sorted(await jobs_redis.zrange(keys.JOBS, 0, -1)) == sorted(f"job-{n}" for n in range(9, 100, 10))
    assert done == [f"job-{n}" for n in range(100) if n % 10 != 9]
    assert not await broker.exists(QUEUE, LEFT, "unacked")
