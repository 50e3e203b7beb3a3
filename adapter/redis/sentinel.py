"""Connections to the master that Redis Sentinel names. After a failover they are made to the new one.

The library's own search (redis.asyncio.sentinel.Sentinel) is not used: several connections that search at the same
time swap places in its list of Sentinels and may overwrite some of them, and its pool does not wait for a free
connection but fails.
"""

import asyncio
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import SentinelConnectionPool, SentinelManagedConnection, SentinelManagedSSLConnection
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from typing_extensions import override

from podjobs.contract.redaction import redact
from podjobs.redis_connections import SENTINEL_OPTIONS, SentinelOrder, is_no_master, master_options, no_master
from podjobs.redis_logins import RotatedLogin
from podjobs.redis_urls import SentinelService


class MasterSearch(SentinelOrder):
    """Asks Sentinels where a master is. What SentinelConnectionPool needs."""

    async def discover_master(self, name: str) -> tuple[str, int]:
        """Where the master is: host and port. Raises MasterNotFoundError."""
        self.show_login()
        answers = []
        for url in self.urls:  # as they are now: another search may reorder them meanwhile
            try:
                async with Redis.from_url(url, **SENTINEL_OPTIONS, retry=Retry(NoBackoff(), 0)) as sentinel:
                    address: Any = await sentinel.sentinel_get_master_addr_by_name(name)
            except RedisError as error:
                answers.append(str(error).rstrip("."))
                if self.login and isinstance(error, AuthenticationError):
                    await asyncio.to_thread(self.login.renew)  # for the next search
                continue
            if address:
                self.trust(url)
                return str(address[0]), int(address[1])
            answers.append(f"{redact(url)} does not know it")
        raise no_master(name, answers)


class MasterConnection(SentinelManagedConnection):
    """A connection to the server that is the master when it is opened, and which is closed when it is none any more."""

    @override
    async def send_packed_command(self, *args: Any, **options: Any) -> None:
        if not self.is_connected:  # a retry: the library would go to the same server again
            await self.connect()  # type: ignore[no-untyped-call]
        await super().send_packed_command(*args, **options)

    @override
    async def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            return await super(SentinelManagedConnection, self).read_response(*args, **options)
        except ResponseError as error:
            if not is_no_master(error):
                raise
            self.connection_pool.sentinel_manager.doubt()
            await self.disconnect()
            raise RedisConnectionError(f"The server is not the master any more: {error}") from error


class MasterTlsConnection(MasterConnection, SentinelManagedSSLConnection):
    """The same over TLS."""


class MasterPool(SentinelConnectionPool, BlockingConnectionPool):
    """Connections to a master, as many as fit; whoever wants another one waits."""

    def __init__(self, service: SentinelService, options: dict[str, Any], login: RotatedLogin | None = None) -> None:
        """Create it.

        Args:
            service: the master, and the Sentinels that know where it is.
            options: of BlockingConnectionPool and its connections.
            login: of master and Sentinels if it is rotated.
        """
        to_master = MasterTlsConnection if service.is_tls else MasterConnection
        options = {**options, **master_options(service), "connection_class": to_master}
        super().__init__(service.master, MasterSearch(service, login), **options)  # type: ignore[no-untyped-call]
