"""Calls servers that we do not run: an answer may neither be endless nor take for ever.

httpx limits the time between two reads, not the whole: a byte a second would keep a call for years.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import httpx

from podjobs.contract.redaction import redact

CONNECT_TIMEOUT_S = 10.0
UNCHANGED = {"Accept-Encoding": "identity"}
"""A few compressed bytes can become gigabytes: answers are asked for, and read, as they are."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one call."""

    whole_s: float
    """For all of it, from connecting to the last byte. While only the head of the answer trickles in, a connection that
    was kept from an earlier call is not limited."""
    content_bytes: int
    """The most that is read of the content."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    shortfall: str = ""
    """Why the content is not complete, as the end of a sentence; empty: it is."""

    def excerpt(self, limit_chars: int) -> str:
        """The beginning of the content, on one line and without secrets, for an error's sentence."""
        # what is cut off may have been needed to recognise a secret, so a little more is looked at
        text = self.content[: 8 * limit_chars].decode("utf-8", "replace")
        return redact(" ".join(text.split()))[:limit_chars] or "nothing"


def call(client: httpx.Client, limits: Limits, method: str, url: str, **request: Any) -> HttpAnswer:
    """Send a request, and read the answer as far as the limits allow.

    Once the status is known, what comes after it never fails the call: see `HttpAnswer.shortfall`.

    Args:
        client: keeps the connections; to be created with the headers UNCHANGED.
        limits: of time and size.
        method: of HTTP.
        url: where to.
        request: what httpx sends: `params`, `json`, `content`.

    Raises:
        httpx.HTTPError, httpx.StreamError, httpx.InvalidURL: there is no answer.
    """
    with _Deadline(limits.whole_s) as deadline:
        try:
            with client.stream(method, url, extensions={"trace": deadline.note}, **request) as response:
                content, shortfall = _read(response, deadline, limits.content_bytes)
                return HttpAnswer(response.status_code, response.headers, content, shortfall)
        except httpx.TransportError as error:
            if deadline.is_over and not isinstance(error, httpx.TimeoutException):
                raise httpx.ReadTimeout(f"The answer took longer than {limits.whole_s:g} s.") from error
            raise


def _read(response: httpx.Response, deadline: "_Deadline", limit_bytes: int) -> tuple[bytes, str]:
    content = bytearray()
    try:
        for block in response.iter_raw():
            content += block
            if len(content) > limit_bytes:
                return bytes(content[:limit_bytes]), f"is longer than {limit_bytes} bytes"
            if deadline.is_over:
                break
        if not deadline.is_over:  # otherwise its end may be ours
            return bytes(content), ""
    except httpx.TransportError as error:
        if not deadline.is_over and not isinstance(error, httpx.TimeoutException):
            return bytes(content), f"broke off: {described(error)}"
    return bytes(content), f"took longer than {deadline.timeout_s:g} s"


class _Deadline:
    """Shuts the connection of one call when its time is over: a read that waits then ends at once.

    Source: httpcore's «trace» extension, which hands out each connection as it is opened.
    """

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._ends_at = time.monotonic() + timeout_s
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(timeout_s, self._shut)
        self._timer.daemon = True

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._ends_at

    def note(self, event: str, info: dict[str, Any]) -> None:
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._socket = info["return_value"].get_extra_info("socket")

    def _shut(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                # not the method of a TLS socket, which would take away what another thread is reading from
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()


def described(error: Exception) -> str:
    """What went wrong, as part of a sentence."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
