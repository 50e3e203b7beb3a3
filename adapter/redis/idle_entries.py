"""Idle entries of a stream: those whose wait is over, and those whose adapter is gone."""

import time
from collections.abc import Container
from dataclasses import dataclass

from adapter.redis import keys
from adapter.redis.streams import PendingEntry, Streams
from adapter.retries import RetryPolicy


@dataclass(frozen=True, slots=True)
class Ownership:
    """Whose entries may be reclaimed."""

    own_id: str
    waiting_id: str
    """The owner of entries that wait for their next attempt: nobody works on them."""
    alive: frozenset[str]
    """Adapters that have a heartbeat."""
    lease_s: float

    def required_idle_s(self, entry: PendingEntry, policy: RetryPolicy) -> float | None:
        """Idle time after which this adapter may claim the entry; None while it belongs to another live adapter.

        An entry of our own that is not being worked on here is one whose read was cut off (the connection broke).
        """
        if entry.owner == self.waiting_id:
            return policy.wait_s(entry.attempts)
        if entry.owner == self.own_id or entry.owner not in self.alive:
            return self.lease_s
        return None


class IdleEntries:
    """Finds the entries of one stream that may be reclaimed."""

    def __init__(self, stream: str, streams: Streams, policy: RetryPolicy, lease_s: float) -> None:
        """Watch one stream.

        Args:
            stream: its key.
            streams: this adapter's streams.
            policy: how long an entry waits between two attempts.
            lease_s: seconds without a heartbeat after which an adapter's entries may be reclaimed.
        """
        self._stream = stream
        self._streams = streams
        self._policy = policy
        self._lease_s = lease_s
        self._forget_at = 0.0

    async def find(self, claimed: Container[str]) -> list[tuple[PendingEntry, float]]:
        """List the entries that may be reclaimed, oldest first.

        Args:
            claimed: ids of the entries this adapter works on.

        Returns:
            Entries, and the idle time in seconds each must still have when it is claimed.
        """
        shortest_s = min(self._policy.base_s, self._lease_s)
        others = [
            entry for entry in await self._streams.pending(self._stream, shortest_s) if entry.entry_id not in claimed
        ]
        alive = await self._streams.alive([entry.owner for entry in others])
        ownership = Ownership(self._streams.adapter_id, keys.WAITING, alive, self._lease_s)
        wanted = [(entry, ownership.required_idle_s(entry, self._policy)) for entry in others]
        return [
            (entry, required_s) for entry, required_s in wanted if required_s is not None and entry.idle_s >= required_s
        ]

    async def remove_gone_consumers(self) -> None:
        """Remove adapters that are gone from the group, at most once per lease."""
        if time.monotonic() < self._forget_at:
            return
        self._forget_at = time.monotonic() + self._lease_s
        for owner in await self._streams.idle_consumers(self._stream):
            await self._streams.remove_consumer(self._stream, owner)
