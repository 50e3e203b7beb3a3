"""Connections to Redis: clients that survive a restart of the server, and its replacement by another."""

from typing import Any, TypeAlias

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

from adapter.redis.cluster import OwnerPool
from adapter.redis.sentinel import MasterPool
from podjobs.redis_connections import AWAY, connection_options
from podjobs.redis_logins import rotated_login
from podjobs.redis_urls import cluster_service, sentinel_service

RedisClient: TypeAlias = Any
"""A redis.asyncio.Redis; its types do not distinguish clients that return text from those that return bytes."""

POOL_CONNECTIONS = 32


def open_redis(url: str, *, text: bool) -> RedisClient:
    """Create a client; it connects at its first command.

    Args:
        url: as returned by podjobs.redis_urls.redis_url.
        text: replies are decoded to str; False: they stay bytes, for messages that may contain anything.
    """
    options: dict[str, Any] = {
        **connection_options(url),
        "max_connections": POOL_CONNECTIONS,
        "timeout": None,
        "decode_responses": text,
        "retry": Retry(ExponentialBackoff(cap=0.2, base=0.05), 1),
        "retry_on_error": list(AWAY),
    }
    login = rotated_login(url)
    if login is not None:
        options["redis_connect_func"] = login.connect_async
    if (service := sentinel_service(url)) is not None:
        return Redis.from_pool(MasterPool(service, options, login))
    if (cluster := cluster_service(url)) is not None:
        return Redis.from_pool(OwnerPool(cluster, options))
    return Redis.from_pool(BlockingConnectionPool.from_url(url, **options))
