"""The learning record store."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol


@dataclass(frozen=True)
class LrsAnswer:
    """The learning record store's response to a request; it holds for the request as a whole."""

    status: int
    """HTTP status: 200 or 204, 409, or one that says that a statement is invalid."""
    reason: str = ""
    """As worded by the LRS."""

    @property
    def is_accepted(self) -> bool:
        """Whether the LRS has all of the statements."""
        return self.status in {HTTPStatus.OK, HTTPStatus.NO_CONTENT}

    @property
    def is_conflict(self) -> bool:
        """Whether the LRS already has a statement with one of these ids."""
        return self.status == HTTPStatus.CONFLICT


class Lrs(Protocol):
    """The learning record store."""

    def post(self, statements: Sequence[dict[str, Any]]) -> LrsAnswer:
        """Post statements, all in one request; safe to repeat.

        Raises:
            NotNowError: nothing is wrong with them; its subclass OperatorNeededError: an operator must act first.
            RetryableError: it failed this time, perhaps because of one of them.
        """
