"""Statements in Redis: each change is whole, and may be repeated."""

import json

import pytest

from adapter.redis import keys
from podjobs.contract.errors import Problem

WRONG = Problem(title="The LRS refused the statement.", status=400, detail="It has no actor.")


@pytest.fixture
async def entry_ids(statements, streams, jobs_redis):
    """Ten statements in the stream, taken by the adapter `one`."""
    await streams.ensure_group(keys.STATEMENTS)
    await statements.append([f'{{"id":"{number}"}}' for number in range(10)])
    return [entry_id for entry_id, _ in await streams.read(keys.STATEMENTS, 100)]


async def pending(jobs_redis):
    return (await jobs_redis.xpending(keys.STATEMENTS, keys.GROUP))["pending"]


async def test_append_keeps_their_order(entry_ids, jobs_redis):
    stored = [json.loads(fields["statement"])["id"] for _, fields in await jobs_redis.xrange(keys.STATEMENTS)]
    assert stored == [str(number) for number in range(10)]


async def test_settle_takes_them_off_the_stream_and_the_group(statements, entry_ids, jobs_redis, dead):
    await statements.settle(entry_ids[:7], [(entry_ids[7], WRONG)])
    left = [entry_id for entry_id, _ in await jobs_redis.xrange(keys.STATEMENTS)]
    assert left == entry_ids[8:]
    assert await pending(jobs_redis) == 2
    (entry,) = await dead()
    assert (entry["kind"], entry["statement"], entry["problem"]["detail"]) == (
        "statement",
        '{"id":"7"}',
        "It has no actor.",
    )


async def test_settle_twice_is_settled_once(statements, entry_ids, jobs_redis, dead):
    """Two adapters may have delivered it: the first was thought gone."""
    for _ in range(2):
        await statements.settle(entry_ids[:2], [(entry_ids[2], WRONG)])
    await statements.settle(entry_ids[2:3], ())
    assert len(await dead()) == 1
    assert await jobs_redis.xlen(keys.STATEMENTS) == 7


async def test_settle_entry_that_is_not_a_statement_becomes_a_dead_letter_whole(statements, streams, jobs_redis, dead):
    await streams.ensure_group(keys.STATEMENTS)
    entry_id = await jobs_redis.xadd(keys.STATEMENTS, {"some": "thing", "é": "\\"})
    await statements.settle((), [(entry_id, WRONG)])
    (entry,) = await dead()
    assert (entry["kind"], json.loads(entry["raw"])) == ("message", ["some", "thing", "é", "\\"])
    assert await jobs_redis.xlen(keys.STATEMENTS) == 0


async def test_replay_puts_it_back_once(statements, entry_ids, jobs_redis, dead):
    await statements.settle((), [(entry_ids[3], WRONG)])
    ((dead_id, _),) = await jobs_redis.xrange(keys.DEAD)
    assert await statements.replay(dead_id)
    assert not await statements.replay(dead_id)
    ((_, fields),) = await jobs_redis.xrevrange(keys.STATEMENTS, count=1)
    assert fields == {"statement": '{"id":"3"}'}
    assert await dead() == []


async def test_replay_leaves_what_is_not_a_statement(statements, jobs_redis, dead):
    dead_id = await jobs_redis.xadd(keys.DEAD, {"kind": "job", "job": "x", "problem": WRONG.model_dump_json()})
    assert not await statements.replay(dead_id)
    assert len(await dead()) == 1


async def test_count_includes_dead_letters(statements, entry_ids):
    await statements.settle(entry_ids[:4], [(entry_ids[5], WRONG)])
    assert await statements.count() == 6
