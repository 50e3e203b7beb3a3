"""Connections to the node of a cluster that has the jobs' keys. After a failover or a move they go to the new one.

All keys of the jobs' database are in one slot (keys.py), so one node at a time has all of them: its owner, found as a
master is that Sentinel watches. The library's own client of clusters is not used: it follows ASK, which would run a
script on a node that has only some of its keys; decision 0055 has the trials.

While the cluster moves the slot, keys are at one node or the other. A command whose key is still at the old one is
performed there; all others wait until the move is over (SlotMovesError): an ASK is never followed.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import SentinelConnectionPool, SentinelManagedSSLConnection
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MovedError,
    RedisError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from typing_extensions import override

from adapter.redis import keys
from adapter.redis.sentinel import MasterConnection
from podjobs.redis_connections import SENTINEL_OPTIONS, master_options
from podjobs.redis_urls import ClusterService

SLOT = key_slot(keys.PREFIX.encode())
"""Of all keys of the jobs' database."""
_KNOWN_NODES = 50
"""So many addresses are remembered; clusters have some ten nodes."""


class SlotMovesError(TryAgainError):
    """The cluster moves the jobs' keys to another node. Nothing was done; a later attempt succeeds."""


class NoOwnerError(RedisConnectionError):
    """No node says where the jobs' keys are."""


class OwnerSearch:
    """Asks nodes of the cluster who has the slot. What SentinelConnectionPool needs."""

    def __init__(self, service: ClusterService) -> None:
        """Begin with the nodes of the setting."""
        self._service = service
        self.addresses = service.addresses
        self._search: asyncio.Task[tuple[str, int]] | None = None

    def doubt(self) -> None:
        """Another node is asked first next time: what the first one said is no longer so, or not yet."""
        self.addresses = (*self.addresses[1:], self.addresses[0])

    def believe(self, host: str, port: int) -> None:
        """Another node is asked first next time: the owner that an error names."""
        self.addresses = tuple(dict.fromkeys([_address(host, port), *self.addresses]))

    async def discover_master(self, name: str) -> tuple[str, int]:
        """Where the owner is: host and port. Connections that are opened at once share one search.

        Raises:
            NoOwnerError: no node says it.
        """
        if self._search is None or self._search.done():
            self._search = asyncio.create_task(self._find_owner(name))
            self._search.add_done_callback(lambda search: search.cancelled() or search.exception())
        return await asyncio.shield(self._search)

    async def _find_owner(self, name: str) -> tuple[str, int]:
        answers = []
        for address in self.addresses:  # as they are now: another search may reorder them meanwhile
            url = self._service.node_url(address)
            try:
                async with Redis.from_url(url, **SENTINEL_OPTIONS, retry=Retry(NoBackoff(), 0)) as node:
                    rows: Any = await node.execute_command("CLUSTER", "SLOTS")  # type: ignore[no-untyped-call]
            except RedisError as error:
                answers.append(f"{address}: {error}".rstrip("."))
                continue
            owner, nodes = read_slots(rows, address.rpartition(":")[0].strip("[]"))
            if owner:
                self._trust(address, nodes)
                return owner
            answers.append(f"{address} knows no owner of the slot {SLOT}")
        raise NoOwnerError(f"No node of the cluster names {name}: {'; '.join(answers)}.")

    def _trust(self, address: str, nodes: Iterable[tuple[str, int]]) -> None:
        """This node is asked first next time, then those of the setting: their names may lead to new ones."""
        found = [_address(host, port) for host, port in nodes]
        self.addresses = tuple(dict.fromkeys([address, *self._service.addresses, *found]))[:_KNOWN_NODES]


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def read_slots(rows: list[Any], asked: str) -> tuple[tuple[str, int] | None, list[tuple[str, int]]]:
    """Read the answer to CLUSTER SLOTS. Pure.

    Args:
        rows: for each range of slots its first and last one, its master, and the replicas.
        asked: the host that answered: nodes without a name of their own are on the same.

    Returns:
        The owner of the jobs' slot, if there is one, and all nodes: host and port.
    """
    owner, found = None, []
    for first, last, *nodes in rows:
        places = [(asked if host in {None, "", "?"} else str(host), int(port)) for host, port, *_ in nodes]
        found += places
        if first <= SLOT <= last and places:
            owner = places[0]
    return owner, found


class OwnerConnection(MasterConnection):
    """A connection to the node that has the slot when it is opened, and which is closed when it has it no more."""

    @override
    async def connect_to(self, address: tuple[str, int]) -> None:
        try:
            await super().connect_to(address)  # type: ignore[no-untyped-call]
        except (RedisConnectionError, RedisTimeoutError):
            self.connection_pool.sentinel_manager.doubt()
            raise

    @override
    async def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            return await super().read_response(*args, **options)
        except (MovedError, ClusterDownError) as error:
            if isinstance(error, MovedError):  # nodes learn of it one after the other: the new owner knows
                self.connection_pool.sentinel_manager.believe(error.host or self.host, error.port)
            else:
                self.connection_pool.sentinel_manager.doubt()
            await self.disconnect()
            raise RedisConnectionError(f"The node does not have the jobs' keys: {error}") from error
        except (AskError, TryAgainError) as error:
            raise SlotMovesError("The cluster moves the jobs' keys to another node: they are waited for.") from error


class OwnerTlsConnection(OwnerConnection, SentinelManagedSSLConnection):
    """The same over TLS."""


class OwnerPool(SentinelConnectionPool, BlockingConnectionPool):
    """Connections to the node that has the jobs' keys, as many as fit; whoever wants another one waits."""

    def __init__(self, service: ClusterService, options: dict[str, Any]) -> None:
        """Create it.

        Args:
            service: the nodes that know who has the slot, and the login.
            options: of BlockingConnectionPool and its connections.
        """
        to_owner = OwnerTlsConnection if service.is_tls else OwnerConnection
        options = {**options, **master_options(service), "connection_class": to_owner}
        name = "the owner of the jobs' keys"
        super().__init__(name, OwnerSearch(service), **options)  # type: ignore[no-untyped-call]
