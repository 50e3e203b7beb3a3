"""How long to wait before the next attempt, and how many attempts there are. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long a step waits between attempts, and how many it has."""

    base_s: float
    """Wait after the first attempt."""
    factor: float
    cap_s: float
    limit: int
    """Total number of attempts."""

    def wait_s(self, attempts: int) -> float:
        """Seconds to wait after that many attempts; 0 before the first."""
        if attempts < 1:
            return 0.0
        # the exponent is bounded: 2.0 ** 2000 is an OverflowError, and the cap is reached long before
        return min(self.cap_s, self.base_s * self.factor ** min(attempts - 1, 64))

    def exhausted(self, attempts: int) -> bool:
        """Whether that was the last attempt."""
        return attempts >= self.limit


def busy_wait_s(times: int, cap_s: float) -> float:
    """Seconds to wait after that many «not now» answers in a row that named no time: 1, 2, 4 … up to the cap."""
    return float(min(cap_s, 2 ** min(times - 1, 32)))
