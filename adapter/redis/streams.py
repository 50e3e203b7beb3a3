"""Streams of work: reads, claims, renews and gives back the entries of the consumer group.

Every method takes the stream's key.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from redis.exceptions import ResponseError

from adapter.redis import keys
from adapter.redis.connections import RedisClient

Entry = tuple[str, dict[str, str]]
"""An entry's id and its fields."""

PAGE = 500
_FORGET = """
-- Remove a consumer from the group (ARGV[1]) of a stream (KEYS[1]), unless its heartbeat (KEYS[2]) shows that it lives.
-- A consumer with pending entries stays: they would be lost with it.
if KEYS[2] and redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) > 0 then return 0 end
redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
return 1
"""
RETURNED_IDLE_MS = 30 * 86_400_000
"""Idle time of an entry that is given back: longer than any wait, so that the next sweep reclaims it."""


@dataclass(frozen=True, slots=True)
class PendingEntry:
    """An entry that has been read from a stream and not acknowledged, as XPENDING shows it."""

    entry_id: str
    owner: str
    idle_s: float
    attempts: int


class Streams:
    """The streams, as one adapter sees them."""

    def __init__(self, redis: RedisClient, adapter_id: str) -> None:
        """Use a client that returns text; the adapter's id is its consumer name in every group."""
        self._redis = redis
        self.adapter_id = adapter_id
        self._forget = redis.register_script(_FORGET)

    async def ensure_group(self, stream: str) -> None:
        """Create the group, and with it the stream, if it is missing. It starts at 0, so nothing is skipped."""
        try:
            await self._redis.xgroup_create(stream, keys.GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    async def read(self, stream: str, count: int, wait_s: float = 0) -> list[Entry]:
        """Read up to `count` new entries, waiting up to `wait_s` seconds for the first one.

        Redis checks its blocked clients ten times a second, so short waits take longer than asked for.
        """
        # without a wait there must be no BLOCK: 0 would mean «forever»
        block_ms = max(1, int(wait_s * 1000)) if wait_s > 0 else None
        answer = await self._redis.xreadgroup(keys.GROUP, self.adapter_id, {stream: ">"}, count=count, block=block_ms)
        return [(entry_id, fields) for _stream, entries in answer or [] for entry_id, fields in entries]

    async def wait_for_entry(self, stream: str, after: str, wait_s: float) -> None:
        """Wait up to `wait_s` seconds until a stream has an entry after that one. Nobody owns it then."""
        await self._redis.xread({stream: after}, count=1, block=max(1, int(wait_s * 1000)))

    async def renew(self, stream: str, entry_ids: Sequence[str]) -> None:
        """Renew the claims on entries this adapter still works on."""
        for start in range(0, len(entry_ids), PAGE):
            page = list(entry_ids[start : start + PAGE])
            await self._redis.xclaim(stream, keys.GROUP, self.adapter_id, 0, page, idle=0, justid=True)

    async def resume(self, stream: str, entry_id: str, attempt: int) -> None:
        """Count the attempt that is about to start on an entry that was on hold."""
        await self._redis.xclaim(
            stream, keys.GROUP, self.adapter_id, 0, [entry_id], idle=0, retrycount=attempt, justid=True
        )

    async def pending(self, stream: str, min_idle_s: float = 0, owner: str | None = None) -> list[PendingEntry]:
        """List the entries that have been read and not acknowledged, oldest first."""
        found: list[PendingEntry] = []
        start = "-"
        while True:
            page = await self._redis.xpending_range(
                stream,
                keys.GROUP,
                min=start,
                max="+",
                count=PAGE,
                consumername=owner,
                idle=int(min_idle_s * 1000) or None,
            )
            found += [
                PendingEntry(
                    entry_id=row["message_id"],
                    owner=row["consumer"],
                    idle_s=row["time_since_delivered"] / 1000,
                    attempts=row["times_delivered"],
                )
                for row in page
            ]
            if len(page) < PAGE:
                return found
            start = f"({page[-1]['message_id']}"

    async def claim(self, stream: str, wanted: Iterable[tuple[PendingEntry, float]]) -> list[tuple[Entry, int]]:
        """Claim entries; each claim counts as a new attempt.

        Args:
            stream: its key.
            wanted: entries, and the idle time in seconds each must still have: only one of two adapters gets it.

        Returns:
            The entries this adapter owns now, each with the number of its attempt.
        """
        wanted = list(wanted)
        async with self._redis.pipeline(transaction=False) as pipeline:
            for pending, idle_s in wanted:
                pipeline.xclaim(stream, keys.GROUP, self.adapter_id, max(int(idle_s * 1000), 500), [pending.entry_id])
            answers = await pipeline.execute()
        return [
            (entry, pending.attempts + 1)
            for (pending, _), answer in zip(wanted, answers, strict=True)
            for entry in answer
        ]

    async def fields(self, stream: str, entry_id: str) -> dict[str, str] | None:
        """Look at an entry without claiming it; None if it is gone."""
        found = await self._redis.xrange(stream, min=entry_id, max=entry_id)
        return found[0][1] if found else None

    async def give_back(self, stream: str) -> int:
        """Release all of this adapter's entries for the next sweep of any adapter; their current attempts do not count.

        Returns:
            How many there were.
        """
        own = await self.pending(stream, owner=self.adapter_id)
        async with self._redis.pipeline(transaction=False) as pipeline:
            for pending in own:
                pipeline.xclaim(
                    stream,
                    keys.GROUP,
                    keys.WAITING,
                    0,
                    [pending.entry_id],
                    idle=RETURNED_IDLE_MS,
                    retrycount=max(pending.attempts - 1, 0),
                    justid=True,
                )
            await pipeline.execute()
        return len(own)

    async def alive(self, owners: Iterable[str]) -> frozenset[str]:
        """Which of these adapters have a heartbeat."""
        names = sorted(set(owners) - {keys.WAITING})
        if not names:
            return frozenset()
        heartbeats = await self._redis.mget([keys.heartbeat(name) for name in names])
        return frozenset(name for name, heartbeat in zip(names, heartbeats, strict=True) if heartbeat is not None)

    async def idle_consumers(self, stream: str) -> list[str]:
        """List the group's other consumers that own no entry."""
        consumers = await self._redis.xinfo_consumers(stream, keys.GROUP)
        others = {keys.WAITING, self.adapter_id}
        return [row["name"] for row in consumers if row["pending"] == 0 and row["name"] not in others]

    async def remove_consumer(self, stream: str, owner: str, *, even_alive: bool = False) -> None:
        """Remove an adapter without entries from the group: one that is gone, or this one when it stops."""
        involved = [stream] if even_alive else [stream, keys.heartbeat(owner)]
        await self._forget(keys=involved, args=[keys.GROUP, owner])

    async def counts(self, stream: str) -> tuple[int, int]:
        """Count a stream's entries: those not yet read, and those read and not acknowledged."""
        total = await self._redis.xlen(stream)
        pending = (await self._redis.xpending(stream, keys.GROUP))["pending"]
        return max(total - pending, 0), pending
