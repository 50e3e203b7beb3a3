"""Dispatches of steps to a real HTTP server in the function's place."""

import asyncio
import contextlib

import pytest

from adapter.delivery.http import HttpDelivery
from adapter.settings import FunctionSettings
from adapter.steps.dispatch import StepDispatch
from podjobs.contract.message_contracts import STEPS
from support.redis_cluster import MODES, url_of
from support.step_function import RETRIES, TIMING, FakeFunction


@pytest.fixture(params=MODES)
def jobs_url(request):
    return url_of(request)


@pytest.fixture
async def function(serve):
    return await serve(FakeFunction())


@pytest.fixture
async def start(records, make_streams, function):
    """Start dispatches; all are ended after the test."""
    async with contextlib.AsyncExitStack() as running:

        async def start_one(
            adapter_id="one",
            concurrency=4,
            url=None,
            margin_s=5,
            timing=TIMING,
            name="encoding",
            delivery=None,
            observers=(),
            **more,
        ):
            streams = await make_streams(adapter_id)
            delivery = delivery or HttpDelivery(url or function.url, STEPS, adapter_id, margin_s)
            settings = FunctionSettings(name, url or function.url, concurrency, RETRIES, **more)
            dispatch = StepDispatch(settings, streams, records, delivery, timing, observers)
            task = asyncio.create_task(dispatch.run())
            running.push_async_callback(delivery.close)
            running.push_async_callback(dispatch.finish, 0)
            running.callback(task.cancel)
            dispatch.task = task
            return dispatch

        yield start_one


@pytest.fixture
def wait_state(job_hash):
    async def wait(state, job_id="job-1", timeout_s=10):
        async with asyncio.timeout(timeout_s):
            while (await job_hash(job_id)).get("state") != state:
                await asyncio.sleep(0.02)

    return wait
