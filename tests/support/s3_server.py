"""A real S3 server (SeaweedFS) for tests."""

import atexit
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from local.object_store import ServerPorts, remove_sockets, server_argv, server_binary, server_ports
from local.ports import choose_ports

ACCESS_KEY = "podfunctionskey"
SECRET_KEY = "cAnArYsEcReT0123456789"  # noqa: S105 - of the tests alone
START_S = 60.0


@dataclass
class S3Server:
    """A server, and the credentials that it knows."""

    folder: Path
    bucket: str = "media"
    """There is one for all: each bucket has disk space set aside for it, which many would use up."""
    ports: ServerPorts | None = None
    process: "subprocess.Popen[bytes] | None" = None
    _argv: list[str] = field(default_factory=list)

    @property
    def port(self) -> int:
        """Where it listens for S3; it was started."""
        assert self.ports
        return self.ports.s3

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a client needs besides the bucket."""
        return credentials() | {"PODJOBS_S3_ENDPOINT": self.endpoint}

    def client(self) -> Any:
        """The SDK's own client: what a test looks with."""
        return boto3.session.Session().client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=Config(s3={"addressing_style": "path"}),
        )

    def start(self) -> None:
        """Start it, or start it again after it was killed, with the same port and what it had stored."""
        if not self._argv:
            self.ports = server_ports(choose_ports({}, with_object_store=True))
            self._argv = server_argv(str(server_binary()), self.folder, self.ports, self.bucket)
            (self.folder / "log").mkdir()
            if setpriv := shutil.which("setpriv"):
                self._argv[:0] = [setpriv, "--pdeathsig", "KILL", "--"]
        with (self.folder / "weed.log").open("ab") as log:
            self.process = subprocess.Popen(
                self._argv, env=os.environ | credentials(), stdout=log, stderr=log, cwd=self.folder
            )
        deadline = time.monotonic() + START_S
        while True:
            try:
                self.client().head_bucket(Bucket=self.bucket)
            except Exception:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.1)
            else:
                return

    def kill(self) -> None:
        """Kill it."""
        if self.process:
            self.process.kill()
            self.process.wait()
        if self.ports:
            remove_sockets(self.ports)


def credentials() -> dict[str, str]:
    """The environment variables with which the server and its clients know each other."""
    return {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """A server of one's own, which may be killed."""
    folder = Path(tempfile.mkdtemp(prefix="s3-"))
    server = S3Server(folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


@cache
def shared_server() -> S3Server:
    """The server of this process; it ends with it."""
    stack = ExitStack()
    server = stack.enter_context(s3_server())
    atexit.register(stack.close)
    return server
