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

    Args:
        tasks: may have ended before.
    """
    running = {task for task in tasks if not task.done()}
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=REPEAT_S)
