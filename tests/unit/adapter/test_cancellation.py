"""Tasks end when they are told to, whatever happens to a single cancellation."""

import asyncio
import contextlib

from adapter.cancellation import cancel_and_wait


async def test_cancel_and_wait_task_whose_awaited_call_ends_at_that_moment_ends_too():
    answered = asyncio.get_running_loop().create_future()
    rounds = 0

    async def loop_over_calls():
        nonlocal rounds
        while True:
            await asyncio.wait_for(answered if not rounds else asyncio.sleep(3600), 7200)
            rounds += 1

    task = asyncio.create_task(loop_over_calls())
    await asyncio.sleep(0)
    answered.set_result(None)

    await asyncio.wait_for(cancel_and_wait([task]), 5)

    assert task.cancelled()


async def test_cancel_and_wait_task_that_outlives_the_first_cancellation_ends_with_the_next():
    async def outlive_one():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)
        await asyncio.sleep(3600)

    task = asyncio.create_task(outlive_one())
    await asyncio.sleep(0)

    await asyncio.wait_for(cancel_and_wait([task]), 5)

    assert task.cancelled()


async def test_cancel_and_wait_tasks_that_have_ended_or_failed_are_no_trouble():
    async def fail():
        raise ValueError("on purpose")

    ended = [asyncio.create_task(asyncio.sleep(0)), asyncio.create_task(fail())]
    await asyncio.wait(ended)

    await cancel_and_wait(ended)

    assert isinstance(ended[1].exception(), ValueError)


async def test_cancel_and_wait_task_of_a_task_ends_too_although_both_are_cancelled_again_and_again():
    async def outlive_three():
        for _ in range(3):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)
        await asyncio.sleep(3600)

    inner = asyncio.create_task(outlive_three())

    async def look_after_it():
        try:
            await asyncio.wait([inner])
        finally:
            await cancel_and_wait([inner])

    outer = asyncio.create_task(look_after_it())
    await asyncio.sleep(0)

    await asyncio.wait_for(cancel_and_wait([outer]), 5)

    assert (outer.cancelled(), inner.cancelled()) == (True, True)
