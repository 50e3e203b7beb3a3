"""How much more the doors may take in: what is held in Redis is bounded, and the rest stays on Pod's queues."""

from dataclasses import dataclass

from adapter.redis.memory import KeyMemory


@dataclass(frozen=True, slots=True)
class Room:
    """What a door may take in now."""

    messages: int
    obstacle: str = ""
    """Why it may take in nothing, and what to do about it; empty: it may."""


class DeadBound:
    """The bound of the dead letters: none is dropped before its time, so at the bound the doors stop reading."""

    def __init__(self, dead: KeyMemory, limit_bytes: int) -> None:
        """Watch the stream of dead letters; `limit_bytes` is the memory at which the doors stop."""
        self._dead = dead
        self._limit_bytes = limit_bytes

    async def obstacle(self) -> str:
        """Why nothing may be taken in; empty: it may. Raises RedisError."""
        size_bytes = await self._dead.size_bytes()
        if size_bytes < self._limit_bytes:
            return ""
        return (
            f"The dead letters take {size_bytes} bytes in Redis, the limit is {self._limit_bytes}: messages stay on "
            "Pod's queues. See `dead list`, then replay or drop dead letters, or raise PODJOBS_DEAD_LIMIT_BYTES."
        )
