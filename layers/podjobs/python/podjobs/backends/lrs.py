"""A learning record store over HTTP. Implements the `Lrs` port.

Source: docs/contract-pod.md, xAPI; xAPI 1.0.3, part 3, 2.1.2 (POST statements) and 3.2 (error codes).
"""

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import httpx

from podjobs.backends.http_answers import CONNECT_TIMEOUT_S, UNCHANGED, HttpAnswer, Limits, call, described
from podjobs.contract.errors import NotNowError, OperatorNeededError, RetryableError, ShutOutError
from podjobs.contract.ports.lrs import LrsAnswer
from podjobs.contract.redaction import redact
from podjobs.contract.retry_after import read_retry_after

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
_SHUT_OUT = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_REMEDIES = {
    HTTPStatus.UNAUTHORIZED: "XAPI_LRS_LOGIN or XAPI_LRS_PWD is wrong",
    HTTPStatus.FORBIDDEN: "The user of XAPI_LRS_LOGIN may not write statements",
    HTTPStatus.NOT_FOUND: "XAPI_LRS_URL is not the LRS's statements endpoint",
    HTTPStatus.METHOD_NOT_ALLOWED: "XAPI_LRS_URL is not the LRS's statements endpoint",
}


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
            headers={**UNCHANGED, "X-Experience-API-Version": version, "Content-Type": "application/json"},
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
            _check_ids(response, statements)
            return LrsAnswer(response.status)
        if response.status in {HTTPStatus.NO_CONTENT, HTTPStatus.CONFLICT}:
            return LrsAnswer(response.status)
        reason = response.excerpt(REASON_CHARS)
        if response.status in _ABOUT_THE_STATEMENTS:
            return LrsAnswer(response.status, f"The LRS answered {response.status}: {reason}")
        raise _failure(response, reason)

    def _send(self, body: bytes) -> HttpAnswer:
        limits = Limits(self._timeout_s, RESPONSE_LIMIT_BYTES)
        try:
            response = call(self._client, limits, "POST", self._url, content=body)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            detail = f"The LRS cannot be reached: {described(error)}. Is it running?"
            raise NotNowError(detail, retry_after_s=None) from error
        except httpx.TimeoutException as error:
            raise RetryableError(f"The LRS did not answer within {self._timeout_s:g} s.") from error
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
            raise RetryableError(f"The connection to the LRS broke: {described(error)}.") from error
        if response.shortfall:
            raise RetryableError(f"The LRS's response {response.shortfall}.")
        return response


def _check_ids(response: HttpAnswer, statements: Sequence[dict[str, Any]]) -> None:
    """An LRS answers 200 with the ids it received (ralph: only new ones). Anything else is not an LRS."""
    sent = {str(statement.get("id")).lower() for statement in statements}
    try:
        ids = json.loads(response.content)
    except (ValueError, RecursionError):
        ids = None
    if not isinstance(ids, list) or not {str(one).lower() for one in ids} <= sent:
        raise RetryableError(
            "The response is not that of an LRS, though its status is 200. "
            "Check that XAPI_LRS_URL is the LRS's statements endpoint. "
            f"The response begins: {response.excerpt(REASON_CHARS)}"
        )


def _failure(response: HttpAnswer, reason: str) -> RetryableError:
    status = response.status
    if status in _REMEDIES:
        remedy = _REMEDIES[HTTPStatus(status)]
        detail = f"The LRS answered {status}. {remedy}; correct it. The LRS says: {reason}"
        kind = ShutOutError if status in _SHUT_OUT else OperatorNeededError
        return kind(detail, retry_after_s=OPERATOR_RETRY_S)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        location = redact(response.headers.get("location", "?"))
        detail = f"The LRS redirects to {location!r}. Set XAPI_LRS_URL to the final address."
        return OperatorNeededError(detail, retry_after_s=OPERATOR_RETRY_S)
    if status in _NOT_NOW:
        wished_s = read_retry_after(response.headers.get("retry-after"))
        return NotNowError(f"The LRS asks to wait ({status}): {reason}", retry_after_s=wished_s)
    return RetryableError(f"The LRS answered {status}: {reason}")
