"""Connections to Redis: broker URLs as Celery writes them, and clients that survive a restart of the server."""

from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

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


def redis_url(url: str) -> str:
    """Translate a broker URL from Celery's notation into the Redis client's.

    Args:
        url: redis://, rediss:// or redis+socket:// (Celery's name for unix://).

    Raises:
        ValueError: the URL is not for Redis; the message repeats no part that may be secret.
    """
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    if parts.scheme in {"redis+socket", "unix"}:
        if "virtual_host" in query:
            query["db"] = query.pop("virtual_host")
        # by hand: urlunsplit omits the slashes before an empty host, which the client requires
        return f"unix://{parts.netloc}{parts.path}" + (f"?{urlencode(query)}" if query else "")
    if parts.scheme not in {"redis", "rediss"}:
        raise ValueError("must be a redis://, rediss:// or redis+socket:// URL")
    if parts.path.strip("/") and not parts.path.strip("/").isdigit():
        raise ValueError("must end with the number of a database, as in redis://host:6379/7")
    if query.get("ssl_cert_reqs", "").startswith("CERT_"):
        query["ssl_cert_reqs"] = query["ssl_cert_reqs"].removeprefix("CERT_").lower()
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query), ""))


def open_redis(url: str, *, text: bool) -> RedisClient:
    """Create a client; it connects at its first command.

    Args:
        url: as returned by redis_url.
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
