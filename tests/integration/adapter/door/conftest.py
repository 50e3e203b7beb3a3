"""Doors that run until the test ends."""

import asyncio

import pytest

from adapter.door.celery import CeleryDoor
from adapter.door.dead_letters import DeadLetters
from adapter.door.room import DeadBound
from adapter.redis import keys
from adapter.redis.memory import KeyMemory


@pytest.fixture
async def run_door(broker, make_streams, jobs_redis):
    """Run a door; every one that was started is stopped after the test."""
    opened = []

    async def run(queue, intake, adapter_id="one", percent=100):
        streams = await make_streams(adapter_id)
        door = CeleryDoor(queue, broker, streams, intake, DeadLetters(jobs_redis), 0.5, percent)
        opened.append((door, asyncio.create_task(door.run())))
        return door

    yield run
    for door, task in opened:
        door.stop()
        await task


@pytest.fixture
def make_dead_bound(jobs_redis):
    def make(limit_bytes=10**9):
        return DeadBound(KeyMemory(jobs_redis, keys.DEAD), limit_bytes)

    return make


@pytest.fixture
def wait_empty(broker):
    """Wait until nothing is left on a queue, nor in any adapter's processing list of it."""

    async def wait(queue, timeout_s=10):
        async with asyncio.timeout(timeout_s):
            while [key async for key in broker.scan_iter(f"{queue}*")]:
                await asyncio.sleep(0.02)

    return wait
