"""When a step is tried again, and by whom. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long a step waits between its attempts, and how many it has."""

    base_s: float
    """Wait after the first attempt."""
    factor: float
    cap_s: float
    limit: int
    """Attempts in all."""

    def wait_s(self, attempts: int) -> float:
        """Seconds to wait after that many attempts; none before the first."""
        if attempts < 1:
            return 0.0
        # the exponent is bounded: 2.0 ** 2000 is an OverflowError, and the cap is reached long before
        return min(self.cap_s, self.base_s * self.factor ** min(attempts - 1, 64))

    def exhausted(self, attempts: int) -> bool:
        """Tell whether that was the last attempt."""
        return attempts >= self.limit


@dataclass(frozen=True, slots=True)
class PendingStep:
    """An entry that was read from a stream and is not committed yet, as XPENDING shows it."""

    entry_id: str
    owner: str
    idle_s: float
    attempts: int


@dataclass(frozen=True, slots=True)
class Ownership:
    """Whose entries may be taken."""

    own_id: str
    waiting_id: str
    """The name under which entries wait for their next attempt: nobody works on them."""
    alive: frozenset[str]
    """Adapters that show signs of life."""
    lease_s: float

    def required_idle_s(self, step: PendingStep, policy: RetryPolicy) -> float | None:
        """Idle time from which on this adapter may take the entry; None while it belongs to another that lives.

        An entry of our own that is not in flight here is one whose reading was cut off (the connection broke).
        """
        if step.owner == self.waiting_id:
            return policy.wait_s(step.attempts)
        if step.owner == self.own_id or step.owner not in self.alive:
            return self.lease_s
        return None


def busy_wait_s(times: int, cap_s: float) -> float:
    """Seconds to wait after that many «not now» answers in a row that named no time: 1, 2, 4 … up to the cap."""
    return float(min(cap_s, 2 ** min(times - 1, 32)))
