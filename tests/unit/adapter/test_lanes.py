"""Lanes beside the work."""

import asyncio

import pytest

from adapter.cancellation import cancel_and_wait
from adapter.lanes import keep_going


async def test_lane_that_fails_begins_again_until_it_ends():
    begun = []

    async def lane():
        begun.append(len(begun))
        if len(begun) < 3:
            raise KeyError("a bug")

    async with asyncio.timeout(1):
        await keep_going("samples", lane, again_s=0)
    assert begun == [0, 1, 2]


async def test_lane_that_is_cancelled_does_not_begin_again():
    begun = []

    async def lane():
        begun.append(1)
        await asyncio.sleep(60)

    task = asyncio.create_task(keep_going("samples", lane, again_s=0))
    await asyncio.sleep(0)
    await cancel_and_wait([task])
    assert (begun, task.cancelled()) == ([1], True)
    with pytest.raises(asyncio.CancelledError):
        await task
