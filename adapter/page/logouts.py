"""The logins that were ended before their time: a cookie that somebody has copied is then of no use any more.

Cookies prove themselves (access.py), so that every adapter takes them; what is over before its time is noted in Redis,
where every adapter sees it, for as long as the cookie would be valid.
"""

import time

from adapter.page.access import SESSION_S
from adapter.redis import keys
from adapter.redis.connections import RedisClient


class Logouts:
    """Notes who has logged out. All methods raise RedisError."""

    def __init__(self, redis: RedisClient) -> None:
        """Use the jobs' database."""
        self._redis = redis

    async def note(self, session: str) -> None:
        """End a login.

        Args:
            session: as `Access.admit` returns it.
        """
        now_s = time.time()
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.zadd(keys.PAGE_LOGOUTS, {_name(session): now_s + SESSION_S})
            pipeline.zremrangebyscore(keys.PAGE_LOGOUTS, "-inf", now_s)
            pipeline.expire(keys.PAGE_LOGOUTS, SESSION_S)
            await pipeline.execute()

    async def has(self, session: str) -> bool:
        """Whether a login was ended."""
        return await self._redis.zscore(keys.PAGE_LOGOUTS, _name(session)) is not None


def _name(session: str) -> str:
    """What is kept of a cookie: not its signature, which is what proves it."""
    return session.rpartition(".")[0] or session
