"""A web server whose files are fetched: it sends ranges and versions as nginx does, and misbehaves as it is told."""

import contextlib
import http.server
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class WebFile:
    """A file, and how it is sent."""

    content: bytes
    version: str = '"1"'
    """Its ETag; empty: none is sent."""
    ranges: bool = True
    """Whether parts of it can be had."""
    breaks_after: list[int] = field(default_factory=list)
    """For one request after another: after so many bytes the connection breaks off."""
    statuses: list[int] = field(default_factory=list)
    """For one request after another: the answer instead of the file."""
    length: str = "right"
    """`right`; `none`: it is not said; `chunked`: the end is marked instead."""
    bytes_per_s: float = 0.0
    """0: as fast as possible."""
    location: str = ""
    """Where it redirects to."""
    encoding: str = ""
    """Its Content-Encoding."""
    sends_another_part: bool = False
    """Whether what it sends of a part begins at 1, whatever was asked for."""
    begins_at: int = 0
    """Where it begins to send although the whole was asked for."""


class VideoWeb:
    """The server, at a port of its own."""

    def __init__(self) -> None:
        self.files: dict[str, WebFile] = {}
        """By path, with its slash."""
        self.requests: list[tuple[str, int]] = []
        """Path, and position asked for."""
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"web": self}))
        self._server.daemon_threads = True

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        """The URL of a file."""
        return f"http://{host}:{self.port}{path}"

    def put(self, path: str, content: bytes, **how: object) -> str:
        """Offer a file. Returns its URL."""
        self.files[path] = WebFile(content, **how)  # type: ignore[arg-type]  # its fields
        return self.url(path)

    @property
    def starts(self) -> list[int]:
        """The positions that were asked for, in order."""
        return [start for _, start in self.requests]

    @contextlib.contextmanager
    def serving(self) -> Iterator["VideoWeb"]:
        """Serve."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    web: VideoWeb

    def do_GET(self) -> None:
        file = self.web.files.get(self.path.partition("?")[0])
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(asked[1]) if asked else 0
        self.web.requests.append((self.path, start))
        if file is None:
            self._refuse(404)
        elif file.statuses and (status := file.statuses.pop(0)) != 200:
            self._refuse(status)
        elif file.location:
            self._refuse(302, file.location)
        elif start and file.ranges and start >= len(file.content):
            self._refuse(416)
        else:
            self._send(file, (start if file.ranges else 0) or file.begins_at)

    def _refuse(self, status: int, location: str = "") -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, file: WebFile, start: int) -> None:
        rest = file.content[start:]
        self.send_response(206 if start else 200)
        if start:
            first = 1 if file.sends_another_part else start
            self.send_header("Content-Range", f"bytes {first}-{len(file.content) - 1}/{len(file.content)}")
        if file.version:
            self.send_header("ETag", file.version)
        if file.encoding:
            self.send_header("Content-Encoding", file.encoding)
        if file.length == "right":
            self.send_header("Content-Length", str(len(rest)))
        elif file.length == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.close_connection = True
        most = file.breaks_after.pop(0) if file.breaks_after else len(rest)
        with contextlib.suppress(ConnectionError):
            self._write(file, rest[:most])
            if most >= len(rest) and file.length == "chunked":
                self.wfile.write(b"0\r\n\r\n")

    def _write(self, file: WebFile, content: bytes) -> None:
        step = max(1, int(file.bytes_per_s / 50)) if file.bytes_per_s else 1 << 18
        for first in range(0, len(content), step):
            block = content[first : first + step]
            if file.length == "chunked":
                block = b"%x\r\n%s\r\n" % (len(block), block)
            self.wfile.write(block)
            if file.bytes_per_s:
                time.sleep(len(block) / file.bytes_per_s)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
