"""Messages have a place in the order in which they left Pod's queue, whoever stores them, and whenever."""

import asyncio

import pytest

from adapter.door.job_intake import JobIntake, JobRules
from adapter.door.processing_list import ProcessingList
from adapter.redis import keys
from podjobs.contract.media_paths import MediaPaths
from support.jobs import encoding_message

QUEUE = "encoding"
FUTURE_US = 9_000_000_000_000_000
"""In the year 2255."""


@pytest.fixture
def open_list(broker):
    def make(adapter_id="one"):
        return ProcessingList(QUEUE, broker, adapter_id)

    return make


@pytest.fixture
def open_door(run_door, records, make_dead_bound):
    async def start(adapter_id="one"):
        rules = JobRules(MediaPaths("/media"), frozenset({"encoding"}))
        return await run_door(QUEUE, JobIntake(records, rules, make_dead_bound()), adapter_id)

    return start


async def positions(processing_list):
    return [message.position for message in await processing_list.oldest(100)]


async def test_door_message_left_behind_does_not_supersede_a_newer_one(
    broker, open_list, open_door, wait_empty, job_hash
):
    await broker.lpush(QUEUE, encoding_message("old"))
    await open_list("gone").fetch(1)
    await broker.srem(keys.doors(QUEUE), "gone")  # nobody looks there yet
    await open_door("two")
    await broker.lpush(QUEUE, encoding_message("new"))
    async with asyncio.timeout(5):
        while not await job_hash("new"):
            await asyncio.sleep(0.02)
    await broker.sadd(keys.doors(QUEUE), "gone")
    await wait_empty(QUEUE)
    assert (await job_hash("old"))["state"] == "superseded"
    assert (await job_hash("new"))["state"] == "queued"


async def test_door_list_of_an_older_version_has_no_places_and_is_older_than_all(
    broker, open_door, wait_empty, job_hash
):
    await broker.lpush(keys.processing(QUEUE, "gone"), encoding_message("unplaced", 1), encoding_message("old", 2))
    await broker.lpush(QUEUE, encoding_message("new", 2))
    await open_door("two")
    async with asyncio.timeout(5):
        while not await job_hash("new"):
            await asyncio.sleep(0.02)
    await broker.sadd(keys.doors(QUEUE), "gone")
    await wait_empty(QUEUE)
    states = [(await job_hash(job))["state"] for job in ("unplaced", "old", "new")]
    assert states == ["queued", "superseded", "queued"]


@pytest.mark.parametrize("how", ["fetch", "take_over"])
async def test_list_into_which_messages_are_moved_is_known_to_others_although_redis_was_emptied(
    broker, open_list, open_door, wait_empty, job_hash, how
):
    """The adapter had been there before, and died before it would have said so again."""
    gone = open_list("gone")
    await broker.lpush(QUEUE if how == "fetch" else keys.processing(QUEUE, "earlier"), encoding_message("job-1"))
    await (gone.fetch(1) if how == "fetch" else gone.take_over("earlier"))
    await open_door("two")
    await wait_empty(QUEUE)
    assert (await job_hash("job-1"))["state"] == "queued"


async def test_fetch_gives_places_in_the_queues_order_which_a_takeover_keeps(broker, open_list):
    await broker.lpush(QUEUE, *(encoding_message(f"job-{number}") for number in range(5)))
    one, two = open_list("one"), open_list("two")
    assert len((await one.fetch(3)).messages) == 3
    first = await positions(one)
    assert await two.take_over("one") == 3
    assert await positions(two) == first == sorted(set(first))
    assert len((await one.fetch(10)).messages) == 2
    assert min(await positions(one)) > max(first)


async def test_fetch_places_go_on_after_a_loss_of_the_counter_and_never_go_back(broker, open_list):
    own = open_list()
    await broker.lpush(QUEUE, encoding_message("a"), encoding_message("b"), encoding_message("c"))
    await own.fetch(1)
    await broker.delete(keys.places(QUEUE))
    await own.fetch(1)
    _, after_loss = await positions(own)
    await broker.hset(keys.places(QUEUE), "last", FUTURE_US)
    await own.fetch(1)
    *_, with_a_clock_behind = await positions(own)
    assert 1_700_000_000_000_000 < after_loss < with_a_clock_behind == FUTURE_US + 1


async def test_remove_leaves_what_another_adapter_has_taken_over(broker, open_list):
    await broker.lpush(QUEUE, *(encoding_message(f"job-{number}") for number in range(3)))
    own, other = open_list("one"), open_list("two")
    await own.fetch(3)
    read = await own.oldest(2)
    assert read == (await own.oldest(3))[:2]
    await broker.lmove(keys.processing(QUEUE, "one"), keys.processing(QUEUE, "two"), "RIGHT", "LEFT")
    await own.remove(read)
    assert len(await own.oldest(10)) == len(await other.oldest(10)) == 1
    assert await broker.hlen(keys.places(QUEUE)) == 3  # of these two, and the latest one


async def test_wait_returns_when_there_is_a_message_and_changes_nothing(broker, open_list):
    waiting = [asyncio.create_task(open_list(name).wait(5)) for name in ("one", "two")]
    await asyncio.sleep(0.1)
    raw = [encoding_message("a"), encoding_message("b")]
    await broker.lpush(QUEUE, *raw)
    assert await asyncio.wait_for(asyncio.gather(*waiting), 1) == [True, True]
    assert await broker.lrange(QUEUE, 0, -1) == raw[::-1]
    assert await open_list().wait(0.1)
    await broker.delete(QUEUE)
    assert not await open_list().wait(0.1)
