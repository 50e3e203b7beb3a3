"""Calls runner clients over HTTP. Implements the `RunnerClient` port.

Source: docs/contract-pod-runner.md, call-backs.
"""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
from pydantic import SecretStr

from podjobs.backends.http_answers import CONNECT_TIMEOUT_S, UNCHANGED, Limits, call, described
from podjobs.contract.errors import RetryableError
from podjobs.contract.ports.runner_client import ClientAnswer
from podjobs.contract.redaction import CUT, redact

ANSWER_LIMIT_BYTES = 64 * 1024
"""What a client says to a call is a sentence, or a page about an error."""
REASON_CHARS = 300
SHORTEST_SECRET = 6
"""Characters; what is shorter, such as a number, is no secret, and would be found everywhere."""


class HttpRunnerClient:
    """Any runner client: where it is called comes with each call."""

    def __init__(self, timeout_s: float) -> None:
        """Open a client; nothing is sent yet.

        Args:
            timeout_s: how long a call may take, from connecting to the last byte of the answer; a Pod fetches and
                imports the results inside the request.
        """
        self._timeout_s = timeout_s
        self._client = httpx.Client(
            headers=UNCHANGED,
            timeout=httpx.Timeout(timeout_s, connect=min(CONNECT_TIMEOUT_S, timeout_s)),
            # as for Pod's REST interface: a kept connection would often be closed as a call is sent
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def call(
        self, url: SecretStr, token: SecretStr, body: dict[str, Any], limit_s: float | None = None
    ) -> ClientAnswer:
        """Call a client; see the port."""
        address, shown = url.get_secret_value(), token.get_secret_value()
        place = redact(address)
        headers = {"Authorization": f"Bearer {shown}"}
        limits = Limits(min(self._timeout_s, limit_s or self._timeout_s), ANSWER_LIMIT_BYTES)
        try:
            answer = call(self._client, limits, "POST", address, json=body, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            why = _clean(described(error), address, shown)
            raise RetryableError(f"Pod cannot be reached at {place}: {why}. Is it running?") from None
        except httpx.TimeoutException:
            raise RetryableError(f"Pod took the call to {place} but did not answer in time.", ambiguous=True) from None
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
            # not «from» it: its text and its request contain the URL
            why = _clean(described(error), address, shown)
            raise RetryableError(f"The connection to Pod broke at {place}: {why}.", ambiguous=True) from None
        return ClientAnswer(answer.status, _clean(answer.excerpt(REASON_CHARS), address, shown))


def _clean(text: str, url: str, token: str) -> str:
    """Text without the token, and without what is secret in a URL, whoever repeats it in whatever form."""
    query = urlsplit(url).query
    for secret in (token, url, query, *(value for _, value in parse_qsl(query))):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, CUT)
    return redact(text)
