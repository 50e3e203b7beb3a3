"""Fetches files from web servers over HTTP. Implements the `Web` port.

A server is reached at the address that was checked, not at what its name stands for a moment later; so is each one that
it redirects to. Nothing takes longer than its caller allows: the time of each read ends with that of the whole.
"""

import contextlib
import socket
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from http import HTTPStatus
from typing import Any

import httpcore
import httpx

from podjobs.contract.errors import InvalidRequestError, NotNowError, PermanentError, StepError
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.ports.web import RemoteContent
from podjobs.contract.redaction import redact
from podjobs.contract.web_hosts import HostRules

CONNECT_TIMEOUT_S = 10.0
SILENCE_S = 30.0
"""Longest pause between two blocks."""
MOST_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
NOT_NOW = frozenset({408, 425, 429, 500, 502, 503, 504})
AGENT = "pod-functions"
RANGE_MARK = "bytes "


class _HostRefusedError(Exception):
    """The text says why, as a sentence. None of httpcore's errors, which it takes as reasons to try again."""


class HttpFetcher:
    """Fetches files."""

    def __init__(self, rules: HostRules) -> None:
        """Take the rules for hosts and addresses; nothing is connected yet."""
        self._rules = rules

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return httpx.create_ssl_context()

    @contextlib.contextmanager
    def open(self, url: str, start: int, until_s: float) -> Iterator[RemoteContent]:
        """Ask for a file; see the port."""
        target = _read_url(url)
        for _ in range(MOST_REDIRECTS + 1):
            self._check_host(target)
            with self._asking(target, start, until_s) as response:
                if response.status in REDIRECTS:
                    target = _follow(target, _headers(response))
                    continue
                yield _read_answer(response, target, start)
                return
        raise PermanentError(f"{_shown(target)} redirects more than {MOST_REDIRECTS} times.", kind=FailureKind.SERVICE)

    @contextlib.contextmanager
    def _asking(self, target: httpx.URL, start: int, until_s: float) -> Iterator[httpcore.Response]:
        network = _CheckedNetwork(self._rules, until_s)
        headers = {
            b"Host": target.netloc,
            b"User-Agent": AGENT.encode(),
            b"Accept": b"*/*",
            # a few compressed bytes can become gigabytes, and ranges would count other bytes
            b"Accept-Encoding": b"identity",
            b"Connection": b"close",
        }
        if start:
            headers[b"Range"] = b"bytes=%d-" % start
        address = httpcore.URL(scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path)
        timeouts = {"connect": CONNECT_TIMEOUT_S, "read": SILENCE_S, "write": SILENCE_S, "pool": CONNECT_TIMEOUT_S}
        try:
            with (
                httpcore.ConnectionPool(ssl_context=self._tls, network_backend=network) as pool,
                pool.stream("GET", address, headers=list(headers.items()), extensions={"timeout": timeouts}) as answer,
            ):
                yield answer
        except _HostRefusedError as error:
            raise PermanentError(f"{_shown(target)} is not fetched: {error}", kind=FailureKind.SERVICE) from error
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise _not_now(target, error) from error

    def _check_host(self, target: httpx.URL) -> None:
        if not self._rules.may_name(target.host):
            raise PermanentError(
                f"{_shown(target)} is not fetched: the host {target.host!r} is not among PODJOBS_FETCH_HOSTS. Add it "
                "there if its files may be fetched.",
                kind=FailureKind.SERVICE,
            )


def _read_url(url: str) -> httpx.URL:
    """Raises InvalidRequestError: it is none that can be fetched."""
    try:
        target = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise InvalidRequestError(f"The URL {redact(url)[:200]!r} cannot be read. Correct it.") from error
    if target.scheme not in {"http", "https"} or not target.host:
        raise InvalidRequestError(f"The URL {redact(url)[:200]!r} is not one of a web server. Correct it.")
    if target.userinfo:
        raise InvalidRequestError(f"The URL {redact(url)[:200]!r} contains a login, which is not supported.")
    return target


def _follow(target: httpx.URL, headers: Mapping[str, str]) -> httpx.URL:
    try:
        return _read_url(str(target.join(headers.get("location", ""))))
    except (httpx.InvalidURL, ValueError) as error:
        raise PermanentError(f"{_shown(target)} redirects to what is no URL.", kind=FailureKind.SERVICE) from error


