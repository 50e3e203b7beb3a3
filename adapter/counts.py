"""What this process counts where it happens, for /metrics: a place to add to that needs no other library."""

from collections import Counter
from collections.abc import Mapping


class Count:
    """A number for each combination of its labels, since the process began."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._numbers: Counter[tuple[str, ...]] = Counter()

    def add(self, *labels: str, number: float = 1) -> None:
        """Add to one of the numbers.

        Args:
            labels: its labels, in the order of the metric. Names of parts and queues, never of jobs: each combination
                is kept for as long as the process lives.
            number: how much.
        """
        self._numbers[labels] += number  # type: ignore[assignment]  # seconds and bytes are counted, too

    @property
    def numbers(self) -> Mapping[tuple[str, ...], float]:
        """The numbers by their labels."""
        return self._numbers


REDIS_ERRORS = Count()
"""Commands that Redis did not accept, by the part of the adapter that gave them: one of PARTS."""
PARTS = ("door", "heartbeat", "retry", "rq", "statements", "steps")
"""`retry`: what must be stored, and is repeated until it is."""
MESSAGES = Count()
"""Messages of Pod's queues, by queue and what became of them: one of OUTCOMES."""
OUTCOMES = ("stored", "refused", "left")
"""`refused`: as dead letters; `left`: to Pod's own workers."""
STATEMENTS = Count()
"""xAPI statements that were settled: `accepted` by the LRS, or `refused` (dead letters)."""
