"""The pause of a function that cannot do its work: one delivery asks again after a growing wait, others stand by."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapter.retries import busy_wait_s


class Pause:
    """Shared by all deliveries to one function.

    While all is well, deliveries pass side by side. After a failure they pass one at a time, each when the wait that
    the failure before it caused is over; the first success lets all pass again.
    """

    def __init__(self, cap_s: float) -> None:
        """Make it for a function that is well.

        Args:
            cap_s: longest wait that nobody asked for.
        """
        self._cap_s = cap_s
        self._turn = asyncio.Lock()
        self._failures = 0
        self._since = 0.0
        self._until = 0.0

    @property
    def left_s(self) -> float:
        """Seconds until the next delivery may ask; 0 while all is well."""
        return max(self._until - time.monotonic(), 0.0) if self._failures else 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[float]:
        """Wait for the turn to deliver, and deliver inside. Gives the time at which the turn began."""
        if self._failures:
            async with self._turn:
                while left_s := self.left_s:  # noqa: ASYNC110 - it may be prolonged meanwhile
                    await asyncio.sleep(left_s)
                if self._failures:
                    yield time.monotonic()
                    return
        yield time.monotonic()

    def prolong(self, began: float, retry_after_s: float | None) -> float:
        """Note a failure.

        Args:
            began: when the turn of the delivery that failed began. Deliveries that began before the last failure
                tell nothing new: four that fail together are one failure.
            retry_after_s: the wait that was asked for; None: 1, 2, 4 … seconds up to the cap.

        Returns:
            Seconds to wait from now on.
        """
        if not self._failures or began >= self._since:
            self._failures += 1
            self._since = time.monotonic()
        wait_s = busy_wait_s(self._failures, self._cap_s) if retry_after_s is None else retry_after_s
        self._until = max(self._until, self._since + wait_s)
        return self.left_s

    def end(self) -> None:
        """Note a success."""
        self._failures = 0
        self._until = 0.0
