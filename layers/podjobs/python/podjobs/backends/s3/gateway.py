"""Lets ffmpeg read objects: an HTTP proxy for this machine's own commands, which reads them with our credentials.

    ffmpeg ──── http://media.invalid/<capability>/<name> through http://podjobs:<password>@127.0.0.1 ───▶ this gateway
    this gateway ──── blocks, by signed requests for ranges, of one version of one object ───▶ the storage

No credential and no signature reaches a command. Its URL, which all users of the machine may see, is worth nothing
without the password, which is in its environment; and with the password, nothing but the objects of its own URLs can be
read. See docs/decisions/0038-ffmpeg-reads-through-a-gateway.md.

ffmpeg takes a read that breaks off for the end of the file in some formats and goes on. So whoever runs a command asks
afterwards what kept its inputs from being read (`MediaInput.trouble`), whatever its exit status.
"""

import base64
import contextlib
import copy
import hmac
import os
import secrets
import socket
import sys
import threading
import time
import weakref
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import structlog

from podjobs.backends.s3.capabilities import Capabilities, Opened, Trouble
from podjobs.backends.s3.range_header import UnsatisfiableRangeError, read_range
from podjobs.backends.s3.ranges import Fetch, ObjectVersion, Ranges
from podjobs.contract.commands import MediaInput
from podjobs.contract.errors import NotNowError, RetryableError, StepError

logger = structlog.get_logger(__name__)

HOST = "media.invalid"
"""Of all URLs; no such host can exist. Source: RFC 2606, 2."""
USER = "podjobs"
LONGEST_NAME_CHARS = 1500
"""Of a quoted name: ffmpeg's URLs have at most 4096 characters."""
SEND_BUFFER_BYTES = 8 << 10
"""What lies in the buffers of a connection is lost when ffmpeg seeks elsewhere."""
REQUEST_TIMEOUT_S = 30.0
"""How long a connection may be silent before its request is complete."""
MOST_CONNECTIONS = 256
"""A command has one or two."""
TOO_MANY = f"The gateway for media has more than {MOST_CONNECTIONS} connections: another program here holds them."
FAILED = "The gateway for media failed; its log says why."


class RangeGateway:
    """The gateway of this process: started with its first input, and anew in a process that was forked from it."""

    def __init__(self, fetch: Fetch, cache_bytes: int) -> None:
        """Nothing is started yet.

        Args:
            fetch: reads a range of an object, see ranges.py.
            cache_bytes: memory for what was read.
        """
        self._fetch, self._cache_bytes = fetch, cache_bytes
        self._lock = threading.Lock()
        self._server: _Server | None = None
        forget = weakref.WeakMethod(self._forget)
        os.register_at_fork(after_in_child=lambda: (method := forget()) and method())

    def input_of(self, key: str, etag: str, size_bytes: int, shown_name: str) -> MediaInput:
        """Name one version of an object for ffmpeg.

        Args:
            key: of the object in its bucket, as `fetch` takes it.
            etag: of the version.
            size_bytes: of the version.
            shown_name: the file's absolute path as Pod sees it.
        """
        with self._lock:
            if self._server is None:
                self._server = _Server(Ranges(self._fetch, self._cache_bytes))
                # its thread keeps it, and what it has cached, when nobody else does any more
                weakref.finalize(self, self._server.end_soon).atexit = False
            server = self._server
        opened = server.capabilities.open(ObjectVersion(key, etag, size_bytes))
        # ffmpeg considers the ending when it guesses the format
        name = quote(shown_name.rsplit("/", 1)[-1], safe="")[-LONGEST_NAME_CHARS:]
        return MediaInput(
            url=f"http://{HOST}/{opened.capability}/{name}",
            protocols=("http", "tcp"),
            name=shown_name,
            proxy=server.url,
            trouble=partial(server.trouble_since, opened),
        )

    def close(self) -> None:
        """Stop it. Inputs that it has named cannot be read any more."""
        with self._lock:
            server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()

    def _forget(self) -> None:
        """Leave the gateway to the process from which this one was forked, with whatever locks its threads hold."""
        self._lock = threading.Lock()
        server, self._server = self._server, None
        if server is not None:
            server.socket.close()


