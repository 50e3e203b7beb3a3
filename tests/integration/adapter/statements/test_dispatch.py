"""Batches of statements between a real Redis and a function: every statement is settled, once."""

import asyncio
import json
import time

from adapter.redis import keys
from podjobs.contract.statements import BatchReport, Refusal
from support.problems import problem
from support.waiting import wait_until


async def test_dispatch_statements_go_in_full_batches_and_are_off_the_stream(send, function, start, wait_gone):
    await send(*range(120))
    dispatch = await start()
    await wait_gone()
    assert sorted(function.accepted) == list(range(120))
    assert sorted(function.sizes) == [20, 50, 50]
    assert dispatch.claimed == ()


async def test_dispatch_few_statements_wait_for_others_but_not_long(send, function, start, wait_gone):
    await start()
    begun = time.monotonic()
    await send(1)
    await asyncio.sleep(0.1)
    await send(2)
    await wait_gone()
    assert function.sizes == [2]
    assert 0.2 < time.monotonic() - begun < 10


async def test_dispatch_batch_does_not_exceed_its_limit(statements, function, start, wait_gone):
    await statements.append(
        [json.dumps({"n": number, "padding": "é" * 14_000}, ensure_ascii=False) for number in range(10)]
    )
    await start()
    await wait_gone()
    assert sorted(function.accepted) == list(range(10))
    assert max(function.sizes) == 3  # of 28,000 bytes each, at most 100,000
    assert max(len(batch.model_dump_json().encode()) for batch in function.asked) < 100_000


async def test_dispatch_statement_longer_than_a_batch_goes_alone(statements, function, start, wait_gone):
    """The limit was lowered when it was in the stream already."""
    texts = [json.dumps({"n": number, "padding": "x" * length}) for number, length in enumerate((10, 200_000, 10))]
    await statements.append(texts)
    await start()
    await wait_gone()
    assert function.sizes == [1, 1, 1]


async def test_dispatch_several_batches_are_on_their_way_but_not_more(send, function, start, wait_gone):
    function.takes_s = 0.2
    await send(*range(500))
    dispatch = await start(concurrency=3)
    await wait_until(lambda: function.at_once == 3)
    assert len(dispatch.claimed) <= 3 * 50 + 150
    await wait_gone()
    assert function.most_at_once == 3


async def test_dispatch_refused_statement_becomes_a_dead_letter_with_the_reason(send, function, start, wait_gone, dead):
    function.judge = lambda batch: BatchReport(
        accepted=tuple(entry.entry_id for entry in batch.entries if entry.statement["n"] != 3),
        refused=tuple(
            Refusal(entry_id=entry.entry_id, problem=problem(400, "No actor."))
            for entry in batch.entries
            if entry.statement["n"] == 3
        ),
    )
    await send(*range(5))
    await start()
    await wait_gone()
    (entry,) = await dead()
    assert (json.loads(entry["statement"]), entry["problem"]["detail"]) == ({"n": 3}, "No actor.")
    assert sorted(function.accepted) == [0, 1, 2, 4]


async def test_dispatch_statement_the_report_omits_is_delivered_again(send, function, start, wait_gone):
    function.answers = [BatchReport(accepted=("0-0",)), BatchReport()]
    await send(1, 2)
    await start()
    await wait_gone()
    assert sorted(function.accepted) == [1, 2]


async def test_dispatch_kept_statements_are_delivered_again_after_the_wait_that_was_asked_for(
    send, function, start, wait_gone
):
    function.answers = [BatchReport(trouble=problem(), retry_after_s=1.5)]
    await send(1)
    await start()
    await wait_gone()
    assert 1.4 < function.at[1] - function.at[0] < 2.5
    assert [batch.attempt for batch in function.asked] == [1, 2]


async def test_dispatch_rest_of_a_batch_without_trouble_goes_on_at_once(send, function, start, wait_gone):
    function.judge = lambda batch: BatchReport(accepted=(batch.entries[0].entry_id,))
    await send(*range(10))
    await start()
    await wait_gone(timeout_s=2)
    assert function.sizes == [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]


async def test_dispatch_two_adapters_deliver_each_statement_once(send, function, start, wait_gone):
    await start("one")
    await start("two")
    await send(*range(400))
    await wait_gone()
    assert sorted(function.accepted) == list(range(400))


async def test_finish_lets_deliveries_end_and_gives_back_the_rest(send, function, start, jobs_redis):
    function.takes_s = 0.5
    await send(*range(200))
    dispatch = await start(concurrency=1)
    await wait_until(lambda: function.at_once == 1)
    dispatch.task.cancel()
    await dispatch.finish(5)
    assert len(function.accepted) == 50
    await dispatch.streams.give_back(keys.STATEMENTS)
    owners = {row["consumer"] for row in await jobs_redis.xpending_range(keys.STATEMENTS, keys.GROUP, "-", "+", 1000)}
    assert owners <= {keys.RETURNED}
    function.takes_s = 0
    other = await start("two")
    await wait_until(lambda: len(function.accepted) == 200)
    assert sorted(function.accepted) == list(range(200))
    await wait_until(lambda: other.claimed == ())


async def test_finish_does_not_wait_for_what_is_on_hold(send, function, start):
    function.judge = lambda _: BatchReport(trouble=problem(), retry_after_s=60)
    await send(1)
    dispatch = await start()
    await wait_until(lambda: function.asked)
    await asyncio.sleep(0.1)
    begun = time.monotonic()
    dispatch.task.cancel()
    await dispatch.finish(5)
    assert time.monotonic() - begun < 10
