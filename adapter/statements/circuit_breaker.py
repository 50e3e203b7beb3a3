"""The circuit breaker of a function: after a failure, one delivery at a time probes it; the others wait.

A failure may be the fault of what was delivered. Then each wait is followed by several probes with different single
statements: if one of them succeeds, the function works, and the cause lies in the others. So few good statements among
thousands of bad ones are found in seconds, and a function that fails at everything gets little to do.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapter.retries import busy_wait_s

PROBES = 32
"""Probes with single statements between two waits."""


class CircuitBreaker:
    """Shared by all deliveries to one function.

    While it is closed, deliveries run in parallel. A failure opens it: deliveries then run one at a time, each after
    the wait that the latest failure caused. The first success closes it.
    """

    def __init__(self, cap_s: float) -> None:
        """Create a closed circuit breaker.

        Args:
            cap_s: longest wait, unless the function asks for a longer one.
        """
        self._cap_s = cap_s
        self._probe = asyncio.Lock()
        self._failures = 0
        self._failed_at = 0.0
        self._open_until = 0.0
        self._may_be_content = False
        self._probes_left = 0

    @property
    def is_open(self) -> bool:
        """Whether a delivery has failed and none has succeeded since."""
        return self._failures > 0

    @property
    def wait_s(self) -> float:
        """Seconds until the next delivery may probe the function; 0 while the circuit breaker is closed."""
        return max(self._open_until - time.monotonic(), 0.0) if self.is_open else 0.0

    @property
    def wants_small_probe(self) -> bool:
        """Whether a delivery should be of a single statement: the latest failure may have been another's fault."""
        return self.is_open and self._may_be_content

    @asynccontextmanager
    async def delivery(self) -> AsyncIterator[float]:
        """Wait until a delivery is allowed, and deliver inside. Yields the time at which the delivery began."""
        if self.is_open:
            async with self._probe:
                while wait_s := self.wait_s:  # noqa: ASYNC110 - the wait may be prolonged in the meantime
                    await asyncio.sleep(wait_s)
                if self.is_open:
                    yield time.monotonic()
                    return
        yield time.monotonic()

    def record_failure(self, began: float, retry_after_s: float | None, *, may_be_content: bool = False) -> float:
        """Open the circuit breaker, or keep it open for longer.

        Args:
            began: when the failed delivery began. Deliveries that began before the latest failure say nothing new:
                four that fail together count as one failure.
            retry_after_s: the wait that the function asked for; None: 1, 2, 4 … seconds up to the cap.
            may_be_content: whether what was delivered may be the cause.

        Returns:
            Seconds to wait from now on.
        """
        if not self.is_open or began >= self._failed_at:
            if self.wants_small_probe and may_be_content and self._probes_left and retry_after_s is None:
                self._probes_left -= 1
                return self.wait_s
            self._failures += 1
            self._failed_at = time.monotonic()
            self._may_be_content = may_be_content
            self._probes_left = PROBES - 1
        wait_s = busy_wait_s(self._failures, self._cap_s) if retry_after_s is None else retry_after_s
        self._open_until = max(self._open_until, self._failed_at + wait_s)
        return self.wait_s

    def record_success(self) -> None:
        """Close the circuit breaker."""
        self._failures = 0
        self._open_until = 0.0
