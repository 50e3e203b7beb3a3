"""Idle entries of a stream: those whose wait is over, and those whose adapter is gone."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from adapter.redis import keys
from adapter.redis.streams import Entry, PendingEntry, Streams
from adapter.redis.waits import Waits
from adapter.retries import RetryPolicy


@dataclass(frozen=True, slots=True)
class Ownership:
    """Whose entries may be reclaimed."""

    own_id: str
    alive: frozenset[str]
    """Other adapters that are alive."""
    lease_s: float

    def required_wait_s(self, entry: PendingEntry, policy: RetryPolicy) -> float | None:
        """How long an entry must have been as it is until this adapter may claim it; None: as long as its owner lives.

        An entry of our own that is not being worked on here is one whose reading was cut off (the connection broke).
        """
        match entry.owner:
            case keys.WAITING:
                return policy.wait_s(entry.attempts)
            case keys.RETURNED:
                return 0.0
            case self.own_id:
                return self.lease_s
            case _:
                return None if entry.owner in self.alive else 0.0


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
        self._waits = Waits()
        self._forget_at = 0.0

    async def find(self, claimed: Collection[str]) -> list[PendingEntry]:
        """List the entries that may be reclaimed, oldest first.

        Args:
            claimed: ids of the entries this adapter works on.
        """
        own_id = self._streams.adapter_id
        counts = await self._streams.owners(self._stream)
        others = await self._streams.alive(counts.keys() - {own_id}, self._lease_s)
        watched: list[PendingEntry] = []
        for owner in counts.keys() - others:
            # our own are nearly always those that we work on: not worth a look
            if owner != own_id or counts[owner] > len(claimed):
                entries = await self._streams.pending(self._stream, owner)
                watched += [entry for entry in entries if entry.entry_id not in claimed]
        ownership = Ownership(own_id, others, self._lease_s)
        waited_s = self._waits.look(watched, time.monotonic())
        due = []
        for entry, entry_waited_s in zip(watched, waited_s, strict=True):
            required_s = ownership.required_wait_s(entry, self._policy)
            if required_s is not None and entry_waited_s >= required_s:
                due.append(entry)
        return sorted(due, key=_position)

    async def claim(self, due: Sequence[PendingEntry]) -> list[tuple[Entry, int]]:
        """Claim entries that `find` listed; see Streams.claim."""
        if not due:
            return []
        self._waits.forget(due)
        return await self._streams.claim(self._stream, due)

    async def remove_gone_consumers(self) -> None:
        """Remove adapters that are gone from the group, at most once per lease."""
        if time.monotonic() < self._forget_at:
            return
        self._forget_at = time.monotonic() + self._lease_s
        idle = await self._streams.idle_consumers(self._stream)
        for owner in set(idle) - await self._streams.alive(idle, self._lease_s):
            await self._streams.remove_consumer(self._stream, owner)


def _position(entry: PendingEntry) -> tuple[int, int]:
    """Where an entry is in its stream."""
    time_ms, _, number = entry.entry_id.partition("-")
    return int(time_ms), int(number)
