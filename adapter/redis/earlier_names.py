"""What an earlier version has stored under other names: it is given those of this version when an adapter starts.

Until November 2026 the keys of the jobs' database began with `podjobs:`, as those of the brokers' databases still do,
which are often in the same database. One script renames all of them, so that a crash leaves either all the old names or
all the new ones, and a second adapter that starts at the same time finds nothing to do. A stream keeps its groups, and
what is pending in them, under its new name.

It waits until no adapter of an earlier version beats any more: one would go on writing under the old names.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import structlog

from adapter.liveness import Liveness
from adapter.redis import keys
from adapter.redis.connections import RedisClient

logger = structlog.get_logger(__name__)

_SCRIPT = Path(__file__).with_suffix(".lua").read_text(encoding="utf-8")
_NAMES = re.compile(r"(steps|turns|job|current|newest):.+|jobs|live|statements|dead|recovery")
"""Keys of the jobs' database without their prefix; all others are the brokers'."""
_HEARTBEAT = f"{keys.BROKER_PREFIX}adapter:"
_LOOKS_PER_LEASE = 5
_TOLD_EVERY_S = 30.0
_NAMED = 5
_SCAN_COUNT = 1000


def earlier_name(key: str) -> str:
    """The name that a key of the jobs' database had in earlier versions."""
    return f"{keys.BROKER_PREFIX}{key.removeprefix(keys.PREFIX)}"


async def carry_over(redis: RedisClient, lease_s: float) -> int:
    """Wait until no adapter of an earlier version is alive, then give what it has stored the names of this version.

    Args:
        redis: the jobs' database, a client that returns text.
        lease_s: seconds without a heartbeat after which an adapter is gone.

    Returns:
        How many keys have another name now.

    Raises:
        RedisError: nothing has changed.
    """
    await _wait_for_silence(redis, lease_s)
    found = [name async for name in _scan(redis, "*") if _NAMES.fullmatch(name)]
    if not found:
        return 0
    kept = await redis.register_script(_SCRIPT)(keys=[keys.BROKER_PREFIX, keys.PREFIX], args=found)
    if kept:
        logger.error(
            "Jobs of an earlier version are left as they are: it has run again after this one, and both have work. Run "
            "the earlier version until its jobs have ended, then start this one again.",
            keys=[f"{keys.BROKER_PREFIX}{name}" for name in kept[:_NAMED]],
            count=len(kept),
        )
        return 0
    logger.info("The jobs of an earlier version go on: their keys have the names of this version.", count=len(found))
    return len(found)


async def _wait_for_silence(redis: RedisClient, lease_s: float) -> None:
    """Wait until no adapter of an earlier version beats; as all heartbeats, theirs are judged by what changes."""
    liveness = Liveness()
    tell_at_s = 0.0
    while beating := [f"{_HEARTBEAT}{name.removeprefix('adapter:')}" async for name in _scan(redis, "adapter:*")]:
        beats = dict(zip(beating, await redis.mget(beating), strict=True))
        alive = liveness.look(beats, time.monotonic(), lease_s)
        if not alive:
            return
        if time.monotonic() >= tell_at_s:
            tell_at_s = time.monotonic() + _TOLD_EVERY_S
            logger.warning(
                "Adapters of an earlier version may still run: this one waits for their end, since they store jobs "
                "under other names. Stop them.",
                adapters=sorted(name.removeprefix(_HEARTBEAT) for name in alive),
            )
        await asyncio.sleep(lease_s / _LOOKS_PER_LEASE)


async def _scan(redis: RedisClient, pattern: str) -> AsyncIterator[str]:
    async for key in redis.scan_iter(f"{keys.BROKER_PREFIX}{pattern}", count=_SCAN_COUNT):
        yield key.removeprefix(keys.BROKER_PREFIX)
