"""Delivery over HTTP: one POST of a CloudEvent in binary mode, whose answer is the reply.

For functions-framework on this machine and for Knative.

Source: CloudEvents HTTP protocol binding 1.0; RFC 9457 (problems).
"""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Generic

import aiohttp
from cloudevents.conversion import to_binary
from cloudevents.exceptions import GenericException as CloudEventError
from cloudevents.http import CloudEvent, from_http
from pydantic import ValidationError

from adapter.delivery import DeliveryError, FunctionBusyError, StepFailedError, StepRefusedError
from podjobs.contract.errors import PROBLEM_CONTENT_TYPE, Problem
from podjobs.contract.message_contracts import MessageContract, ReplyT, RequestT
from podjobs.contract.requests import Request
from podjobs.contract.retry_after import read_retry_after

_NOT_NOW = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
_OF_THE_WAY = {
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED,
}
"""Without a problem these come from what stands before the function, or from a wrong URL: an operator can mend it."""
_PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY}
_EXCERPT_CHARS = 300
_REPLY_LIMIT_BYTES = 64 * 1024 * 1024


class HttpDelivery(Generic[RequestT, ReplyT]):
    """Invokes one function by its URL."""

    def __init__(self, url: str, contract: MessageContract[RequestT, ReplyT], adapter_id: str, margin_s: float) -> None:
        """Make a delivery.

        Args:
            url: where the function listens.
            contract: what it is asked, and what it replies.
            adapter_id: names the source of the events.
            margin_s: seconds beyond a request's own limit after which the request is given up.
        """
        self._url = url
        self._contract = contract
        self._source = f"/podjobs/adapter/{adapter_id}"
        self._margin_s = margin_s
        # the number of connections is bounded by the dispatch's own limit
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), auto_decompress=True, cookie_jar=aiohttp.DummyCookieJar()
        )

    async def deliver(self, request: RequestT) -> ReplyT:
        """Invoke the function. Raises: see Delivery.deliver."""
        headers, body = write_request(request, self._contract.request_type, self._source)
        limit_s = request.timeout_s + self._margin_s
        timeout = aiohttp.ClientTimeout(total=limit_s, sock_connect=10)
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                content = await _read(response)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            # Nothing was sent: the function is being started, redeployed, or its server is down.
            raise FunctionBusyError(
                _problem(f"The function at {self._url} cannot be reached: {error}.", 503)
            ) from error
        except TimeoutError as error:
            raise StepFailedError(
                _problem(f"The function at {self._url} did not answer within {limit_s:g} s.", 504)
            ) from error
        except aiohttp.ClientError as error:
            sentence = f"The connection to the function at {self._url} broke: {type(error).__name__} {error}".rstrip()
            raise StepFailedError(_problem(f"{sentence}.", 502)) from error
        return read_answer(self._contract, response.status, response.headers, content)

    async def close(self) -> None:
        """Release the connections."""
        await self._session.close()
        # the sockets are closed by the loop's next turns
        await asyncio.sleep(0)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for block in response.content.iter_any():
        content += block
        if len(content) > _REPLY_LIMIT_BYTES:
            raise StepFailedError(_problem(f"The function's reply is longer than {_REPLY_LIMIT_BYTES} bytes.", 502))
    return bytes(content)


def write_request(request: Request, event_type: str, source: str) -> tuple[dict[str, str], bytes]:
    """Write a request as a CloudEvent in binary mode: headers and body."""
    event = CloudEvent(
        {
            "type": event_type,
            "source": source,
            "id": f"{request.subject}/{request.attempt}",
            "subject": request.subject,
            "datacontenttype": "application/json",
        },
        request.model_dump_json().encode(),
    )
    headers: dict[str, str]
    headers, body = to_binary(event, data_marshaller=lambda data: data)
    return headers, bytes(body)


def read_answer(
    contract: MessageContract[RequestT, ReplyT], status: int, headers: Mapping[str, str], content: bytes
) -> ReplyT:
    """Tell what a function's answer means.

    Args:
        contract: what it may reply.
        status: HTTP status.
        headers: of the answer, in any case.
        content: the body.

    Raises:
        StepRefusedError, StepFailedError, FunctionBusyError: the answer is no reply.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return _read_reply(contract, lower, content)
    told = _told_problem(lower, content)
    problem = told or _problem(f"The function answered with status {status}: {_excerpt(content)}", status)
    raise _verdict(status, problem, told=told is not None, retry_after=lower.get("retry-after"))


def _verdict(status: int, problem: Problem, *, told: bool, retry_after: str | None) -> DeliveryError:
    if status in _NOT_NOW:
        return FunctionBusyError(problem, read_retry_after(retry_after))
    if status in _PASSING or (status in _OF_THE_WAY and not told):
        return StepFailedError(problem)
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return StepRefusedError(problem)
    return StepFailedError(problem)


def _read_reply(contract: MessageContract[RequestT, ReplyT], headers: Mapping[str, str], content: bytes) -> ReplyT:
    try:
        event = from_http(headers, content, data_unmarshaller=lambda data: data)
        return contract.read_reply(event["type"], event.data)
    except (CloudEventError, ValidationError, ValueError, TypeError, AttributeError, KeyError) as error:
        # the CloudEvents SDK lets the errors of the JSON parser and of its own attribute access through
        detail = f"The function's answer is no reply: {_first_lines(error)} It begins: {_excerpt(content)}"
        raise StepFailedError(_problem(detail, 502)) from error


def _told_problem(headers: Mapping[str, str], content: bytes) -> Problem | None:
    if headers.get("content-type", "").partition(";")[0].strip().lower() != PROBLEM_CONTENT_TYPE:
        return None
    try:
        return Problem.model_validate_json(content)
    except ValidationError:
        return None


def _problem(detail: str, status: int) -> Problem:
    return Problem(title="The step was not done.", status=min(max(status, 400), 599), detail=detail)


def _excerpt(content: bytes) -> str:
    return repr(content.decode("utf-8", "replace").strip()[:_EXCERPT_CHARS])


def _first_lines(error: Exception) -> str:
    return " ".join(str(error).split())[:_EXCERPT_CHARS].rstrip(".") + "."
