"""Batches of statements between a real Redis and a function: every statement comes to its end, once."""

import asyncio
import contextlib
import json
import time
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from cloudevents.conversion import to_binary
from cloudevents.http import CloudEvent, from_http

from adapter import keys
from adapter.batch_dispatch import BatchDispatch
from adapter.collector import Collector
from adapter.delivery.http import HttpDelivery
from adapter.due import DueEntries
from adapter.isolation import GIVE_UP_AFTER
from adapter.retries import RetryPolicy
from adapter.settings import BatchLimits, DispatchTiming, FunctionSettings
from adapter.statements import Statements
from podjobs.contract.errors import PROBLEM_CONTENT_TYPE, Problem
from podjobs.contract.message_contracts import STATEMENTS
from podjobs.contract.statements import REPORT_EVENT_TYPE, BatchReport, Refusal, StatementBatch

LIMITS = BatchLimits(statements=50, size_bytes=100_000, wait_s=0.3)
TIMING = DispatchTiming(lease_s=0.8, sweep_s=0.2, busy_cap_s=0.2)
RETRIES = RetryPolicy(base_s=1, factor=2, cap_s=60, limit=1)


def problem(status=503, detail="As told."):
    return Problem(title="No.", status=status, detail=detail)


def problem_answer(status, **headers):
    return web.Response(
        text=problem(status).model_dump_json(), status=status, headers=headers, content_type=PROBLEM_CONTENT_TYPE
    )


def numbers(batch):
    return [entry.statement["n"] for entry in batch.entries]


def accept_all(batch):
    return BatchReport(accepted=tuple(entry.entry_id for entry in batch.entries))


@dataclass
class FakeFunction:
    """Answers batches as the test says, from a list first, then by its judge."""

    answers: list = field(default_factory=list)
    judge: object = accept_all
    takes_s: float = 0
    asked: list = field(default_factory=list)
    accepted: list = field(default_factory=list)
    at: list = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    url: str = ""

    async def handle(self, request):
        batch = StatementBatch.model_validate(from_http(dict(request.headers), await request.read()).data)
        self.asked.append(batch)
        self.at.append(time.monotonic())
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.takes_s)
        finally:
            self.at_once -= 1
        answer = self.answers.pop(0) if self.answers else self.judge(batch)
        if answer == "break":
            request.transport.abort()
            return web.Response()
        if not isinstance(answer, BatchReport):
            return answer
        named = {entry.entry_id: entry.statement["n"] for entry in batch.entries}
        self.accepted += [named[entry_id] for entry_id in answer.accepted if entry_id in named]
        event = CloudEvent({"type": REPORT_EVENT_TYPE, "source": "/f"}, answer.model_dump(mode="json"))
        headers, body = to_binary(event)
        return web.Response(body=body, headers=headers)

    @property
    def sizes(self):
        return [len(batch.entries) for batch in self.asked]


@pytest.fixture
async def function():
    fake = FakeFunction()
    app = web.Application(client_max_size=1 << 24)
    app.router.add_post("/", fake.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield fake
    await runner.cleanup()


@pytest.fixture
def statements(jobs_redis):
    return Statements(jobs_redis)


@pytest.fixture
def send(statements):
    async def store(*which):
        await statements.store([json.dumps({"n": number}) for number in which])

    return store


@pytest.fixture
async def start(statements, make_streams, function):
    """Start dispatches; all are ended after the test."""
    async with contextlib.AsyncExitStack() as running:

        async def start_one(adapter_id="one", concurrency=4, url=None, limits=LIMITS):
            streams = await make_streams(adapter_id)
            settings = FunctionSettings("xapi", url or function.url, concurrency, RETRIES)
            due = DueEntries(keys.STATEMENTS, streams, RETRIES, TIMING.lease_s)
            collector = Collector(streams, statements, due, limits, TIMING.sweep_s)
            delivery = HttpDelivery(settings.url, STATEMENTS, adapter_id, 5)
            dispatch = BatchDispatch(settings, streams, statements, collector, delivery, TIMING)
            task = asyncio.create_task(dispatch.run())
            running.push_async_callback(delivery.close)
            running.push_async_callback(dispatch.finish, 0)
            running.callback(task.cancel)
            dispatch.task, dispatch.streams = task, streams
            return dispatch

        yield start_one


@pytest.fixture
def wait_gone(jobs_redis):
    """Wait until no statement is left in the stream."""

    async def wait(timeout_s=15):
        async with asyncio.timeout(timeout_s):
            while await jobs_redis.xlen(keys.STATEMENTS):
                await asyncio.sleep(0.02)

    return wait


async def wait_until(condition, timeout_s=10):
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.02)


