"""Doors that run until the test ends."""

import asyncio

import pytest

from adapter.door.celery import CeleryDoor


@pytest.fixture
async def run_door(broker, make_streams):
    """Run a door; every one that was started is stopped after the test."""
    opened = []

    async def run(queue, intake, adapter_id="one"):
        door = CeleryDoor(queue, broker, await make_streams(adapter_id), intake, lease_s=0.5)
        opened.append((door, asyncio.create_task(door.run())))
        return door

    yield run
    for door, task in opened:
        door.stop()
        await task


@pytest.fixture
def wait_empty(broker):
    """Wait until nothing is left on a queue, nor in any adapter's processing list of it."""

    async def wait(queue, timeout_s=10):
        async with asyncio.timeout(timeout_s):
            while [key async for key in broker.scan_iter(f"{queue}*")]:
                await asyncio.sleep(0.02)

    return wait
