"""The messages that are still on one of Pod's lists: they are looked at, and stay there."""

from dataclasses import dataclass

from adapter.redis.connections import RedisClient

LONGEST_BYTES = 64 * 1024
"""Of a message that is read whole. Pod's have some kilobytes."""
_PEEK = """
-- Look at the oldest elements of a list (KEYS[1]): ARGV[1] of them, and ARGV[2] bytes of each, at most. Returns how
-- many there are, then for each its beginning and its length.
local found = { redis.call('LLEN', KEYS[1]) }
for i = 1, math.min(found[1], tonumber(ARGV[1])) do
  local raw = redis.call('LINDEX', KEYS[1], -i)
  found[i + 1] = { string.sub(raw, 1, ARGV[2]), #raw }
end
return found
"""


@dataclass(frozen=True, slots=True)
class WaitingMessages:
    """What is on a list."""

    total: int
    oldest: tuple[tuple[bytes, int], ...]
    """Each with its length in bytes; of one that is too long, only the beginning is here."""


class MessageReader:
    """Looks at one of Pod's lists."""

    def __init__(self, broker: RedisClient, queue: str) -> None:
        """Use a client that returns bytes."""
        self._peek = broker.register_script(_PEEK)
        self._queue = queue

    async def read(self, limit: int) -> WaitingMessages:
        """Look at the oldest messages, `limit` of them at most. Raises RedisError."""
        total, *rows = await self._peek(keys=[self._queue], args=[limit, LONGEST_BYTES])
        return WaitingMessages(int(total), tuple((raw, int(size)) for raw, size in rows))
