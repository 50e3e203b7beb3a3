"""Connections to Redis: clients that survive a restart of the server."""

from typing import Any, TypeAlias

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import BusyLoadingError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

RedisClient: TypeAlias = Any
"""A redis.asyncio.Redis; its types do not distinguish clients that return text from those that return bytes."""

SOCKET_TIMEOUT_S = 15
"""Longest silence on a connection; longer than any of our blocking reads."""

POOL_CONNECTIONS = 32


def open_redis(url: str, *, text: bool) -> RedisClient:
    """Create a client; it connects at its first command.

    Args:
        url: as returned by podjobs.redis_urls.redis_url.
        text: replies are decoded to str; False: they stay bytes, for messages that may contain anything.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=POOL_CONNECTIONS,
        timeout=None,
        protocol=2,
        decode_responses=text,
        socket_timeout=SOCKET_TIMEOUT_S,
        socket_connect_timeout=5,
        socket_keepalive=True,
        retry=Retry(ExponentialBackoff(cap=0.2, base=0.05), 1),
        retry_on_error=[BusyLoadingError, RedisConnectionError, RedisTimeoutError],
    )
    return Redis.from_pool(pool)
