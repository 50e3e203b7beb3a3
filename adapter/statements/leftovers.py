"""What is left of batches and must be delivered again, in two queues: what may succeed, and suspects.

What may succeed is delivered first in, first out. Suspects, single statements that have failed alone, wait for longer
after each failure, each for itself.
"""

import heapq
import itertools
import time
from collections import deque
from collections.abc import Iterable

from adapter.retries import busy_wait_s
from adapter.statements.bisection import SubBatch

SUSPECT_TURN = 4


class Leftovers:
    """The leftovers of one adapter."""

    def __init__(self, cap_s: float) -> None:
        """Create empty queues; `cap_s` is a suspect's longest wait."""
        self._cap_s = cap_s
        self._ready: deque[SubBatch] = deque()
        self._suspects: list[tuple[float, int, SubBatch]] = []
        self._numbers = itertools.count()
        self._turns = 0

    @property
    def statements(self) -> int:
        """How many may succeed."""
        return sum(len(one.entries) for one in self._ready)

    @property
    def suspects(self) -> int:
        """How many suspects there are."""
        return len(self._suspects)

    @property
    def sub_batches(self) -> int:
        """How many sub-batches there are of both kinds."""
        return len(self._ready) + len(self._suspects)

    def put(self, left: Iterable[SubBatch]) -> None:
        """Add what is left of a sub-batch."""
        for one in left:
            if one.is_suspect:
                due_at = time.monotonic() + busy_wait_s(one.failures, self._cap_s)
                heapq.heappush(self._suspects, (due_at, next(self._numbers), one))
            else:
                self._ready.append(one)

    def next_s(self, *, with_suspects: bool = True) -> float | None:
        """Seconds until something can be taken; None: nothing will be without a `put`."""
        if self._ready:
            return 0.0
        if not self._suspects or not with_suspects:
            return None
        return max(self._suspects[0][0] - time.monotonic(), 0.0)

    def take(self, *, with_suspects: bool = True) -> SubBatch | None:
        """Take what is to be delivered next; while there are both kinds, a suspect at every fourth turn.

        Args:
            with_suspects: whether a suspect may be taken.
        """
        is_due = with_suspects and bool(self._suspects) and self._suspects[0][0] <= time.monotonic()
        self._turns += 1
        if is_due and (self._turns % SUSPECT_TURN == 0 or not self._ready):
            return heapq.heappop(self._suspects)[2]
        return self._ready.popleft() if self._ready else None

    def drop_suspect(self) -> SubBatch | None:
        """Take the suspect that has failed least often while others succeeded; None: there is none."""
        if not self._suspects:
            return None
        least = min(range(len(self._suspects)), key=lambda place: self._suspects[place][2].alone_failures)
        dropped = self._suspects.pop(least)[2]
        heapq.heapify(self._suspects)
        return dropped