class _Server(ThreadingHTTPServer):
    """Listens on a port of this machine; a thread for each connection."""

    daemon_threads = True
    request_queue_size = 128
    block_on_close = False

    def __init__(self, ranges: Ranges) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        password = secrets.token_urlsafe(32)
        self.ranges = ranges
        self._pid = os.getpid()
        self.url = f"http://{USER}:{password}@127.0.0.1:{self.server_port}"
        self._authorization = b"Basic " + base64.b64encode(f"{USER}:{password}".encode())
        self.capabilities = Capabilities()
        self._connections = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self._has_refused = False
        self._trouble: Trouble | None = None
        threading.Thread(target=self.serve_forever, name="media gateway", daemon=True).start()

    def end_soon(self) -> None:
        """End without being waited for; in a forked process, of which its thread is no part, do nothing."""
        if self._pid == os.getpid():
            threading.Thread(target=self._end, daemon=True).start()

    def _end(self) -> None:
        self.shutdown()
        self.server_close()

    def trouble_since(self, opened: Opened, since_s: float) -> StepError | None:
        """What kept an input, or all of them, from being read in a request that began since then."""
        for trouble in (opened.trouble, self._trouble):
            if trouble is not None and trouble.began_s >= since_s:
                return copy.copy(trouble.error)  # several commands may raise it, each with a cause of its own
        return None

    def admits(self, authorization: str) -> bool:
        """Whether a request carries the password."""
        return hmac.compare_digest(authorization.encode("latin-1", "replace"), self._authorization)

    def log_refusal(self, reason: str) -> None:
        """Log the first request that was refused: our commands make none."""
        if not self._has_refused:
            self._has_refused = True
            logger.warning("The gateway for media refused a request that no command should make.", reason=reason)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer a connection in a thread of its own, unless there are too many."""
        if not self._connections.acquire(blocking=False):
            self.log_refusal(TOO_MANY)
            self._trouble = Trouble(time.monotonic(), NotNowError(TOO_MANY))
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer a connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._connections.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - of the base class
        """Log what should not happen; the commands that read meanwhile may not have read all."""
        if isinstance(sys.exc_info()[1], ConnectionError):  # the command reads elsewhere, or has ended
            return
        logger.exception(FAILED)  # noqa: LOG004 - it is called in a handler
        self._trouble = Trouble(time.monotonic(), RetryableError(FAILED))


class _Refusal(NamedTuple):
    """An answer without content."""

    status: HTTPStatus
    reason: str = ""
    """Logged; empty: it is part of the protocol."""
    headers: tuple[tuple[str, str], ...] = ()


class _Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection."""

    protocol_version = "HTTP/1.1"
    timeout = REQUEST_TIMEOUT_S
    server: _Server

    def setup(self) -> None:
        """Keep little in the buffers of the connection."""
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().setup()

    def do_GET(self) -> None:
        """Send what is asked for."""
        self._answer(with_content=True)

    def do_HEAD(self) -> None:
        """Send its headers."""
        self._answer(with_content=False)

    def _answer(self, *, with_content: bool) -> None:
        began_s = time.monotonic()
        found = self._find()
        if isinstance(found, _Refusal):
            self._refuse(found)
            return
        size_bytes = found.version.size_bytes
        try:
            wanted = read_range(self.headers.get("Range"), size_bytes)
        except UnsatisfiableRangeError:
            headers = (("Content-Range", f"bytes */{size_bytes}"),)
            self._refuse(_Refusal(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=headers))
            return
        first, last = wanted or (0, size_bytes - 1)
        self.send_response(HTTPStatus.OK if wanted is None else HTTPStatus.PARTIAL_CONTENT)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(last - first + 1))
        if wanted is not None:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size_bytes}")
        self.end_headers()
        if with_content:
            self._send(found, first, last, began_s)

    def _find(self) -> Opened | _Refusal:
        """What a request leads to, or why it leads nowhere."""
        if not self.server.admits(self.headers.get("Proxy-Authorization", "")):
            # the first request of every command is without the password
            reason = "its password is wrong" if "Proxy-Authorization" in self.headers else ""
            headers = (("Proxy-Authenticate", 'Basic realm="media"'),)
            return _Refusal(HTTPStatus.PROXY_AUTHENTICATION_REQUIRED, reason, headers)
        url = urlsplit(self.path)
        if url.scheme != "http" or url.hostname != HOST:
            return _Refusal(HTTPStatus.FORBIDDEN, "it leads to another host")
        opened = self.server.capabilities.find(url.path.split("/")[1] if url.path else "")
        return opened or _Refusal(HTTPStatus.NOT_FOUND, "it names no input")

    def _refuse(self, refusal: _Refusal) -> None:
        if refusal.reason:
            self.server.log_refusal(refusal.reason)
        self.send_response(refusal.status)
        for name, value in (*refusal.headers, ("Content-Length", "0"), ("Connection", "close")):
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = True

    def _send(self, opened: Opened, first: int, last: int, began_s: float) -> None:
        """Send a range; if it cannot be read, the connection ends too early and the reason is kept."""
        # a command may take its time
        self.connection.settimeout(None)
        try:
            with contextlib.closing(self.server.ranges.read(opened.version, first, last)) as pieces:
                for piece in pieces:
                    if not self._write(piece):
                        break
        except StepError as error:
            opened.trouble = Trouble(began_s, error)
            self.close_connection = True
        except Exception as error:
            detail = f"The file {opened.version.key!r} could not be read: {type(error).__name__}. The log says more."
            logger.exception(FAILED)
            opened.trouble = Trouble(began_s, RetryableError(detail))
            self.close_connection = True
        self.connection.settimeout(self.timeout)

    def _write(self, piece: bytes) -> bool:
        """Send a piece; False: the command reads elsewhere, or has ended."""
        try:
            self.wfile.write(piece)
        except OSError:
            self.close_connection = True
            return False
        return True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Refuse what is not understood: other methods, no HTTP at all."""
        self._refuse(_Refusal(HTTPStatus(code), "it is no request that a command makes"))

    def version_string(self) -> str:
        """The name of this server."""
        return USER

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - of the base class
        """Log no requests."""
