"""A Redis in cluster mode: three masters that share the slots, and a replica of each if wanted."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from adapter.redis.cluster import SLOT, read_slots
from podjobs.redis_connections import open_redis_sync
from podjobs.redis_urls import redis_url
from support.processes import START_TIMEOUT_S, free_port, wait_for
from support.redis_servers import PASSWORD, Certificates, RedisServer, make_certificates, new_server, quoted

MASTERS = 3
SLOTS = 16_384
NODE_TIMEOUT_MS = 1000
FAILOVER_LIMIT_S = 20
MIGRATE_TIMEOUT_MS = 60_000
MODES = ("one server", pytest.param("cluster", marks=pytest.mark.slow))
"""Where the jobs of a test may be."""


class RedisCluster:
    """Its nodes, and what is done to the slot of the jobs' keys."""

    def __init__(self, folder: Path, *, replicas: int = 0, tls: Certificates | None = None) -> None:
        """Create it; nothing runs yet."""
        self._tls = tls
        self._replicas = replicas
        self.nodes = [self._new_node(folder, number) for number in range(MASTERS * (1 + replicas))]

    def _new_node(self, folder: Path, number: int) -> RedisServer:
        options = ["--cluster-enabled", "yes", "--cluster-node-timeout", str(NODE_TIMEOUT_MS)]
        options += ["--cluster-port", str(free_port()), "--repl-diskless-sync-delay", "0", "--protected-mode", "no"]
        options += ["--requirepass", PASSWORD, "--masterauth", PASSWORD]
        options += ["--tls-cluster", "yes", "--tls-replication", "yes"] if self._tls else []
        node = new_server(folder, f"node-{number}", *options, tls=self._tls)
        node.url = node.url.replace("://", f"://:{quoted(PASSWORD)}@")
        return node

    @property
    def url(self) -> str:
        """How it is named in a setting: only one node, which knows the others."""
        scheme, query = ("rediss", f"?{self._tls.query}") if self._tls else ("redis", "")
        return redis_url(f"{scheme}+cluster://:{quoted(PASSWORD)}@127.0.0.1:{self.nodes[0].port}{query}")

    def start(self) -> None:
        """Start it, and wait until every node serves."""
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            node.wait_for(node.answers, START_TIMEOUT_S)
        addresses = [f"127.0.0.1:{node.port}" for node in self.nodes]
        self._cli("--cluster", "create", *addresses, "--cluster-replicas", str(self._replicas), "--cluster-yes")
        wait_for(lambda: all(self._serves(node) for node in self.nodes), START_TIMEOUT_S)

    def _cli(self, *words: str) -> None:
        tls = []
        if self._tls:
            folder = self._tls.folder
            tls = ["--tls", "--cacert", str(self._tls.authority)]
            tls += ["--cert", str(folder / "client.pem"), "--key", str(folder / "client.key")]
        argv = ["redis-cli", *tls, "--no-auth-warning", "-a", PASSWORD, *words]
        subprocess.run(argv, check=True, capture_output=True, timeout=START_TIMEOUT_S)

    def _serves(self, node: RedisServer) -> bool:
        rows: list[Any] = node.call("CLUSTER", "SLOTS")
        complete = sum(last - first + 1 for first, last, *_ in rows) == SLOTS
        replicated = all(len(nodes) == 1 + self._replicas for _, _, *nodes in rows)
        return complete and replicated and "cluster_state:ok" in str(node.call("CLUSTER", "INFO"))

    def owner(self) -> RedisServer:
        """The node that has the jobs' keys, as a node that lives says."""
        living = next(node for node in self.nodes if node.is_running)
        place, _ = read_slots(living.call("CLUSTER", "SLOTS"), "127.0.0.1")
        assert place is not None
        return next(node for node in self.nodes if node.port == place[1])

    def client(self, *, text: bool = True) -> "redis.Redis":
        """A client of the node that has the jobs' keys now."""
        return self.client_of(self.owner(), text=text)

    @staticmethod
    def client_of(node: RedisServer, *, text: bool = True) -> "redis.Redis":
        """A client of one node."""
        client: redis.Redis = open_redis_sync(node.url, text=text)
        return client

    def empty(self) -> None:
        """Remove everything."""
        for node in self.nodes[:MASTERS]:
            node.call("FLUSHALL")

    def kill_owner(self) -> RedisServer:
        """Kill the node that has the jobs' keys; its replica takes its place. Returns the killed one."""
        killed = self.owner()
        killed.kill()
        wait_for(lambda: self.owner() is not killed and self._takes_writes(self.owner()), FAILOVER_LIMIT_S)
        return killed

    @staticmethod
    def _takes_writes(node: RedisServer) -> bool:
        try:
            return bool(node.call("SET", "{podjobs}:probe", "", "PX", 1))
        except redis.RedisError:
            return False

    def begin_move(self, target: RedisServer) -> None:
        """Begin to move the slot to another node: no key is moved yet."""
        source = self.owner()
        target.call("CLUSTER", "SETSLOT", SLOT, "IMPORTING", source.call("CLUSTER", "MYID"))
        source.call("CLUSTER", "SETSLOT", SLOT, "MIGRATING", target.call("CLUSTER", "MYID"))

    def move_keys(self, target: RedisServer, count: int = 10_000) -> int:
        """Move so many of its keys. Returns how many there were."""
        source = self.owner()
        found = source.call("CLUSTER", "GETKEYSINSLOT", SLOT, count)
        if found:
            place = ("127.0.0.1", target.port, "", 0, MIGRATE_TIMEOUT_MS, "AUTH", PASSWORD)
            source.call("MIGRATE", *place, "KEYS", *found)
        return len(found)

    def end_move(self, target: RedisServer) -> None:
        """The slot belongs to the other node now."""
        source, name = self.owner(), target.call("CLUSTER", "MYID")
        others = [node for node in self.nodes[:MASTERS] if node is not target and node is not source]
        for node in (target, source, *others):
            if node.is_running:
                node.call("CLUSTER", "SETSLOT", SLOT, "NODE", name)

    def move_slot(self, target: RedisServer) -> None:
        """Move all of it at once."""
        self.begin_move(target)
        while self.move_keys(target):
            pass
        self.end_move(target)

    def other(self) -> RedisServer:
        """A master that does not have the jobs' keys."""
        owner = self.owner()
        masters = [node for node in self.nodes if node.is_running and node.call("ROLE")[0] == "master"]
        return next(node for node in masters if node is not owner)


@contextlib.contextmanager
def running_redis_cluster(folder: Path, *, replicas: int = 0, over_tls: bool = False) -> Iterator[RedisCluster]:
    """Run a Redis in cluster mode.

    Args:
        folder: for data and logs.
        replicas: of each master.
        over_tls: all connections, of the nodes among each other, too.
    """
    cluster = RedisCluster(
        folder, replicas=replicas, tls=make_certificates(folder / "certificates") if over_tls else None
    )
    try:
        cluster.start()
        yield cluster
    finally:
        for node in cluster.nodes:
            node.kill()


def url_of(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database in the mode that a fixture is asked for, one of MODES."""
    if request.param != "cluster":
        return str(request.getfixturevalue("redis_url"))
    cluster: RedisCluster = request.getfixturevalue("redis_cluster")
    cluster.empty()
    return cluster.url
