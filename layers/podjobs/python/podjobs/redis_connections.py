"""Connections to Redis for programs without an event loop, such as RQ's workers. They survive restarts and failovers.

Each process opens its own client, by the URL. What RQ's pool of workers copies into its children instead works with
Sentinel only after a fork (a spawned child cannot be given it), and there without what the pool itself does: idle
connections to a replaced master are closed in the copy of the parent's pool, not in the child's.
"""

import re
from typing import Any, Final, TypeAlias

from redis import ConnectionPool, Redis
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.connection import parse_url
from redis.exceptions import AuthenticationError, BusyLoadingError, ReadOnlyError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry
from redis.sentinel import (
    MasterNotFoundError,
    SentinelConnectionPool,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)
from typing_extensions import override

from podjobs.contract.redaction import redact
from podjobs.redis_logins import RotatedLogin, place_of, rotated_login
from podjobs.redis_urls import ClusterService, SentinelService, sentinel_service

SyncRedis: TypeAlias = Any
"""A redis.Redis; its types do not distinguish clients that return text from those that return bytes."""

SOCKET_TIMEOUT_S = 15
"""Longest silence on a connection; longer than any of our blocking reads."""
CONNECT_TIMEOUT_S = 5
SENTINEL_TIMEOUT_S = 2
"""Longest wait for one Sentinel; then the next one is asked."""
AWAY: Final = (BusyLoadingError, RedisConnectionError, RedisTimeoutError, ReadOnlyError)
"""Errors after which a command is sent again, over a new connection: the server restarts, or is no master any more."""
CONNECTION_OPTIONS: Final[dict[str, Any]] = {
    "socket_timeout": SOCKET_TIMEOUT_S,
    "socket_connect_timeout": CONNECT_TIMEOUT_S,
    "socket_keepalive": True,
    "protocol": 2,
}
SENTINEL_OPTIONS: Final[dict[str, Any]] = {
    "socket_timeout": SENTINEL_TIMEOUT_S,
    "socket_connect_timeout": SENTINEL_TIMEOUT_S,
    "protocol": 2,
    "decode_responses": True,
}

_NO_MASTER = re.compile(r"\b(?:READONLY|NOREPLICAS) ")
"""In errors of scripts, whose beginning depends on the version of Redis."""


def connection_options(url: str) -> dict[str, Any]:
    """The options of a URL's connections: a socket in the file system has no TCP whose keepalive could be set."""
    is_local = url.startswith("unix:")
    return {name: value for name, value in CONNECTION_OPTIONS.items() if not is_local or name != "socket_keepalive"}


def open_redis_sync(url: str, *, text: bool = False, retries: int = 1, longest_wait_s: float = 0.2) -> SyncRedis:
    """Create a client; it connects at its first command.

    Args:
        url: as returned by podjobs.redis_urls.redis_url.
        text: replies are decoded to str; False: they stay bytes.
        retries: of a command that does not reach the server.
        longest_wait_s: between two of them.
    """
    options: dict[str, Any] = {
        **connection_options(url),
        "decode_responses": text,
        "retry": Retry(ExponentialBackoff(cap=longest_wait_s, base=0.05), retries),
        "retry_on_error": list(AWAY),
    }
    if login := rotated_login(url):
        options["redis_connect_func"] = login.connect
    service = sentinel_service(url)
    if service is None:
        return Redis.from_pool(ConnectionPool.from_url(url, **options))
    to_master = MasterTlsConnection if service.is_tls else MasterConnection
    options |= {**master_options(service), "connection_class": to_master}
    pool = SentinelConnectionPool(service.master, MasterSearch(service, login), **options)  # type: ignore[no-untyped-call]
    return Redis.from_pool(pool)


def master_options(service: SentinelService | ClusterService) -> dict[str, Any]:
    """Login, database and options of TLS of a master's connections, as the Redis client names them."""
    options: dict[str, Any] = parse_url(service.master_url)  # type: ignore[no-untyped-call]
    return {name: value for name, value in options.items() if name != "connection_class"}


def is_no_master(error: RedisError) -> bool:
    """Whether a server refused a write as one that was replaced does: it is a replica now, or has lost its replicas."""
    return isinstance(error, ReadOnlyError) or bool(_NO_MASTER.search(str(error)))


def no_master(name: str, answers: list[str]) -> MasterNotFoundError:
    """An error that says what became of the question to each Sentinel."""
    return MasterNotFoundError(f"No Sentinel names the master {name}: {'; '.join(answers)}")


class SentinelOrder:
    """The Sentinels that watch a master: the one that knew last time comes first."""

    def __init__(self, service: SentinelService, login: RotatedLogin | None = None) -> None:
        """Begin with the order of the setting.

        Args:
            service: the master, and who watches it.
            login: of the setting if it is rotated.
        """
        self.urls = service.sentinel_urls
        self.login = login

    def show_login(self) -> None:
        """Have the URLs say the login as it is now."""
        service = sentinel_service(self.login.url) if self.login else None
        if service is not None:
            now = {place_of(url): url for url in service.sentinel_urls}
            self.urls = tuple(now.get(place_of(url), url) for url in self.urls)

    def trust(self, url: str) -> None:
        """This one is asked first next time: it knows the master."""
        self.urls = (url, *(other for other in self.urls if other != url))

    def doubt(self) -> None:
        """Another one is asked first next time: what the first one named is no master."""
        self.urls = (*self.urls[1:], self.urls[0])


class MasterSearch(SentinelOrder):
    """Asks Sentinels where a master is. What SentinelConnectionPool needs."""

    def discover_master(self, name: str) -> tuple[str, int]:
        """Where the master is: host and port. Raises MasterNotFoundError."""
        self.show_login()
        answers = []
        for url in self.urls:
            try:
                with Redis.from_url(url, **SENTINEL_OPTIONS, retry=Retry(NoBackoff(), 0)) as sentinel:
                    address: Any = sentinel.sentinel_get_master_addr_by_name(name)
            except RedisError as error:
                answers.append(str(error).rstrip("."))
                if self.login and isinstance(error, AuthenticationError):
                    self.login.renew()  # for the next search
                continue
            if address:
                self.trust(url)
                return str(address[0]), int(address[1])
            answers.append(f"{redact(url)} does not know it")
        raise no_master(name, answers)


class MasterConnection(SentinelManagedConnection):
    """A connection to the server that is the master when it is opened, and which is closed when it is none any more."""

    @override
    def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            return super(SentinelManagedConnection, self).read_response(*args, **options)
        except ResponseError as error:
            if not is_no_master(error):
                raise
            self.connection_pool.sentinel_manager.doubt()
            self.disconnect()  # type: ignore[no-untyped-call]
            raise RedisConnectionError(f"The server is not the master any more: {error}") from error


class MasterTlsConnection(MasterConnection, SentinelManagedSSLConnection):
    """The same over TLS."""
