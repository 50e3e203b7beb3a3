"""Delivery over HTTP: a CloudEvent is posted in binary mode, and the response is the reply.

For functions-framework on this machine and for Knative.

Connections are kept for the next request, but not for long: a server closes those on which nothing comes (gunicorn
after 2 s), perhaps in the very moment in which a request is sent. The request then was not taken, although it looks as
if the function had died of it. So what breaks at once on a connection that was used before is sent again, on a new one;
what breaks on a new connection, or later, costs the step an attempt.

A machine that vanishes closes nothing, and while a function works, its connection is silent anyway. So the kernel asks
whether the other side is still there, and the step is sent again after a minute rather than at its time limit.

Source: CloudEvents HTTP protocol binding 1.0; RFC 9112, 9.3.1 (retrying requests); RFC 6750, 2.1 (Bearer).
"""

import asyncio
import socket
import time
from dataclasses import dataclass
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any, Generic
from urllib.parse import urlsplit

import aiohttp
import structlog
from pydantic import SecretStr

from adapter.delivery import FunctionBusyError, StepFailedError, StepRefusedError, delivery_problem
from adapter.delivery.answers import read_answer
from adapter.delivery.requests import request_event
from podjobs.contract.bounds import REQUEST_BYTES
from podjobs.contract.message_contracts import MessageContract, ReplyT, RequestT
from podjobs.contract.redaction import redact
from podjobs.events import write_event
from podjobs.secret_store import FUNCTION_SECRET
from podjobs.secret_store.setting import SecretSetting

logger = structlog.get_logger(__name__)

_CONNECT_LIMIT_S = 10
_KEPT_S = 1.0
"""How long a connection without a request is kept: less than any server is known to keep it."""
_MOMENT_S = 1.0
"""Within which a connection that its server had closed turns out to be broken: the way there and back."""
_ASKED = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
"""Seconds of silence until the other side is asked, seconds between two questions, and how many are asked."""
_REPLY_LIMIT_BYTES = 64 * 1024 * 1024


def check_http_url(url: str) -> None:
    """Raise ValueError when a URL does not name a host."""
    if not urlsplit(url).hostname:
        raise ValueError("must be an http:// or https:// URL with a host")


@dataclass
class _Sending:
    """What becomes known while a request is sent."""

    began_s: float
    is_reused: bool = False
    """Its connection has carried another request before."""

    @property
    def was_not_taken(self) -> bool:
        """Whether a connection that breaks now was closed by its server before the request came."""
        return self.is_reused and time.monotonic() - self.began_s < _MOMENT_S


