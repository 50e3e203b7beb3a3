"""Ends tasks for certain."""

import asyncio
from collections.abc import Collection
from typing import Any

REPEAT_S = 0.2
"""Seconds after which a task that has not ended is cancelled again."""


async def cancel_and_wait(tasks: Collection["asyncio.Task[Any]"]) -> None:
    """Cancel tasks until all have ended; what they end with is not raised.

    Once is not enough: until Python 3.12, `asyncio.wait_for` loses a cancellation that arrives at the moment at which
    the call it waits for ends, and the Redis client sends every command through it. A loop would then go on forever.
    For the same reason a task that has tasks of its own ends them with this, not with a TaskGroup, which cancels once.

    Args:
        tasks: may have ended before.

    Raises:
        CancelledError: whoever called this was cancelled meanwhile, perhaps again and again; the tasks have ended.
    """
    running = {task for task in tasks if not task.done()}
    was_cancelled = False
    while running:
        for task in running:
            task.cancel()
        try:
            _, running = await asyncio.wait(running, timeout=REPEAT_S)
        except asyncio.CancelledError:
            was_cancelled = True
            running = {task for task in running if not task.done()}
    if was_cancelled:
        raise asyncio.CancelledError
