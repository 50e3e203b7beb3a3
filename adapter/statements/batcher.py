"""Statements taken from the stream and gathered into batches: so many, so long, or after so long a time."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence

import structlog
from pydantic_core import from_json

from adapter.redis import keys
from adapter.redis.streams import Entry, Streams
from adapter.settings import BatchLimits
from adapter.statements.store import Statements
from adapter.steps.reclaim import DueEntries
from podjobs.contract.errors import Problem
from podjobs.contract.statements import StatementEntry

logger = structlog.get_logger(__name__)

PAGE = 100
"""Entries read at once: what is read beyond a batch waits here for the next one, so it must not be much."""
GATHER_S = 0.05
"""Pause between two reads that found little, so that statements that trickle in are not read one by one."""
ENVELOPE_BYTES = 64
"""What an entry adds to its statement in a batch."""


class Collector:
    """Gathers the batches of one adapter."""

    def __init__(
        self, streams: Streams, statements: Statements, due: DueEntries, limits: BatchLimits, sweep_s: float
    ) -> None:
        """Prepare.

        Args:
            streams: of this adapter.
            statements: where an entry that is no statement is put aside.
            due: finds the entries of adapters that are gone.
            limits: of a batch.
            sweep_s: seconds between two looks at those.
        """
        self._streams = streams
        self._statements = statements
        self._due = due
        self._limits = limits
        self._sweep_s = sweep_s
        self._look_at = 0.0
        self._next: deque[tuple[StatementEntry, int]] = deque()
        self._claimed: set[str] = set()

    @property
    def claimed(self) -> tuple[str, ...]:
        """Ids of the entries that were taken and not let go: their claims are renewed."""
        return tuple(self._claimed)

    def let_go(self, entry_ids: frozenset[str]) -> None:
        """Note that entries are off the stream."""
        self._claimed -= entry_ids

    def look_later(self, wait_s: float) -> None:
        """Leave what others have alone for a while: Redis was away, and they could show no sign of life."""
        self._look_at = time.monotonic() + wait_s

    async def collect(self) -> tuple[StatementEntry, ...]:
        """Gather the next batch; waits for its first statement.

        Raises:
            RedisError: what was taken is kept for the next call.
        """
        until: float | None = None
        while True:
            if self._next and until is None:
                until = time.monotonic() + self._limits.wait_s
            left_s = None if until is None else until - time.monotonic()
            if self._is_complete() or (left_s is not None and left_s <= 0):
                return self._cut()
            found = await self._take(left_s)
            if until is not None and found < PAGE:
                await asyncio.sleep(max(min(GATHER_S, until - time.monotonic()), 0))

    def _is_complete(self) -> bool:
        enough = len(self._next) >= self._limits.statements
        return enough or sum(size for _, size in self._next) >= self._limits.size_bytes

    def _cut(self) -> tuple[StatementEntry, ...]:
        """Take a batch off what was read. One statement is a batch, however long it is."""
        batch: list[StatementEntry] = []
        total_bytes = 0
        while self._next and len(batch) < self._limits.statements:
            entry, size_bytes = self._next[0]
            if batch and total_bytes + size_bytes > self._limits.size_bytes:
                break
            self._next.popleft()
            batch.append(entry)
            total_bytes += size_bytes
        return tuple(batch)

    async def _take(self, left_s: float | None) -> int:
        """Take entries whose adapters are gone, or new ones; wait for them, but not longer than that."""
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + self._sweep_s
            due = (await self._due.find(self._claimed))[:PAGE]
            entries = [entry for entry, _ in await self._streams.claim(keys.STATEMENTS, due)] if due else []
            await self._due.tidy()
            if len(due) == PAGE:
                self._look_at = now  # there are more
        else:
            wait_s = self._look_at - now if left_s is None else min(self._look_at - now, left_s)
            entries = await self._streams.read(keys.STATEMENTS, PAGE, wait_s)
        await self._add(entries)
        return len(entries)

    async def _add(self, entries: Sequence[Entry]) -> None:
        unusable = []
        for entry_id, fields in entries:
            text = fields.get("statement", "")
            try:
                entry = StatementEntry(entry_id=entry_id, statement=from_json(text))
            except ValueError as error:
                detail = f"The entry {entry_id} of the stream {keys.STATEMENTS} is no statement: {error}"
                unusable.append((entry_id, Problem(title="The entry is no statement.", status=400, detail=detail)))
                continue
            self._claimed.add(entry_id)
            self._next.append((entry, len(text.encode()) + ENVELOPE_BYTES))
        if unusable:
            logger.error("Entries that are no statements are put aside.", count=len(unusable))
            await self._statements.settle((), unusable)
