"""A runner client: a Pod that has handed a task over, and is called when it has ended."""

from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import SecretStr


@dataclass(frozen=True)
class ClientAnswer:
    """What a client answered to a call."""

    status: int
    text: str = ""
    """The beginning of what it said, without secrets."""


class RunnerClient(Protocol):
    """A runner client."""

    def call(
        self, url: SecretStr, token: SecretStr, body: dict[str, Any], limit_s: float | None = None
    ) -> ClientAnswer:
        """Call it at a URL of its own.

        Args:
            url: may contain secrets.
            token: the client's own, by which it knows us.
            body: sent as JSON.
            limit_s: how long it may take, in seconds; None: as long as an import may.

        Raises RetryableError: there is no answer; with `ambiguous` in its context if it may have acted on the call.
        """
