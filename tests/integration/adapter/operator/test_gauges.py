"""The adapter's numbers: what waits, and for how long, as they stand in Redis."""

import asyncio
import time

import pytest

from adapter.door.room import DeadBound
from adapter.door.statement_intake import StatementBounds, StatementIntake
from adapter.operator.gauges import Gauges
from adapter.redis import keys
from adapter.redis.memory import KeyMemory
from adapter.retries import RetryPolicy
from adapter.settings import FunctionSettings
from adapter.statements.store import StatementStore
from local.client import request_encoding
from podjobs.contract.errors import Problem
from podjobs.contract.plans import Plan, Stage, StepSpec
from support.aws_templates import PARTS
from support.parts import NOWHERE

PROBLEM = Problem(title="Down.", status=502, detail="It is down.").model_dump_json()
PAUSE_S = 0.2
SLACK_S = 0.15
"""How much longer a test may take than its pauses."""


class Served:
    """The steps of one function, of which some are on hold in this adapter."""

    function = FunctionSettings("encoding", NOWHERE, 1, RetryPolicy(15, 2, 600, 5))
    stream = keys.steps("encoding")

    def __init__(self):
        self.claimed = set()
        self.held = set()


@pytest.fixture
def served():
    return Served()


@pytest.fixture
def read(jobs_redis, streams, served):
    return Gauges(jobs_redis, streams, (), (served,)).read


def about(seconds):
    return pytest.approx(seconds, abs=SLACK_S)


async def test_gauges_without_work_are_zero(read):
    assert set((await read()).values()) == {0}


async def test_gauges_contain_every_number_that_the_alarms_on_aws_read(read):
    filters = [
        one["Properties"]["MetricTransformations"][0]["MetricValue"]
        for one in PARTS["watch"].section("Resources").values()
        if one["Type"] == "AWS::Logs::MetricFilter"
    ]
    fields = {value.removeprefix("$.") for value in filters if value.startswith("$.")}
    assert len(fields) == 8
    assert fields <= (await read()).keys()


async def test_gauges_turn_waits_from_the_jobs_arrival_on_and_anew_from_each_turn(read, records, take, make_job):
    await records.accept([make_job()])
    await asyncio.sleep(PAUSE_S)
    numbers = await read()
    assert (numbers["steps_waiting"], numbers["jobs_live"]) == (1, 1)
    assert numbers["oldest_waiting_s"] == numbers["oldest_turn_s"] == about(PAUSE_S)
    (plan,) = await take()
    assert (await read())["oldest_turn_s"] == 0
    steps = tuple(StepSpec(id=name, function="encoding", action="chunk") for name in ("a", "b", "c"))
    await records.commit(plan, Plan(stages=(Stage(name="encode", steps=steps),)))
    await asyncio.sleep(PAUSE_S)
    assert (await read())["oldest_turn_s"] == about(PAUSE_S)
    await take(count=1)
    numbers = await read()
    assert (numbers["steps_waiting"], numbers["steps_taken"], numbers["oldest_turn_s"]) == (2, 1, about(0))


async def test_gauges_oldest_turn_is_that_of_the_job_which_waits_longest(read, records, take, make_job):
    await records.accept([make_job("first", 1)])
    await asyncio.sleep(PAUSE_S)
    await records.accept([make_job("second", 2)])
    assert (await read())["oldest_turn_s"] == about(PAUSE_S)
    assert [step.job_id for step in await take(count=1)] == ["first"]
    assert (await read())["oldest_turn_s"] == about(0)


async def test_gauges_step_that_runs_for_the_first_time_does_not_wait(read, records, take, make_job, served):
    await records.accept([make_job()])
    (step,) = await take()
    served.claimed = {step.entry_id}
    await asyncio.sleep(PAUSE_S)
    numbers = await read()
    assert (numbers["steps_taken"], numbers["steps_running_here"], numbers["oldest_waiting_s"]) == (1, 1, 0)


async def test_gauges_step_on_hold_waits_since_it_was_taken(read, records, take, make_job, served):
    await records.accept([make_job()])
    (step,) = await take()
    served.claimed = served.held = {step.entry_id}
    await asyncio.sleep(PAUSE_S)
    numbers = await read()
    assert (numbers["steps_running_here"], numbers["oldest_step_s"]) == (0, about(PAUSE_S))


async def test_gauges_step_whose_attempt_failed_waits_until_it_is_done(read, records, take, make_job, streams):
    await records.accept([make_job()])
    (step,) = await take()
    await asyncio.sleep(PAUSE_S)
    await records.schedule_retry(step, PROBLEM)
    assert (await read())["oldest_waiting_s"] == about(PAUSE_S)
    await streams.claim(keys.steps("encoding"), await streams.pending(keys.steps("encoding")))
    assert (await read())["oldest_step_s"] == about(PAUSE_S)  # its second attempt runs


async def test_gauges_step_of_an_adapter_that_stopped_waits(read, records, take, make_job, streams):
    await records.accept([make_job()])
    await take()
    await asyncio.sleep(PAUSE_S)
    await streams.give_back(keys.steps("encoding"))
    assert (await read())["oldest_step_s"] == about(PAUSE_S)


async def test_gauges_statement_waits_since_it_was_stored(jobs_redis, streams):
    store = StatementStore(jobs_redis)
    dead_bound = DeadBound(KeyMemory(jobs_redis, keys.DEAD), 1000)
    intake = StatementIntake(store, StatementBounds(10, 1_000_000, 1000), dead_bound)
    read = Gauges(jobs_redis, streams, (), (), intake).read
    assert (await read())["statements_held"] == 0
    await store.append(["{}"])
    await asyncio.sleep(PAUSE_S)
    await store.append(["{}"])
    numbers = await read()
    assert numbers["statements_held"] == 2
    assert numbers["oldest_waiting_s"] == numbers["oldest_statement_s"] == about(PAUSE_S)


async def test_gauges_clock_that_was_set_back_gives_no_negative_age(read, records, jobs_redis, make_job):
    await records.accept([make_job()])
    await jobs_redis.zadd(keys.turns_since("encoding"), {"job-1": time.time() + 3600})
    assert (await read())["oldest_waiting_s"] == 0


def test_adapter_logs_its_numbers_at_the_interval_it_is_told(start, client, redis_url):
    client.xadd(keys.DEAD, {"kind": "statement"})
    adapter = start(PODJOBS_GAUGES_S="0.2").wait()
    request_encoding(redis_url, 7, "/media/7.mp4")  # nobody answers: its first step is on hold
    adapter.wait_for(lambda: any(line["oldest_step_s"] > 0.5 for line in numbers_of(adapter)[-1:]))
    line = numbers_of(adapter)[-1]
    assert (line["dead_letters"], line["jobs_live"], line["steps_taken"], line["steps_running_here"]) == (1, 1, 1, 0)
    assert line["oldest_waiting_s"] == line["oldest_step_s"]
    assert adapter.stop() == 0


def test_adapter_logs_no_numbers_unless_it_is_told(start):
    adapter = start().wait()
    assert adapter.stop() == 0
    assert numbers_of(adapter) == []


def numbers_of(adapter):
    return [line for line in adapter.lines() if line["message"] == "The adapter in numbers."]
