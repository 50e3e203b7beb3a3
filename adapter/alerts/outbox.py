"""What is to be told, kept in Redis until a mail with it was taken by the mail server.

All adapters put in what they see; one of them, who has the lock, sends. A mail that was taken while its sender was
killed is sent once more; none is lost. Conditions, which last, are told once when they begin and once when they end.
"""

import json
import time
from dataclasses import dataclass
from typing import Any

from adapter.alerts.occurrences import Kind, Occurrence
from adapter.redis import keys
from adapter.redis.connections import RedisClient

KEPT = 5000
"""Occurrences that wait to be sent; of more, the oldest are dropped."""
LOCK_S = 90
FIRST_WINDOW_S, LONGEST_WINDOW_S = 900.0, 4 * 3600.0
"""After a mail, further occurrences of its kind wait for so long, then twice as long, …, and come in one mail."""

_PUT = """
-- Keep an occurrence (ARGV[3], a JSON text), unless it is of a condition (ARGV[1], may be empty) that is known already.
-- ARGV[2]: how many are kept. KEYS: the conditions, the occurrences.
if ARGV[1] ~= '' and redis.call('ZADD', KEYS[1], redis.call('TIME')[1], ARGV[1]) == 0 then return 0 end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], '*', 'occurrence', ARGV[3])
return 1
"""
_END = """
-- A condition (ARGV[1]) is over: keep that (ARGV[3]) if it was known.
if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], '*', 'occurrence', ARGV[3])
return 1
"""
_LOCK = """
-- Take the lock (KEYS[1]) for ARGV[2] milliseconds, or keep it, for ARGV[1]; 0: another has it.
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""


@dataclass(frozen=True, slots=True)
class Bundle:
    """What one mail tells: occurrences of one kind, oldest first."""

    kind: str
    entry_ids: list[str]
    occurrences: list[Occurrence]


class Outbox:
    """The occurrences that are to be sent. All methods raise RedisError."""

    def __init__(self, redis: RedisClient, adapter_id: str) -> None:
        """Use a client of the jobs' database that returns text."""
        self._redis = redis
        self._adapter_id = adapter_id
        self._put = redis.register_script(_PUT)
        self._end = redis.register_script(_END)
        self._lock = redis.register_script(_LOCK)

    async def put(self, occurrence: Occurrence, condition: str = "") -> bool:
        """Keep an occurrence. False: its condition was told before and is not over.

        Args:
            occurrence: what has happened.
            condition: a name for what lasts; empty: it is an event.
        """
        arguments = [condition, KEPT, occurrence.as_text()]
        return bool(await self._put(keys=[keys.LASTING, keys.OCCURRENCES], args=arguments))

    async def end(self, condition: str, occurrence: Occurrence) -> bool:
        """Note that a condition is over. False: it was not told."""
        arguments = [condition, KEPT, occurrence.as_text()]
        return bool(await self._end(keys=[keys.LASTING, keys.OCCURRENCES], args=arguments))

    async def conditions(self) -> dict[str, float]:
        """The conditions that last, each with the seconds since any adapter has seen it."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.time()
            pipeline.zrange(keys.LASTING, 0, -1, withscores=True)
            (now_s, _), rows = await pipeline.execute()
        return {name: max(0.0, now_s - seen_at_s) for name, seen_at_s in rows}

    async def may_send(self) -> bool:
        """Whether this adapter is the one that sends, for LOCK_S from now on."""
        return bool(await self._lock(keys=[keys.MAIL_SENDER], args=[self._adapter_id, LOCK_S * 1000]))

    async def due(self) -> list[Bundle]:
        """What is to be sent now. What only another version can tell is left to its adapters."""
        waiting: dict[str, Bundle] = {}
        for entry_id, fields in await self._redis.xrange(keys.OCCURRENCES):
            try:
                occurrence = Occurrence.of_text(fields["occurrence"])
            except (ValueError, TypeError, KeyError):
                await self._redis.xdel(keys.OCCURRENCES, entry_id)
                continue
            if occurrence.kind not in set(Kind):
                continue
            bundle = waiting.setdefault(occurrence.kind, Bundle(occurrence.kind, [], []))
            bundle.entry_ids.append(entry_id)
            bundle.occurrences.append(occurrence)
        windows = await self._windows()
        now_s = time.time()
        return [one for one in waiting.values() if windows.get(one.kind, (0.0, 0.0))[0] <= now_s]

    async def sent(self, bundle: Bundle) -> None:
        """A mail server has taken a mail: forget what it told, and let what follows wait."""
        until_s, window_s = (await self._windows()).get(bundle.kind, (0.0, 0.0))
        now_s = time.time()
        is_calm = now_s - until_s > window_s or not window_s
        next_s = FIRST_WINDOW_S if is_calm else min(LONGEST_WINDOW_S, window_s * 2)
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.xdel(keys.OCCURRENCES, *bundle.entry_ids)
            pipeline.hset(keys.MAIL_WINDOWS, bundle.kind, json.dumps([now_s + next_s, next_s]))
            await pipeline.execute()

    async def _windows(self) -> dict[str, tuple[float, float]]:
        """For each kind until when nothing is sent, in seconds since the epoch, and how long that is."""
        found: dict[str, Any] = await self._redis.hgetall(keys.MAIL_WINDOWS)
        return {kind: tuple(json.loads(text)) for kind, text in found.items()}