def _read_answer(response: httpcore.Response, target: httpx.URL, start: int) -> RemoteContent:
    """Raises PermanentError, NotNowError: it is not the file."""
    headers, status = _headers(response), response.status
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and start:
        # it has become shorter: nothing of it is of use, and its new version is not known
        return RemoteContent(total_bytes=None, version="", start=start, blocks=iter(()))
    if status not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
        raise _error_of(status, target)
    if headers.get("content-encoding", "identity").strip().lower() not in {"identity", ""}:
        raise PermanentError(f"{_shown(target)} is only sent compressed.", kind=FailureKind.SERVICE)
    begins, total_bytes = 0, _number(headers.get("content-length", ""))
    if status == HTTPStatus.PARTIAL_CONTENT:
        begins, total_bytes = _read_range(headers.get("content-range", ""), target)
    if total_bytes is None and "chunked" not in headers.get("transfer-encoding", "").lower():
        raise PermanentError(
            f"The server does not say how long {_shown(target)} is, so nobody could tell whether all of it has come. "
            "Have it send Content-Length.",
            kind=FailureKind.SERVICE,
        )
    return RemoteContent(
        total_bytes=total_bytes, version=_version(headers), start=begins, blocks=_blocks(response, target)
    )


def _read_range(text: str, target: httpx.URL) -> tuple[int, int | None]:
    """Where a part begins, and how long the whole is. Raises PermanentError."""
    span, _, total = text.removeprefix(RANGE_MARK).partition("/")
    begins = _number(span.partition("-")[0])
    if not text.startswith(RANGE_MARK) or begins is None or _number(total) is None:
        raise PermanentError(
            f"The server answers for a part of {_shown(target)}, but not for which one.", kind=FailureKind.SERVICE
        )
    return begins, _number(total)


def _version(headers: Mapping[str, str]) -> str:
    """Source: RFC 9110, section 8.8."""
    return headers.get("etag", "") or headers.get("last-modified", "")


def _number(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None  # noqa: PLR2004 - 64 bits


def _blocks(response: httpcore.Response, target: httpx.URL) -> Iterator[bytes]:
    try:
        yield from response.iter_stream()
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise _not_now(target, error) from error


def _error_of(status: int, target: httpx.URL) -> StepError:
    said = f"{_shown(target)} cannot be fetched: its server answers {status}"
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return PermanentError(
            f"{said}, there is no such file (any more). Look whether it was deleted, or moved.",
            kind=FailureKind.SOURCE_GONE,
        )
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return PermanentError(
            f"{said}, it is not given to everybody. Have the web server give it to the machines of the functions.",
            kind=FailureKind.SERVICE,
        )
    if status in NOT_NOW:
        return NotNowError(f"{said}. It is tried again.", retry_after_s=None)
    return PermanentError(f"{said}.", kind=FailureKind.SERVICE)


def _not_now(target: httpx.URL, error: Exception) -> NotNowError:
    reason = redact(" ".join(str(error).split()).rstrip(".")) or type(error).__name__
    return NotNowError(f"{_shown(target)} cannot be fetched now: {reason}. It is tried again.", retry_after_s=None)


def _shown(target: httpx.URL) -> str:
    """A URL, for people: its query may be a secret."""
    return redact(str(target))[:300]


def _headers(response: httpcore.Response) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}


class _CheckedNetwork(httpcore.NetworkBackend):
    """Connects to addresses that are allowed, and to no others."""

    def __init__(self, rules: HostRules, until_s: float) -> None:
        self._rules, self._until_s = rules, until_s
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address that can be reached, of those that are allowed."""
        addresses = self._resolve(host, port)
        for number, address in enumerate(addresses, start=1):
            try:
                stream = self._plain.connect_tcp(
                    address, port, _left_s(self._until_s, timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number == len(addresses):
                    raise
            else:
                return _TimedStream(stream, self._until_s)
        raise httpcore.ConnectError("The name stands for no address.")

    def _resolve(self, host: str, port: int) -> list[str]:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"The name {host!r} is not known ({error}).") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        allowed = [address for address in addresses if self._rules.may_reach(host, address)]
        if not allowed:
            raise _HostRefusedError(
                f"the host {host!r} has no public address. Add it to PODJOBS_FETCH_PRIVATE if its files may be fetched."
            )
        return allowed

    def sleep(self, seconds: float) -> None:
        """Wait; see httpcore."""
        time.sleep(seconds)


class _TimedStream(httpcore.NetworkStream):
    """A connection that ends at a certain time."""

    def __init__(self, stream: httpcore.NetworkStream, until_s: float) -> None:
        self._stream, self._until_s = stream, until_s

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left_s(self._until_s, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left_s(self._until_s, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, _left_s(self._until_s, timeout))
        return _TimedStream(stream, self._until_s)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left_s(until_s: float, timeout_s: float | None) -> float:
    """Raises httpcore.ReadTimeout: the time is over."""
    left_s = until_s - time.monotonic()
    if left_s <= 0:
        raise httpcore.ReadTimeout("the time for it is over")
    return left_s if timeout_s is None else min(left_s, timeout_s)