async def test_dispatch_statements_go_in_full_batches_and_are_off_the_stream(send, function, start, wait_gone):
    await send(*range(120))
    dispatch = await start()
    await wait_gone()
    assert sorted(function.accepted) == list(range(120))
    assert sorted(function.sizes) == [20, 50, 50]
    assert dispatch.held == ()


async def test_dispatch_few_statements_wait_for_others_but_not_long(send, function, start, wait_gone):
    await start()
    begun = time.monotonic()
    await send(1)
    await asyncio.sleep(0.1)
    await send(2)
    await wait_gone()
    assert function.sizes == [2]
    assert 0.2 < time.monotonic() - begun < 10


async def test_dispatch_batch_is_no_longer_than_may_be(statements, function, start, wait_gone):
    await statements.store(
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
    await statements.store(texts)
    await start()
    await wait_gone()
    assert function.sizes == [1, 1, 1]


async def test_dispatch_several_batches_are_on_their_way_but_not_more(send, function, start, wait_gone):
    function.takes_s = 0.2
    await send(*range(500))
    dispatch = await start(concurrency=3)
    await wait_until(lambda: function.at_once == 3)
    assert len(dispatch.held) <= 3 * 50 + 150
    await wait_gone()
    assert function.most_at_once == 3


async def test_dispatch_refused_statement_goes_to_dead_with_the_reason(send, function, start, wait_gone, dead):
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


async def test_dispatch_statement_the_report_forgets_is_delivered_again(send, function, start, wait_gone):
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


async def test_dispatch_lrs_away_one_delivery_asks_and_nothing_grows(send, function, start, wait_gone, jobs_redis):
    away = True
    function.judge = lambda batch: BatchReport(trouble=problem()) if away else accept_all(batch)
    await send(*range(1000))
    dispatch = await start(concurrency=4)
    await asyncio.sleep(1.2)
    # 0.2 s is the cap here: one request each, not four
    assert len(function.asked) <= 4 + 1.2 / 0.2 + 1
    assert len(dispatch.held) <= 4 * 50 + 150
    described = await dispatch.describe()
    assert (described["trouble"], described["parked_here"] >= 3) == ("As told.", True)
    assert await jobs_redis.xlen(keys.STATEMENTS) == 1000
    away = False
    await wait_gone()
    assert sorted(function.accepted) == list(range(1000))
    assert (await dispatch.describe())["trouble"] == ""


@pytest.mark.parametrize(
    "answer",
    ["break", problem_answer(500), problem_answer(503), web.Response(status=502), web.Response(text="no event")],
    ids=["break", "500", "503", "502", "garbage"],
)
async def test_dispatch_function_that_fails_once_is_asked_again(send, function, start, wait_gone, dead, answer):
    function.answers = [answer]
    await send(1, 2, 3)
    await start()
    await wait_gone()
    assert sorted(function.accepted) == [1, 2, 3]
    assert await dead() == []


async def test_dispatch_function_away_keeps_all_and_gives_up_nothing(send, start, jobs_redis, dead):
    await send(*range(10))
    dispatch = await start(url="http://127.0.0.1:1/")
    await asyncio.sleep(2)
    assert await jobs_redis.xlen(keys.STATEMENTS) == 10
    assert await dead() == []
    assert "cannot be reached" in (await dispatch.describe())["trouble"]


@pytest.mark.parametrize("status", [500, 400])
async def test_dispatch_nothing_goes_through_nothing_is_given_up(send, function, start, jobs_redis, dead, status):
    """A function that fails at everything, or refuses everything (a wrong address), is no reason to lose anything."""
    function.judge = lambda _: problem_answer(status)
    await send(*range(60))
    await start(limits=BatchLimits(10, 100_000, 0.05))
    await asyncio.sleep(4)
    assert await dead() == []
    assert await jobs_redis.xlen(keys.STATEMENTS) == 60
    function.judge = accept_all


@pytest.mark.parametrize("spoils", ["break", problem_answer, "lrs"], ids=["crash", "refusal", "lrs"])
async def test_dispatch_statement_that_spoils_its_batch_is_found_and_blocks_nothing(
    send, function, start, wait_gone, dead, spoils
):
    """It crashes the function, is refused with all that is in its batch, or makes the LRS fail."""

    def judge(batch):
        if 33 not in numbers(batch):
            return accept_all(batch)
        if spoils == "lrs":
            return BatchReport(trouble=problem(500))
        return spoils if spoils == "break" else problem_answer(422)

    function.judge = judge
    await send(*range(100))
    await start(concurrency=1, limits=BatchLimits(50, 100_000, 0.05))

    async def go_on():
        for number in range(100, 100 + 40 * GIVE_UP_AFTER):
            await send(number)
            await asyncio.sleep(0.05)
            if await dead():
                return

    await asyncio.wait_for(go_on(), 20)
    await wait_gone()
    (entry,) = await dead()
    assert json.loads(entry["statement"]) == {"n": 33}
    assert "other statements went through" in entry["problem"]["detail"]
    assert set(range(100)) - {33} <= set(function.accepted)


async def test_dispatch_statements_the_function_refuses_by_itself_tell_nothing_of_the_lrs(
    send, function, start, jobs_redis, dead
):
    """While the LRS fails, refusals are no successes that would count against a good statement."""

    def judge(batch):
        bad = [entry for entry in batch.entries if entry.statement["n"] >= 100]
        refused = tuple(Refusal(entry_id=entry.entry_id, problem=problem(400)) for entry in bad)
        return BatchReport(refused=refused, trouble=problem(500) if len(bad) < len(batch.entries) else None)

    function.judge = judge
    await send(1)
    await start(concurrency=2, limits=BatchLimits(1, 100_000, 0.05))
    for number in range(100, 100 + 4 * GIVE_UP_AFTER):
        await send(number)
        await asyncio.sleep(0.1)
    await wait_until(lambda: len(function.asked) > 4 * GIVE_UP_AFTER)
    assert len(await dead()) >= 2 * GIVE_UP_AFTER
    assert all(json.loads(entry["statement"])["n"] >= 100 for entry in await dead())


async def test_dispatch_adapter_that_dies_another_takes_its_statements_over(
    send, function, start, wait_gone, jobs_redis, make_streams
):
    gone = await make_streams("gone", alive=False)
    await gone.ensure_group(keys.STATEMENTS)
    await send(*range(230))
    await gone.read(keys.STATEMENTS, 230)
    await send(1000)
    await start("two")
    await wait_gone()
    assert sorted(function.accepted) == [*range(230), 1000]


async def test_dispatch_statements_of_an_adapter_that_lives_stay_its_own(send, function, start, make_streams):
    other = await make_streams("lives")
    await other.ensure_group(keys.STATEMENTS)
    await send(1)
    await other.read(keys.STATEMENTS, 10)
    await start("two")
    await asyncio.sleep(1.2)
    assert function.asked == []


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
    assert owners <= {keys.WAITING}
    function.takes_s = 0
    other = await start("two")
    await wait_until(lambda: len(function.accepted) == 200)
    assert sorted(function.accepted) == list(range(200))
    await wait_until(lambda: other.held == ())


async def test_finish_does_not_wait_for_what_is_parked(send, function, start):
    function.judge = lambda _: BatchReport(trouble=problem(), retry_after_s=60)
    await send(1)
    dispatch = await start()
    await wait_until(lambda: function.asked)
    await asyncio.sleep(0.1)
    begun = time.monotonic()
    dispatch.task.cancel()
    await dispatch.finish(5)
    assert time.monotonic() - begun < 10


async def test_dispatch_entry_that_is_no_statement_is_put_aside_and_blocks_nothing(
    send, function, start, wait_gone, dead, jobs_redis
):
    await send(1)
    for fields in ({"some": "thing"}, {"statement": "no json"}, {"statement": "[1]"}):
        await jobs_redis.xadd(keys.STATEMENTS, fields)
    await send(2)
    await start()
    await wait_gone()
    assert sorted(function.accepted) == [1, 2]
    assert [entry["kind"] for entry in await dead()] == ["message", "statement", "statement"]


async def test_dispatch_stream_that_was_lost_is_made_anew(send, function, start, wait_gone, jobs_redis):
    await start()
    await asyncio.sleep(0.1)
    await jobs_redis.delete(keys.STATEMENTS)
    await asyncio.sleep(0.3)
    await send(1)
    await wait_gone()
    assert function.accepted == [1]
