"""Dispatches of statements between a real Redis and a stand-in for the function."""

import asyncio
import contextlib
import json

import pytest

from adapter.delivery.http import HttpDelivery
from adapter.redis import keys
from adapter.redis.idle_entries import IdleEntries
from adapter.retries import RetryPolicy
from adapter.settings import BatchLimits, DispatchTiming, FunctionSettings
from adapter.statements.batcher import StatementBatcher
from adapter.statements.dispatch import StatementDispatch
from adapter.statements.store import StatementStore
from podjobs.contract.message_contracts import STATEMENTS
from support.redis_cluster import MODES, url_of
from support.xapi_function import FakeXapiFunction

LIMITS = BatchLimits(statements=50, size_bytes=100_000, wait_s=0.3)
TIMING = DispatchTiming(lease_s=0.8, sweep_s=0.2, busy_cap_s=0.2, not_now_limit_s=60)
RETRIES = RetryPolicy(base_s=1, factor=2, cap_s=60, limit=1)


@pytest.fixture(params=MODES)
def jobs_url(request):
    return url_of(request)


@pytest.fixture
async def function(serve):
    return await serve(FakeXapiFunction())


@pytest.fixture
def statements(jobs_redis):
    return StatementStore(jobs_redis)


@pytest.fixture
def send(statements):
    async def store(*which):
        await statements.append([json.dumps({"n": number}) for number in which])

    return store


@pytest.fixture
async def start(statements, make_streams, function):
    """Start dispatches, their delivery wrapped by another; all are ended after the test."""
    async with contextlib.AsyncExitStack() as running:

        async def start_one(
            adapter_id="one", concurrency=4, url=None, limits=LIMITS, retries=RETRIES, wrap=lambda one: one
        ):
            streams = await make_streams(adapter_id)
            settings = FunctionSettings("xapi", url or function.url, concurrency, retries)
            idle = IdleEntries(keys.STATEMENTS, streams, retries, TIMING.lease_s)
            batcher = StatementBatcher(streams, statements, idle, limits, TIMING.sweep_s)
            delivery = HttpDelivery(settings.url, STATEMENTS, adapter_id, 5)
            dispatch = StatementDispatch(settings, streams, statements, batcher, wrap(delivery), TIMING)
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
