"""A storage whose files ffmpeg reads through a gateway, as it reads objects, and which may fail at any moment."""

import base64
import http.client
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from podjobs.backends.s3.gateway import RangeGateway
from podjobs.contract.commands import MediaInput
from podjobs.contract.media_paths import Key
from podjobs.contract.ports.storage import Storage
from support.forward_only import ForwardOnlyStorage
from support.media_storages import POD_ROOT

CACHE_BYTES = 16 << 20


@dataclass
class FaultyFetch:
    """Reads ranges of files below a folder, until it fails."""

    root: Path
    error: Exception | None = None
    fails_from: int = 0
    """The number of the first request that fails, once there is an error."""
    requests: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, key: str, _etag: str, first: int, last: int) -> bytes:
        with self._lock:
            self.requests += 1
            if self.error is not None and self.requests > self.fails_from:
                raise self.error
        with (self.root / key).open("rb") as file:
            file.seek(first)
            return file.read(last - first + 1)


@dataclass
class GatewayStorage:
    """Another storage; ffmpeg reads its files through a gateway, and streams are read forward only."""

    storage: Storage
    gateway: RangeGateway

    def __getattr__(self, name: str) -> Any:
        return getattr(ForwardOnlyStorage(self.storage), name)

    def input_of(self, key: Key) -> MediaInput:
        version = self.storage.version(key)
        return self.gateway.input_of(key, str(version), self.storage.size_bytes(key), self.storage.pod_path(key))


@contextmanager
def gateway_storage(storage: Storage, fetch: FaultyFetch) -> Iterator[GatewayStorage]:
    """A storage whose gateway starts with an empty cache."""
    gateway = RangeGateway(fetch, CACHE_BYTES)
    try:
        yield GatewayStorage(storage, gateway)
    finally:
        gateway.close()


def opened(gateway: RangeGateway, file: Path, etag: str = "1") -> MediaInput:
    """A file of the folder that the gateway reads, as a command gets it."""
    return gateway.input_of(file.name, etag, file.stat().st_size, f"{POD_ROOT}/videos/{file.name}")


def request(
    source: MediaInput, target: str | None = None, method: str = "GET", password: str | None = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Ask the gateway as a command does, or as nobody should."""
    proxy = urlsplit(source.proxy)
    if password is None:
        password = f"{proxy.username}:{proxy.password}"
    if password:
        headers["Proxy-Authorization"] = "Basic " + base64.b64encode(password.encode()).decode()
    assert proxy.hostname
    with closing(http.client.HTTPConnection(proxy.hostname, proxy.port, timeout=20)) as connection:
        connection.request(method, target or source.url, headers=headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.headers), answer.read()
