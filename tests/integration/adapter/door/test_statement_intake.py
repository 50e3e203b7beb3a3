"""Statements through the Celery door on a real Redis: nothing is lost, and what comes twice is the same twice."""

import asyncio
import json
import re

import pytest
from celery import Celery

from adapter.door.processing_list import ProcessingList
from adapter.door.statement_intake import STATEMENT_TASK, StatementBounds, StatementIntake
from adapter.redis import keys
from adapter.statements.store import StatementStore
from support.statements import message_of, messages_of, new_statement

QUEUE = "xapi"


@pytest.fixture
def make_intake(jobs_redis, make_dead_bound):
    def make(held_limit=10_000, held_bytes=10**9, statement_limit_bytes=20_000):
        bounds = StatementBounds(held_limit, held_bytes, statement_limit_bytes)
        return StatementIntake(StatementStore(jobs_redis), bounds, make_dead_bound())

    return make


@pytest.fixture
def open_door(run_door, make_intake):
    async def start(adapter_id="one", **limits):
        intake = make_intake(**limits)
        await run_door(QUEUE, intake, adapter_id)
        return intake

    return start


@pytest.fixture
def stored(jobs_redis):
    async def read():
        return [json.loads(fields["statement"]) for _, fields in await jobs_redis.xrange(keys.STATEMENTS)]

    return read


async def test_door_messages_become_statements_in_their_order(broker, open_door, wait_empty, stored):
    await broker.lpush(QUEUE, *messages_of(0, 350))
    await open_door()
    await wait_empty(QUEUE)
    assert await stored() == [new_statement(number) for number in range(350)]


async def test_door_message_of_the_real_celery_client(open_door, wait_empty, stored, redis_url):
    await open_door()
    with Celery("pod", broker=redis_url, backend=None) as app:
        sent = app.send_task(STATEMENT_TASK, args=[new_statement(3)], queue=QUEUE)
        untimed = {name: value for name, value in new_statement(4).items() if name not in {"id", "timestamp"}}
        app.send_task(STATEMENT_TASK, kwargs={"statement": untimed}, queue=QUEUE)
    await wait_empty(QUEUE)
    first, second = await stored()
    assert sent.id
    assert first == new_statement(3)
    assert {name: second[name] for name in untimed} == untimed
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", second["timestamp"])


async def test_door_message_stored_twice_is_the_same_statement_twice(broker, open_door, wait_empty, stored):
    """The adapter died between storing and removing: id and time must not change."""
    bare = {name: value for name, value in new_statement(1).items() if name not in {"id", "timestamp"}}
    await broker.lpush(QUEUE, message_of(bare, "m-1"))
    gone = ProcessingList(QUEUE, broker, "gone")
    await gone.fetch(1)
    intake = await open_door()
    await intake.store([intake.read(message) for message in await gone.oldest(1)])
    await asyncio.sleep(0.05)
    await broker.sadd(keys.doors(QUEUE), "gone")
    await broker.lpush(QUEUE, message_of(bare, "m-2"))
    await wait_empty(QUEUE)
    async with asyncio.timeout(5):
        while len(found := await stored()) < 3:
            await asyncio.sleep(0.02)
    first, again = (one for one in found if one["id"] == found[0]["id"])
    assert first == again
    assert len({one["id"] for one in found}) == 2


async def test_door_message_moved_but_not_stored_is_found_again(broker, open_door, wait_empty, stored):
    await broker.sadd(keys.doors(QUEUE), "gone")
    await broker.lpush(keys.processing(QUEUE, "gone"), *messages_of(0, 3))
    await broker.lpush(keys.processing(QUEUE, "one"), *messages_of(3, 3))
    await open_door("one")
    await wait_empty(QUEUE)
    assert {one["id"] for one in await stored()} == {new_statement(number)["id"] for number in range(6)}


@pytest.mark.parametrize(
    "raw",
    [
        b"rubbish",
        b"\xff\xfe",
        message_of(["no", "object"], "m"),
        message_of(new_statement(1) | {"result": {"score": {"raw": float("nan")}}}, "m"),
        message_of(new_statement(1) | {"padding": "x" * 20_000}, "m"),
    ],
    ids=["text", "binary", "list", "nan", "long"],
)
async def test_door_message_it_cannot_read_becomes_a_dead_letter_and_the_others_are_stored(
    broker, open_door, wait_empty, stored, dead, raw
):
    await broker.lpush(QUEUE, messages_of(1, 1)[0], raw, messages_of(2, 1)[0])
    await open_door()
    await wait_empty(QUEUE)
    (entry,) = await dead()
    assert (entry["kind"], entry["queue"]) == ("message", QUEUE)
    assert entry["problem"]["detail"]
    assert [one["id"] for one in await stored()] == [new_statement(number)["id"] for number in (1, 2)]


async def test_door_at_the_limit_leaves_them_on_pods_queue_and_goes_on_when_there_is_room(
    broker, open_door, stored, jobs_redis, wait_empty
):
    await broker.lpush(QUEUE, *messages_of(0, 500))
    intake = await open_door(held_limit=230)
    async with asyncio.timeout(5):
        while not intake.is_full:
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.3)
    assert await jobs_redis.xlen(keys.STATEMENTS) == 230
    assert await broker.llen(QUEUE) == 270
    described = await intake.describe()
    assert (described["held"], described["held_limit"], described["is_full"]) == (230, 230, True)
    seen = await stored()
    await jobs_redis.xtrim(keys.STATEMENTS, maxlen=0)
    async with asyncio.timeout(5):
        while await broker.llen(QUEUE) > 40:
            await asyncio.sleep(0.02)
    seen += await stored()
    await jobs_redis.xtrim(keys.STATEMENTS, maxlen=0)
    await wait_empty(QUEUE)
    seen += await stored()
    assert [one["id"] for one in seen] == [new_statement(number)["id"] for number in range(500)]
    assert not (await intake.describe())["is_full"]


async def test_door_at_the_limit_in_bytes_leaves_them_on_pods_queue(broker, open_door, jobs_redis):
    await broker.lpush(QUEUE, message_of(new_statement(1) | {"padding": "x" * 15_000}, "m-1"))
    intake = await open_door(held_bytes=10_000)
    async with asyncio.timeout(10):
        while not intake.is_full:
            await asyncio.sleep(0.05)
    await broker.lpush(QUEUE, *messages_of(2, 3))
    await asyncio.sleep(0.3)
    assert (await jobs_redis.xlen(keys.STATEMENTS), await broker.llen(QUEUE)) == (1, 3)
    assert (await intake.describe())["held_bytes"] > 15_000


async def test_door_redis_without_memory_keeps_them_and_goes_on_when_there_is_some(
    broker, open_door, wait_empty, stored, jobs_redis
):
    await open_door()
    await broker.lpush("staged", *messages_of(0, 50))
    await jobs_redis.config_set("maxmemory", 1)
    try:
        await broker.rename("staged", QUEUE)
        await asyncio.sleep(1)
        assert await stored() == []
    finally:
        await jobs_redis.config_set("maxmemory", 0)
    await wait_empty(QUEUE)
    assert {one["id"] for one in await stored()} == {new_statement(number)["id"] for number in range(50)}


async def test_door_two_adapters_share_the_queue_without_loss_or_duplicates(broker, open_door, wait_empty, stored):
    await open_door("one")
    await open_door("two")
    for number in range(300):
        await broker.lpush(QUEUE, *messages_of(number, 1))
    await wait_empty(QUEUE)
    ids = [one["id"] for one in await stored()]
    assert sorted(ids) == sorted(new_statement(number)["id"] for number in range(300))
