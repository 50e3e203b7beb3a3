"""How long entries have been as they are, measured by the observer's own monotonic clock. Pure.

Redis derives an entry's idle time from its wall clock. If that is set back by two hours, every entry shows an idle time
of 0 for two hours; if it is set forward, all waits are over at once. So what Redis says is believed only about the time
before an entry was first seen, and no more of it than the time since the look before.
"""

from collections.abc import Collection, Sequence

from adapter.redis.streams import PendingEntry


class Waits:
    """Watches the pending entries of one stream."""

    def __init__(self) -> None:
        """Begin without having seen any entry."""
        self._since_s: dict[PendingEntry, float] = {}
        self._looked_at_s: float | None = None

    def look(self, entries: Sequence[PendingEntry], now_s: float) -> list[float]:
        """Note which entries there are now; those that are not among them are forgotten.

        Args:
            entries: all of those that are watched.
            now_s: by the monotonic clock.

        Returns:
            For each entry the seconds for which its owner and its number of attempts have been the same.
        """
        unseen_s = None if self._looked_at_s is None else now_s - self._looked_at_s
        self._looked_at_s = now_s
        self._since_s = {
            entry: self._since_s.get(entry, now_s - _credit_s(entry.idle_s, unseen_s)) for entry in entries
        }
        return [now_s - self._since_s[entry] for entry in entries]

    def forget(self, entries: Collection[PendingEntry]) -> None:
        """Note that entries were claimed: if they wait again, even as they were, a new wait begins."""
        for entry in entries:
            self._since_s.pop(entry, None)


def _credit_s(idle_s: float, unseen_s: float | None) -> float:
    """What an entry has already waited when it is first seen: an adapter that starts does not begin all waits anew."""
    return idle_s if unseen_s is None else min(idle_s, unseen_s)
