"""Delivery over HTTP: a CloudEvent is posted in binary mode, and the response is the reply.

For functions-framework on this machine and for Knative.

Source: CloudEvents HTTP protocol binding 1.0.
"""

import asyncio
from http import HTTPStatus
from typing import Generic
from urllib.parse import urlsplit

import aiohttp

from adapter.delivery import FunctionBusyError, StepFailedError, delivery_problem
from adapter.delivery.answers import read_answer
from adapter.delivery.requests import request_event
from podjobs.contract.message_contracts import MessageContract, ReplyT, RequestT
from podjobs.contract.redaction import redact
from podjobs.events import write_event

_CONNECT_LIMIT_S = 10
_REPLY_LIMIT_BYTES = 64 * 1024 * 1024


def check_http_url(url: str) -> None:
    """Raise ValueError when a URL does not name a host."""
    if not urlsplit(url).hostname:
        raise ValueError("must be an http:// or https:// URL with a host")


class HttpDelivery(Generic[RequestT, ReplyT]):
    """Invokes one function by its URL."""

    def __init__(self, url: str, contract: MessageContract[RequestT, ReplyT], adapter_id: str, margin_s: float) -> None:
        """Create a delivery.

        Args:
            url: where the function listens.
            contract: its requests and replies.
            adapter_id: names the source of the events.
            margin_s: seconds beyond a request's own time limit after which it is abandoned.
        """
        self._url = url
        self._shown_url = redact(url)
        self._contract = contract
        self._adapter_id = adapter_id
        self._margin_s = margin_s
        # the dispatch's concurrency bounds the number of connections
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), auto_decompress=True, cookie_jar=aiohttp.DummyCookieJar()
        )

    async def deliver(self, request: RequestT) -> ReplyT:
        """Invoke the function. Raises: see Delivery.deliver."""
        headers, body = write_event(request_event(self._contract, request, self._adapter_id))
        limit_s = request.timeout_s + self._margin_s
        timeout = aiohttp.ClientTimeout(total=limit_s, sock_connect=_CONNECT_LIMIT_S)
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                content = await _read(response)
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

    async def close(self) -> None:
        """Release the connections."""
        await self._session.close()
        # the event loop closes the sockets in its next iterations
        await asyncio.sleep(0)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for block in response.content.iter_any():
        content += block
        if len(content) > _REPLY_LIMIT_BYTES:
            detail = f"The function's reply is longer than {_REPLY_LIMIT_BYTES} bytes."
            raise StepFailedError(delivery_problem(detail, HTTPStatus.BAD_GATEWAY))
    return bytes(content)