class HttpDelivery(Generic[RequestT, ReplyT]):
    """Invokes one function by its URL."""

    def __init__(
        self,
        url: str,
        contract: MessageContract[RequestT, ReplyT],
        adapter_id: str,
        margin_s: float,
        secret: SecretStr | None = None,
    ) -> None:
        """Create a delivery.

        Args:
            url: where the function listens.
            contract: its requests and replies.
            adapter_id: names the source of the events.
            margin_s: seconds beyond a request's own time limit after which it is abandoned.
            secret: shown to the function; None: the function is expected to have none.
        """
        self._url = url
        self._shown_url = redact(url)
        self._contract = contract
        self._adapter_id = adapter_id
        self._margin_s = margin_s
        self._secret = SecretSetting(FUNCTION_SECRET, secret.get_secret_value() if secret else None)
        # two pools, as aiohttp cannot be asked for a new connection while it has old ones
        self._session = _open_session(keepalive_timeout=_KEPT_S)
        self._new_connections = _open_session(force_close=True)

    async def deliver(self, request: RequestT) -> ReplyT:
        """Invoke the function. Raises: see Delivery.deliver."""
        headers, body = write_event(request_event(self._contract, request, self._adapter_id))
        if len(body) > REQUEST_BYTES:
            detail = f"The {self._contract.noun} takes {len(body)} bytes, but a function reads at most {REQUEST_BYTES}."
            raise StepRefusedError(delivery_problem(detail, HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
        limit_s = request.timeout_s + self._margin_s
        shown = self._secret.now
        try:
            return await self._invoke(headers, body, limit_s)
        except FunctionBusyError as error:
            if shown is None or error.problem.status != HTTPStatus.UNAUTHORIZED:
                raise
            # the function may have learnt of a new secret first; it has not begun the step
            await asyncio.to_thread(self._secret.renew)
            if self._secret.now == shown:
                raise
        return await self._invoke(headers, body, limit_s)

    async def _invoke(self, headers: dict[str, str], body: bytes, limit_s: float) -> ReplyT:
        """Send a request with the secret as it is now, and read the answer. Raises: see Delivery.deliver."""
        if (secret := self._secret.now) is not None:
            headers = {**headers, "Authorization": f"Bearer {secret}"}
        try:
            response, content = await self._send(headers, body, limit_s)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            # Nothing was sent: the function is starting, being redeployed, or its server is down.
            detail = f"The function at {self._shown_url} cannot be reached: {redact(str(error))}."
            raise FunctionBusyError(delivery_problem(detail, HTTPStatus.SERVICE_UNAVAILABLE)) from error
        except TimeoutError as error:
            detail = f"The function at {self._shown_url} did not answer within {limit_s:g} s."
            raise StepFailedError(delivery_problem(detail, HTTPStatus.GATEWAY_TIMEOUT)) from error
        except aiohttp.ClientError as error:
            reason = f"{type(error).__name__} {redact(str(error))}".rstrip()
            sentence = f"The connection to the function at {self._shown_url} broke: {reason}"
            raise StepFailedError(delivery_problem(f"{sentence}.", HTTPStatus.BAD_GATEWAY)) from error
        return read_answer(self._contract, response.status, response.headers, content)

    async def _send(self, headers: dict[str, str], body: bytes, limit_s: float) -> tuple[aiohttp.ClientResponse, bytes]:
        """Send a request, a second time if its connection turns out to have been closed before.

        Every request may be repeated: the function that took both would do the same work twice.
        """
        sending = _Sending(time.monotonic())
        try:
            return await self._exchange(self._session, headers, body, limit_s, sending)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            # not those that could not be opened, which are ClientOSErrors, too: they were not reused
            if not sending.was_not_taken:
                raise
            logger.debug("A request is sent again: its connection had been closed.", reason=type(error).__name__)
        return await self._exchange(self._new_connections, headers, body, limit_s, _Sending(time.monotonic()))

    async def _exchange(
        self, session: aiohttp.ClientSession, headers: dict[str, str], body: bytes, limit_s: float, sending: _Sending
    ) -> tuple[aiohttp.ClientResponse, bytes]:
        timeout = aiohttp.ClientTimeout(total=limit_s, sock_connect=_CONNECT_LIMIT_S)
        async with session.post(
            self._url, data=body, headers=headers, timeout=timeout, allow_redirects=False, trace_request_ctx=sending
        ) as response:
            return response, await _read(response)

    async def withdraw(self, _request: RequestT, /) -> None:
        """Do nothing: closing the connection, as whoever ends `deliver` does, is all that HTTP can do."""

    async def workers(self) -> int | None:
        """Unknown: there may be any number of instances behind a URL."""
        return None

    async def close(self) -> None:
        """Release the connections."""
        await self._session.close()
        await self._new_connections.close()
        # the event loop closes the sockets in its next iterations
        await asyncio.sleep(0)


def _open_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    """A socket whose other side is asked whether it is still there."""
    family, kind, protocol, *_ = address
    opened = socket.socket(family, kind, protocol)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _ASKED.items():
        if hasattr(socket, name):  # macOS has two of them
            opened.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return opened


def _open_session(**kept: Any) -> aiohttp.ClientSession:
    """A session that notes whether a request is sent on a connection that was used before.

    Args:
        kept: how long connections are kept, as aiohttp.TCPConnector takes it.
    """

    async def note_reuse(
        _session: aiohttp.ClientSession, context: SimpleNamespace, _params: aiohttp.TraceConnectionReuseconnParams
    ) -> None:
        context.trace_request_ctx.is_reused = True

    trace = aiohttp.TraceConfig()
    trace.on_connection_reuseconn.append(note_reuse)
    # the dispatch's concurrency bounds the number of connections
    connector = aiohttp.TCPConnector(limit=0, socket_factory=_open_socket, **kept)
    return aiohttp.ClientSession(
        connector=connector, auto_decompress=True, cookie_jar=aiohttp.DummyCookieJar(), trace_configs=[trace]
    )


async def _read(response: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for block in response.content.iter_any():
        content += block
        if len(content) > _REPLY_LIMIT_BYTES:
            detail = f"The function's reply is longer than {_REPLY_LIMIT_BYTES} bytes."
            raise StepFailedError(delivery_problem(detail, HTTPStatus.BAD_GATEWAY))
    return bytes(content)
