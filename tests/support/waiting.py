"""Waiting for something in the event loop of a test."""

import asyncio
from collections.abc import Callable

POLL_S = 0.02


async def wait_until(condition: Callable[[], object], timeout_s: float = 10) -> None:
    """Wait until something holds; `support.processes.wait_for` does the same without an event loop.

    Raises:
        TimeoutError: it took too long.
    """
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(POLL_S)
