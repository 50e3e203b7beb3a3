"""A learning record store over HTTP. Implements the `Lrs` port.

Source: docs/contract-pod.md, xAPI; xAPI 1.0.3, part 3, 2.1.2 (POST statements) and 3.2 (error codes).
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx

from podjobs.contract.errors import NotNowError, OperatorNeededError, RetryableError
from podjobs.contract.ports import LrsAnswer
from podjobs.contract.retry_after import read_retry_after

CONNECT_TIMEOUT_S = 10.0
KEEP_ALIVE_S = 4.0
"""Less than the 5 s after which uvicorn closes an idle connection, so that no request is sent on a closed one."""
OPERATOR_RETRY_S = 60.0
"""An operator must act first (401, 403, 404, 405, 3xx): retrying more often changes nothing."""
RESPONSE_LIMIT_BYTES = 4 * 1024 * 1024
"""A response is a list of ids, 40 bytes each."""
REASON_CHARS = 500
_ABOUT_THE_STATEMENTS = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY}
)
_NOT_NOW = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
_REMEDIES = {
    HTTPStatus.UNAUTHORIZED: "XAPI_LRS_LOGIN or XAPI_LRS_PWD is wrong",
    HTTPStatus.FORBIDDEN: "The user of XAPI_LRS_LOGIN may not write statements",
    HTTPStatus.NOT_FOUND: "XAPI_LRS_URL is not the LRS's statements endpoint",
    HTTPStatus.METHOD_NOT_ALLOWED: "XAPI_LRS_URL is not the LRS's statements endpoint",
}


@dataclass(frozen=True, slots=True)
class _Response:
    status: int
    headers: Mapping[str, str]
    content: bytes


class HttpLrs:
    """An LRS at one address."""

    def __init__(  # noqa: PLR0913 - each is a setting
        self, url: str, *, login: str, password: str, version: str, timeout_s: float, connections: int
    ) -> None:
        """Open a client; nothing is sent yet. Connections are kept and reused.

        Args:
            url: XAPI_LRS_URL, where statements are posted.
            login: XAPI_LRS_LOGIN.
            password: XAPI_LRS_PWD.
            version: the X-Experience-API-Version to send.
            timeout_s: how long a request may take, from start to end of the response.
            connections: how many requests may run at once.
        """
        self._url = url
        self._timeout_s = timeout_s
        self._client = httpx.Client(
            auth=(login, password),
            headers={"X-Experience-API-Version": version, "Content-Type": "application/json"},
            timeout=httpx.Timeout(timeout_s, connect=min(CONNECT_TIMEOUT_S, timeout_s)),
            limits=httpx.Limits(
                max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=KEEP_ALIVE_S
            ),
        )

    def post(self, statements: Sequence[dict[str, Any]]) -> LrsAnswer:
        """Post statements in one request; see the port."""
        body = json.dumps(statements, ensure_ascii=False, separators=(",", ":")).encode()
        response = self._send(body)
        if response.status == HTTPStatus.OK:
            _check_ids(response.content, statements)
            return LrsAnswer(response.status)
        if response.status in {HTTPStatus.NO_CONTENT, HTTPStatus.CONFLICT}:
            return LrsAnswer(response.status)
        reason = _excerpt(response.content)
        if response.status in _ABOUT_THE_STATEMENTS:
            return LrsAnswer(response.status, f"The LRS answered {response.status}: {reason}")
        raise _failure(response, reason)

    def _send(self, body: bytes) -> _Response:
        deadline = time.monotonic() + self._timeout_s
        try:
            with self._client.stream("POST", self._url, content=body) as response:
                content = bytearray()
                for block in response.iter_bytes():
                    content += block
                    # httpx limits the time between reads, not the total: a trickling response would never end
                    if time.monotonic() > deadline:
                        raise RetryableError(f"The LRS's response took longer than {self._timeout_s:g} s.")
                    if len(content) > RESPONSE_LIMIT_BYTES:
                        raise RetryableError(f"The LRS's response is longer than {RESPONSE_LIMIT_BYTES} bytes.")
                return _Response(response.status_code, response.headers, bytes(content))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            detail = f"The LRS cannot be reached: {_described(error)}. Is it running?"
            raise NotNowError(detail, retry_after_s=None) from error
        except httpx.TimeoutException as error:
            raise RetryableError(f"The LRS did not answer within {self._timeout_s:g} s.") from error
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
            raise RetryableError(f"The connection to the LRS broke: {_described(error)}.") from error


def _check_ids(content: bytes, statements: Sequence[dict[str, Any]]) -> None:
    """An LRS answers 200 with the ids it received (ralph: only new ones). Anything else is not an LRS."""
    sent = {str(statement.get("id")).lower() for statement in statements}
    try:
        ids = json.loads(content)
    except (ValueError, RecursionError):
        ids = None
    if not isinstance(ids, list) or not {str(one).lower() for one in ids} <= sent:
        raise RetryableError(
            "The response is not that of an LRS, though its status is 200. "
            f"Check that XAPI_LRS_URL is the LRS's statements endpoint. The response begins: {_excerpt(content)}"
        )


def _failure(response: _Response, reason: str) -> RetryableError:
    status = response.status
    if status in _REMEDIES:
        remedy = _REMEDIES[HTTPStatus(status)]
        detail = f"The LRS answered {status}. {remedy}; correct it. The LRS says: {reason}"
        return OperatorNeededError(detail, retry_after_s=OPERATOR_RETRY_S)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        location = response.headers.get("location", "?")
        detail = f"The LRS redirects to {location!r}. Set XAPI_LRS_URL to the final address."
        return OperatorNeededError(detail, retry_after_s=OPERATOR_RETRY_S)
    if status in _NOT_NOW:
        wished_s = read_retry_after(response.headers.get("retry-after"))
        return NotNowError(f"The LRS asks to wait ({status}): {reason}", retry_after_s=wished_s)
    return RetryableError(f"The LRS answered {status}: {reason}")


def _excerpt(content: bytes) -> str:
    return " ".join(content.decode("utf-8", "replace").split())[:REASON_CHARS] or "nothing"


def _described(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
