"""The ports on which the parts of the stack listen, on 127.0.0.1."""

import json
import socket
from collections.abc import Mapping
from pathlib import Path

from podjobs.contract.workflows import all_functions

REDIS, POD, HEALTH = "redis", "pod", "health"
ANY_FREE_PORT = 0

Ports = dict[str, int]
"""Part → port: the embedded Redis, the stand-in for Pod, the adapter's pages, and each function by its name."""


def part_names() -> tuple[str, ...]:
    """Every part that may listen."""
    return (REDIS, POD, HEALTH, *(function.name for function in all_functions()))


def choose_ports(given: Mapping[str, str], remembered: Ports | None = None) -> Ports:
    """Find free ports.

    Args:
        given: the operator's settings; PODJOBS_HEALTH_PORT is respected.
        remembered: ports of the last start, used again if they are still free.
    """
    health = given.get("PODJOBS_HEALTH_PORT", "")
    wanted = dict.fromkeys(part_names(), ANY_FREE_PORT) | (remembered or {})
    held = {name: _hold(wanted[name]) for name in part_names()}
    ports = {name: sock.getsockname()[1] for name, sock in held.items()}
    for sock in held.values():
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


def remembered_ports(state_dir: Path) -> Ports | None:
    """The ports of the last start, so that a Pod that knows the broker's address finds it again."""
    try:
        ports = json.loads((state_dir / "stack.json").read_text(encoding="utf-8"))["ports"]
        return {name: int(ports[name]) for name in part_names()}
    except (OSError, ValueError, KeyError, TypeError):
        return None
