"""The ports on which the parts of the stack listen, on 127.0.0.1."""

import json
import socket
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from podjobs.contract.workflows import all_functions

REDIS, POD, HEALTH, LAMBDA, RUNNER = "redis", "pod", "health", "lambda", "runner"
S3, S3_MASTER, S3_VOLUME, S3_FILER, S3_ADMIN = "s3", "s3-master", "s3-volume", "s3-filer", "s3-admin"
OBJECT_STORE = (S3, S3_MASTER, S3_VOLUME, S3_FILER, S3_ADMIN)
"""The parts of the embedded S3 server."""
GRPC_OFFSET = 10_000
"""How much higher each of them listens for gRPC. One of its parts only looks there for another."""
ANY_FREE_PORT = 0
LOWEST_PORT = 1024
"""Those below are for root."""

Ports = dict[str, int]
"""Part → port: the embedded Redis, the stand-in for Pod, the adapter's pages, Lambda's API, each function by its
name, and the parts of the embedded S3 server and the runner API if there is one."""
LISTENERS = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Opens pages of what listens on this machine: not through the proxy that the environment names for others."""


def part_names() -> tuple[str, ...]:
    """Every part that may listen."""
    return (REDIS, POD, HEALTH, LAMBDA, *(function.name for function in all_functions()))


def choose_ports(
    given: Mapping[str, str],
    remembered: Ports | None = None,
    *,
    with_object_store: bool = False,
    with_runner: bool = False,
) -> Ports:
    """Find free ports.

    Args:
        given: the operator's settings; PODJOBS_HEALTH_PORT is respected.
        remembered: ports of the last start, used again if they are still free.
        with_object_store: also for an S3 server.
        with_runner: also for the runner API.
    """
    health = given.get("PODJOBS_HEALTH_PORT", "")
    wanted = dict.fromkeys(part_names(), ANY_FREE_PORT) | (remembered or {})
    held = {name: _hold(wanted[name]) for name in part_names()} | (
        {RUNNER: _hold(ANY_FREE_PORT)} if with_runner else {}
    )
    pairs = {name: _hold_pair() for name in OBJECT_STORE} if with_object_store else {}
    held |= {name: lower for name, (lower, _) in pairs.items()}
    ports = {name: sock.getsockname()[1] for name, sock in held.items()}
    for sock in (*held.values(), *(upper for _, upper in pairs.values())):
        sock.close()
    return ports | ({HEALTH: int(health)} if health.isdigit() and int(health) else {})


def _hold(port: int) -> socket.socket:
    """Hold a port, so that no two parts get the same one; any free port if the wanted one is taken."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(("127.0.0.1", port))
        sock.listen()
    except OSError:
        sock.close()
        if port == ANY_FREE_PORT:
            raise
        return _hold(ANY_FREE_PORT)
    return sock


def _hold_pair() -> tuple[socket.socket, socket.socket]:
    """Hold two ports, the second of which is higher by GRPC_OFFSET."""
    while True:
        upper = _hold(ANY_FREE_PORT)
        wanted = upper.getsockname()[1] - GRPC_OFFSET
        if wanted >= LOWEST_PORT:
            lower = _hold(wanted)
            if lower.getsockname()[1] == wanted:
                return lower, upper
            lower.close()
        upper.close()


def remembered_ports(state_dir: Path) -> Ports | None:
    """The ports of the last start, so that a Pod that knows the broker's address finds it again."""
    try:
        ports = json.loads((state_dir / "stack.json").read_text(encoding="utf-8"))["ports"]
        # an older version did not know Lambda's: any free one will do
        return {name: int(ports.get(name, ANY_FREE_PORT) if name == LAMBDA else ports[name]) for name in part_names()}
    except (OSError, ValueError, KeyError, TypeError):
        return None
