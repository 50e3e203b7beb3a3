"""Which adapters are alive, judged by how long the observer has seen no beat: by its own monotonic clock. Pure.

Expiries in Redis and the idle times it reports follow the server's wall clock, which may be set back or forward. So the
value of a heartbeat changes with every beat, and whoever wants to know whether an adapter lives has to watch it for a
while. Nobody has to agree with anybody else: two adapters that both believe a third one gone cannot claim the same
entry twice (Streams.claim).
"""

from collections.abc import Mapping
from dataclasses import dataclass

COUNTED_LEASES = 1 / 4
"""Longest silence between two looks that counts, in leases. What is longer says more about the observer than about the
others: it was stopped, or Redis was, for all of them. An adapter that lives has been silent for no more than 1/3 before
such a pause and 1/3 after it, so it is not believed gone."""
CONSTANT_BEAT = ""
"""The heartbeat of an older version does not change; its key expires when the adapter is gone."""
FORGOTTEN_LEASES = 20
"""After so many leases in which nobody asked about an adapter, it is forgotten."""


@dataclass(frozen=True, slots=True)
class _Sighting:
    """What was seen of an adapter."""

    beat: str | None
    """Its latest beat; None: it has not been seen to beat."""
    silent_s: float
    """How long it has been watched without a new beat."""
    at_s: float
    """Of the latest look, by the monotonic clock."""


class Liveness:
    """Watches the heartbeats of other adapters."""

    def __init__(self) -> None:
        """Begin without having seen anybody."""
        self._seen: dict[str, _Sighting] = {}

    def look(self, beats: Mapping[str, str | None], now_s: float, lease_s: float) -> frozenset[str]:
        """Note what the heartbeats are now.

        Args:
            beats: each adapter's current heartbeat; None: it has none. That alone proves nothing: a clock that was
                set forward lets all heartbeats expire at once.
            now_s: by the monotonic clock.
            lease_s: seconds of silence after which an adapter is gone.

        Returns:
            The adapters that are alive, as far as is known: at first sight, everyone is.
        """
        for name, beat in beats.items():
            self._seen[name] = self._next_sighting(self._seen.get(name), beat, now_s, lease_s)
        oldest_s = now_s - FORGOTTEN_LEASES * lease_s
        self._seen = {name: sighting for name, sighting in self._seen.items() if sighting.at_s >= oldest_s}
        return frozenset(name for name in beats if self._seen[name].silent_s < lease_s)

    def forget(self) -> None:
        """Begin anew: Redis was away, so nobody could beat."""
        self._seen.clear()

    @staticmethod
    def _next_sighting(latest: _Sighting | None, beat: str | None, now_s: float, lease_s: float) -> _Sighting:
        if latest is None or beat == CONSTANT_BEAT or beat not in {None, latest.beat}:
            return _Sighting(beat, 0.0, now_s)
        counted_s = min(now_s - latest.at_s, COUNTED_LEASES * lease_s)
        return _Sighting(latest.beat, latest.silent_s + counted_s, now_s)
