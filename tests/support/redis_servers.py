"""Redis servers over TLS, and a master with a replica and three Sentinels that replace it."""

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from podjobs.redis_connections import open_redis_sync
from podjobs.redis_urls import redis_url
from support.processes import START_TIMEOUT_S, Program, free_port, wait_for

MASTER = "pod-jobs"
PASSWORD = "of the data, with @ / and ?"  # noqa: S105
SENTINEL_PASSWORD = "of the Sentinels"  # noqa: S105
DOWN_AFTER_MS = 500
FAILOVER_LIMIT_S = 20


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files of a certificate authority made for a test, of a server of 127.0.0.1, and of a client."""

    folder: Path

    @property
    def authority(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def server_options(self) -> list[str]:
        """What redis-server is told: only clients with a certificate are answered."""
        files = {"ca-cert-file": self.authority, "cert-file": self.folder / "server.pem"}
        files["key-file"] = self.folder / "server.key"
        named = [part for name, path in files.items() for part in (f"--tls-{name}", str(path))]
        return [*named, "--tls-auth-clients", "yes"]

    @property
    def query(self) -> str:
        """What a URL needs to be answered."""
        client = f"ssl_certfile={self.folder / 'client.pem'}&ssl_keyfile={self.folder / 'client.key'}"
        return f"ssl_ca_certs={self.authority}&{client}"


def make_certificates(folder: Path) -> Certificates:
    """Create them, valid for a day."""
    folder.mkdir(parents=True)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    made = Certificates(folder)

    def issue(name: str, *options: str) -> None:
        files = ["-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem")]
        argv = ["openssl", "req", "-x509", *key, "-days", "1", "-subj", f"/CN={name}", *files, *options]
        subprocess.run(argv, check=True, capture_output=True)

    issue("ca")
    by_ca = ["-CA", str(made.authority), "-CAkey", str(folder / "ca.key")]
    issue("server", *by_ca, "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE")
    issue("client", *by_ca, "-addext", "basicConstraints=critical,CA:FALSE")
    return made


@dataclass
class RedisServer(Program):
    """A redis-server or a Sentinel."""

    port: int = 0
    url: str = ""

    def call(self, *words: Any) -> Any:
        """Send it a command."""
        with open_redis_sync(self.url, text=True) as client:
            return client.execute_command(*words)

    def answers(self) -> bool:
        """Whether it takes commands."""
        try:
            return bool(self.call("PING"))
        except redis.RedisError:
            return False


def new_server(folder: Path, name: str, *options: str, tls: Certificates | None = None) -> RedisServer:
    """A redis-server, not started yet."""
    port = free_port()
    data = folder / name
    data.mkdir(parents=True)
    argv = ["redis-server", "--bind", "127.0.0.1", "--dir", str(data), "--save", "", "--appendonly", "yes"]
    argv += ["--tls-port", str(port), "--port", "0", *tls.server_options] if tls else ["--port", str(port)]
    url = f"rediss://127.0.0.1:{port}/0?{tls.query}" if tls else f"redis://127.0.0.1:{port}/0"
    return RedisServer(name, [*argv, *options], {}, folder / f"{name}.log", port=port, url=url)


class Cluster:
    """A master, its replica and three Sentinels."""

    def __init__(self, folder: Path, tls: Certificates | None = None) -> None:
        """Create it; nothing runs yet."""
        self._folder = folder
        self._tls = tls
        login = ["--requirepass", PASSWORD, "--masterauth", PASSWORD, "--repl-diskless-sync-delay", "0"]
        login += ["--tls-replication", "yes"] if tls else []
        self.servers = [new_server(folder, f"redis-{number}", *login, tls=tls) for number in (1, 2)]
        for server in self.servers:
            server.url = server.url.replace("://", f"://:{quoted(PASSWORD)}@")
        self.servers[1].argv = [*self.servers[1].argv, "--replicaof", f"127.0.0.1 {self.servers[0].port}"]
        self.sentinels = [self._new_sentinel(number) for number in (1, 2, 3)]

    def _new_sentinel(self, number: int) -> RedisServer:
        server = new_server(self._folder, f"sentinel-{number}", tls=self._tls)
        server.url = server.url.replace("://", f"://:{quoted(SENTINEL_PASSWORD)}@")
        port = f"port 0\ntls-port {server.port}\ntls-replication yes" if self._tls else f"port {server.port}"
        written = self._folder / f"sentinel-{number}.conf"
        written.write_text(
            f'bind 127.0.0.1\n{port}\nrequirepass "{SENTINEL_PASSWORD}"\n'
            f"sentinel monitor {MASTER} 127.0.0.1 {self.servers[0].port} 2\n"
            f'sentinel auth-pass {MASTER} "{PASSWORD}"\nsentinel sentinel-pass "{SENTINEL_PASSWORD}"\n'
            f"sentinel down-after-milliseconds {MASTER} {DOWN_AFTER_MS}\nsentinel failover-timeout {MASTER} 5000\n"
        )
        server.argv = ["redis-server", str(written), "--sentinel", *(self._tls.server_options if self._tls else [])]
        return server

    @property
    def url(self) -> str:
        """How it is named in a setting, the first Sentinels first."""
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        scheme, query = ("rediss", f"&{self._tls.query}") if self._tls else ("redis", "")
        options = f"sentinel_password={quoted(SENTINEL_PASSWORD)}{query}"
        return redis_url(f"{scheme}+sentinel://:{quoted(PASSWORD)}@{hosts}/{MASTER}/5?{options}")

    @property
    def programs(self) -> list[RedisServer]:
        return [*self.servers, *self.sentinels]

    def start(self) -> None:
        """Start it, and wait until the replica has everything and every Sentinel knows the others."""
        self._start(self.servers)
        wait_for(lambda: self.servers[1].call("ROLE")[3] == "connected", FAILOVER_LIMIT_S)
        self._start(self.sentinels)  # which look for replicas at once, and then every ten seconds
        wait_for(lambda: all(self._knows_all(sentinel) for sentinel in self.sentinels), FAILOVER_LIMIT_S)

    @staticmethod
    def _start(programs: list[RedisServer]) -> None:
        for program in programs:
            program.start()
        for program in programs:
            program.wait_for(program.answers, START_TIMEOUT_S)

    def _knows_all(self, sentinel: RedisServer) -> bool:
        with open_redis_sync(sentinel.url, text=True) as client:
            state = client.sentinel_masters()[MASTER]
        return (state["num-slaves"], state["num-other-sentinels"]) == (1, len(self.sentinels) - 1)

    def master(self) -> RedisServer:
        """The server that the Sentinels name."""
        with open_redis_sync(self.sentinels[-1].url, text=True) as client:
            _, port = client.sentinel_get_master_addr_by_name(MASTER)
        return next(server for server in self.servers if server.port == int(port))

    def replace_master(self) -> RedisServer:
        """Kill the master, and wait until the replica has its place. Returns what is the master then."""
        killed = self.master()
        killed.kill()
        wait_for(lambda: self.master() is not killed and self.master().call("ROLE")[0] == "master", FAILOVER_LIMIT_S)
        return self.master()


def quoted(secret: str) -> str:
    """A secret as it stands in a URL."""
    return "".join(f"%{byte:02X}" for byte in secret.encode())


@contextlib.contextmanager
def running_cluster(folder: Path, *, over_tls: bool = False) -> Iterator[Cluster]:
    """Run a master, its replica and three Sentinels."""
    cluster = Cluster(folder, make_certificates(folder / "certificates") if over_tls else None)
    try:
        cluster.start()
        yield cluster
    finally:
        for program in cluster.programs:
            program.kill()
