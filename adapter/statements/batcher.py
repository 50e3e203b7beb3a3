"""Reads statements from the stream and gathers them into batches, limited in number, size and waiting time."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence

import structlog
from pydantic_core import from_json

from adapter.redis import keys
from adapter.redis.idle_entries import IdleEntries
from adapter.redis.streams import Entry, Streams
from adapter.settings import BatchLimits
from adapter.statements.store import StatementStore
from podjobs.contract.errors import Problem
from podjobs.contract.statements import StatementEntry

logger = structlog.get_logger(__name__)

PAGE = 100
"""Entries read at once. What exceeds a batch waits in memory for the next one, so this must be small."""
GATHER_S = 0.05
"""Wait between two reads that found little, so that statements trickling in are not read one by one."""
SEARCH_SHARE = 20
"""Searches for entries to reclaim take no more than this fraction of the time."""
ENVELOPE_BYTES = 64
"""What an entry adds to the size of its statement in a batch."""


class StatementBatcher:
    """Gathers the batches of one adapter."""

    def __init__(
        self, streams: Streams, statements: StatementStore, idle: IdleEntries, limits: BatchLimits, sweep_s: float
    ) -> None:
        """Create a batcher.

        Args:
            streams: this adapter's streams.
            statements: the store, which dead-letters entries that are not statements.
            idle: finds the entries of adapters that are gone.
            limits: of a batch.
            sweep_s: seconds between two searches for those entries.
        """
        self._streams = streams
        self._statements = statements
        self._idle = idle
        self.limits = limits
        self._sweep_s = sweep_s
        self._reclaim_at = 0.0
        self._next: deque[tuple[StatementEntry, int]] = deque()
        self._claimed: dict[str, int] = {}
        """Sizes in bytes of the entries that were read and not settled, by their ids."""
        self._claimed_bytes = 0
        self._is_new_entries_turn = False

    @property
    def claimed(self) -> tuple[str, ...]:
        """Ids of the entries that were read and not settled."""
        return tuple(self._claimed)

    @property
    def claimed_bytes(self) -> int:
        """How long they are altogether, as JSON."""
        return self._claimed_bytes

    def forget(self, entry_ids: frozenset[str]) -> None:
        """Note that entries are settled, so that they have left the stream, or that they wait there."""
        self._claimed_bytes -= sum(self._claimed.pop(entry_id, 0) for entry_id in entry_ids)

    async def next_batch(self) -> tuple[StatementEntry, ...]:
        """Gather the next batch; waits for its first statement.

        Raises:
            RedisError: what has been read is kept for the next call.
        """
        until: float | None = None
        while True:
            if self._next and until is None:
                until = time.monotonic() + self.limits.wait_s
            left_s = None if until is None else until - time.monotonic()
            if self._is_complete() or (left_s is not None and left_s <= 0):
                return self._cut()
            found = await self._take(left_s)
            if until is not None and found < PAGE:
                await asyncio.sleep(max(min(GATHER_S, until - time.monotonic()), 0))

    def _is_complete(self) -> bool:
        enough = len(self._next) >= self.limits.statements
        return enough or sum(size for _, size in self._next) >= self.limits.size_bytes

    def _cut(self) -> tuple[StatementEntry, ...]:
        """Take a batch from what has been read. A single statement is a batch, however long it is."""
        batch: list[StatementEntry] = []
        total_bytes = 0
        while self._next and len(batch) < self.limits.statements:
            entry, size_bytes = self._next[0]
            if batch and total_bytes + size_bytes > self.limits.size_bytes:
                break
            self._next.popleft()
            batch.append(entry)
            total_bytes += size_bytes
        return tuple(batch)

    async def _take(self, left_s: float | None) -> int:
        """Claim entries whose adapters are gone, or read new ones, waiting for them for no longer than `left_s`."""
        now = time.monotonic()
        if now >= self._reclaim_at and not self._is_new_entries_turn:
            entries = await self._reclaim(now)
        else:
            self._is_new_entries_turn = False
            until_reclaim_s = max(self._reclaim_at - now, 0.0)
            wait_s = until_reclaim_s if left_s is None else min(until_reclaim_s, left_s)
            entries = await self._streams.read(keys.STATEMENTS, PAGE, wait_s)
        await self._add(entries)
        return len(entries)

    async def _reclaim(self, now: float) -> list[Entry]:
        idle = (await self._idle.find(self._claimed))[:PAGE]
        entries = [entry for entry, _ in await self._idle.claim(idle)]
        await self._idle.remove_gone_consumers()
        await self._statements.sweep()
        took_s = time.monotonic() - now
        # there may be many that are not to be reclaimed yet: the search must not take all the time
        self._reclaim_at = now if len(idle) == PAGE else now + max(self._sweep_s, SEARCH_SHARE * took_s)
        self._is_new_entries_turn = len(idle) == PAGE  # however many there are, new ones come in between
        return entries

    async def _add(self, entries: Sequence[Entry]) -> None:
        not_statements = []
        for entry_id, fields in entries:
            text = fields.get("statement", "")
            try:
                entry = StatementEntry(entry_id=entry_id, statement=from_json(text))
            except ValueError as error:
                detail = f"The entry {entry_id} of the stream {keys.STATEMENTS} is not a statement: {error}"
                problem = Problem(title="The entry is not a statement.", status=400, detail=detail)
                not_statements.append((entry_id, problem))
                continue
            size_bytes = len(text.encode()) + ENVELOPE_BYTES
            self._claimed_bytes += size_bytes - self._claimed.get(entry_id, 0)
            self._claimed[entry_id] = size_bytes
            self._next.append((entry, size_bytes))
        if not_statements:
            logger.error("Entries that are not statements have become dead letters.", count=len(not_statements))
            await self._statements.settle((), not_statements)
