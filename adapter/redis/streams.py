"""Streams of work: reads, claims and gives back the entries of the consumer group.

Every method takes the stream's key.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from redis.exceptions import RedisError, ResponseError

from adapter.liveness import Liveness
from adapter.redis import keys
from adapter.redis.connections import RedisClient

Entry = tuple[str, dict[str, str]]
"""An entry's id and its fields."""

PAGE = 500
_FORGET = """
-- Remove a consumer (ARGV[2]) from the group (ARGV[1]) of a stream (KEYS[1]).
-- A consumer with pending entries stays: they would be lost with it.
if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) > 0 then return 0 end
redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
return 1
"""
_CLAIM = """
-- Claim entries of the group (ARGV[1]) of a stream (KEYS[1]) for a consumer (ARGV[2]). For each entry follow its id,
-- the owner and the number of attempts it must still have, and the number of the attempt that begins.
local claimed = {}
for i = 3, #ARGV, 4 do
  local id, owner, attempts, attempt = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3])
  local found = redis.call('XPENDING', KEYS[1], ARGV[1], id, id, 1)[1]
  if found and found[2] == owner and found[4] == attempts then
    local entry = redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, id, 'RETRYCOUNT', attempt)[1]
    if entry then claimed[#claimed + 1] = { entry[1], entry[2], attempt } end
  end
end
return claimed
"""


@dataclass(frozen=True, slots=True)
class PendingEntry:
    """An entry that has been read from a stream and not acknowledged, as XPENDING shows it."""

    entry_id: str
    owner: str
    attempts: int
    idle_s: float = field(compare=False)
    """By the server's wall clock: see waits.py."""


class Streams:
    """The streams, as one adapter sees them."""

    def __init__(self, redis: RedisClient, adapter_id: str) -> None:
        """Use a client that returns text; the adapter's id is its consumer name in every group."""
        self._redis = redis
        self.adapter_id = adapter_id
        self._forget = redis.register_script(_FORGET)
        self._claim = redis.register_script(_CLAIM)
        self._liveness = Liveness()

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

    async def resume(self, stream: str, entry_id: str, attempt: int) -> None:
        """Count the attempt that is about to start on an entry that was on hold, if it is still there."""
        try:
            await self._redis.xclaim(
                stream, keys.GROUP, self.adapter_id, 0, [entry_id], idle=0, retrycount=attempt, justid=True
            )
        except ResponseError as error:
            if not str(error).startswith("NOGROUP"):  # Redis was emptied: there is nothing to count
                raise

    async def owners(self, stream: str) -> dict[str, int]:
        """Count the entries that have been read and not acknowledged, by their owners."""
        summary = await self._redis.xpending(stream, keys.GROUP)
        return {row["name"]: int(row["pending"]) for row in summary["consumers"]}

    async def pending(self, stream: str, owner: str | None = None) -> list[PendingEntry]:
        """List the entries that have been read and not acknowledged, oldest first."""
        found: list[PendingEntry] = []
        start = "-"
        while True:
            page = await self._redis.xpending_range(
                stream, keys.GROUP, min=start, max="+", count=PAGE, consumername=owner
            )
            found += [
                PendingEntry(
                    entry_id=row["message_id"],
                    owner=row["consumer"],
                    attempts=row["times_delivered"],
                    idle_s=row["time_since_delivered"] / 1000,
                )
                for row in page
            ]
            if len(page) < PAGE:
                return found
            start = f"({page[-1]['message_id']}"

    def next_attempt(self, entry: PendingEntry) -> int:
        """The number of the attempt that begins when this adapter claims an entry.

        An entry it owns already is one whose reading was cut off: that attempt has not begun yet.
        """
        return entry.attempts if entry.owner == self.adapter_id else entry.attempts + 1

    async def claim(self, stream: str, wanted: Iterable[PendingEntry]) -> list[tuple[Entry, int]]:
        """Claim entries, each for its next attempt.

        Args:
            stream: its key.
            wanted: entries as they were seen: one that has changed since is not claimed, so that only one of two
                adapters gets it.

        Returns:
            The entries this adapter owns now, each with the number of its attempt.
        """
        seen = [(entry.entry_id, entry.owner, entry.attempts, self.next_attempt(entry)) for entry in wanted]
        arguments = [keys.GROUP, self.adapter_id, *(part for one in seen for part in one)]
        answer = await self._claim(keys=[stream], args=arguments)
        return [
            ((entry_id, dict(zip(flat[::2], flat[1::2], strict=True))), attempt) for entry_id, flat, attempt in answer
        ]

    async def fields(self, stream: str, entry_id: str) -> dict[str, str] | None:
        """Look at an entry without claiming it; None if it is gone."""
        found = await self._redis.xrange(stream, min=entry_id, max=entry_id)
        return found[0][1] if found else None

    async def park(self, stream: str, entry_ids: Sequence[str]) -> None:
        """Leave entries of this adapter to the sweep of any adapter, once their wait is over; their attempts count."""
        await self._redis.xclaim(stream, keys.GROUP, keys.WAITING, 0, list(entry_ids), idle=0, justid=True)

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
                    keys.RETURNED,
                    0,
                    [pending.entry_id],
                    retrycount=max(pending.attempts - 1, 0),
                    justid=True,
                )
            await pipeline.execute()
        return len(own)

    async def alive(self, owners: Iterable[str], lease_s: float) -> frozenset[str]:
        """Which of these adapters are alive: see Liveness.

        Args:
            owners: adapters, perhaps among those who are none.
            lease_s: seconds of silence after which an adapter is gone.
        """
        names = sorted(set(owners) - keys.NOBODY)
        if not names:
            return frozenset()
        try:
            beats = await self._redis.mget([keys.heartbeat(name) for name in names])
        except RedisError:
            self.forget_silence()
            raise
        return self._liveness.look(dict(zip(names, beats, strict=True)), time.monotonic(), lease_s)

    def forget_silence(self) -> None:
        """Begin to watch all adapters anew: Redis was away, so nobody could beat."""
        self._liveness.forget()

    async def idle_consumers(self, stream: str) -> list[str]:
        """List the group's other consumers that own no entry."""
        consumers = await self._redis.xinfo_consumers(stream, keys.GROUP)
        others = keys.NOBODY | {self.adapter_id}
        return [row["name"] for row in consumers if row["pending"] == 0 and row["name"] not in others]

    async def remove_consumer(self, stream: str, owner: str) -> None:
        """Remove an adapter without entries from the group. If it lives after all, its next read brings it back."""
        await self._forget(keys=[stream], args=[keys.GROUP, owner])

    async def counts(self, stream: str) -> tuple[int, int]:
        """Count a stream's entries: those not yet read, and those read and not acknowledged."""
        total = await self._redis.xlen(stream)
        pending = (await self._redis.xpending(stream, keys.GROUP))["pending"]
        return max(total - pending, 0), pending
