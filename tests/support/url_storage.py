"""A storage whose files ffmpeg reads by URL, as it reads object storage: ranges of them, and a secret in the query."""

import http.server
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from podjobs.contract.commands import MediaInput
from podjobs.contract.media_paths import Key
from podjobs.contract.ports.storage import Storage
from support.forward_only import ForwardOnlyStorage

SECRET = "5f3c0ffee5EcReT"  # noqa: S105 - of the tests alone


@contextmanager
def url_storage(root: Path, storage: Storage) -> "Iterator[UrlStorage]":
    """Serve a media root over HTTP, to those who know the secret."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(root))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield UrlStorage(storage, f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class UrlStorage:
    """Another storage; ffmpeg reads its files by URL, and streams are read forward only."""

    storage: Storage
    base_url: str

    def __getattr__(self, name: str) -> Any:
        return getattr(ForwardOnlyStorage(self.storage), name)

    def input_of(self, key: Key) -> MediaInput:
        file = self.storage.input_of(key)
        url = f"{self.base_url}/{quote(key)}?X-Amz-Credential=5EcReT%2Fx&X-Amz-Signature={SECRET}"
        return MediaInput(url, ("http", "tcp"), file.name)


def _handler(root: Path) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            file = root / unquote(url.path).lstrip("/")
            if parse_qs(url.query).get("X-Amz-Signature") != [SECRET] or not file.is_file():
                self.send_error(403)
                return
            size = file.stat().st_size
            wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "bytes=0-"))
            assert wanted
            begin, end = int(wanted[1]), int(wanted[2] or size - 1)
            self.send_response(206 if begin < size else 416)
            self.send_header("Content-Range", f"bytes {begin}-{end}/{size}" if begin < size else f"bytes */{size}")
            self.send_header("Content-Length", str(max(0, end - begin + 1)))
            self.end_headers()
            with file.open("rb") as content:
                content.seek(begin)
                try:
                    while block := content.read(min(1 << 16, end + 1 - content.tell())):
                        self.wfile.write(block)
                except ConnectionError:
                    self.close_connection = True  # ffmpeg seeks elsewhere

        def log_message(self, *_: object) -> None:
            pass

    return Handler
