"""Connections of workers to Redis."""

from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import BusyLoadingError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

SOCKET_TIMEOUT_S = 15
"""Longest silence on a connection; longer than any blocking read."""


def open_redis(url: str) -> Redis:
    """Create a client; it connects at its first command.

    Args:
        url: as returned by podjobs.redis_urls.redis_url.
    """
    return Redis.from_url(
        url,
        protocol=2,
        socket_timeout=SOCKET_TIMEOUT_S,
        socket_connect_timeout=5,
        socket_keepalive=True,
        health_check_interval=30,
        retry=Retry(ExponentialBackoff(cap=0.2, base=0.05), 1),
        retry_on_error=[BusyLoadingError, RedisConnectionError, RedisTimeoutError],
    )
