"""The ways of delivery: the scheme of a function's URL chooses among them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from adapter.delivery import Delivery
from adapter.delivery.http import HttpDelivery, check_http_url
from podjobs.contract.message_contracts import MessageContract, ReplyT, RequestT


class _Opener(Protocol):
    def __call__(
        self, url: str, contract: MessageContract[RequestT, ReplyT], adapter_id: str, margin_s: float
    ) -> Delivery[RequestT, ReplyT]: ...


@dataclass(frozen=True)
class _Way:
    check_url: Callable[[str], None]
    """Raises ValueError, saying what a URL must look like, when it is not of that form."""
    open: _Opener


_HTTP = _Way(check_http_url, HttpDelivery)
_WAYS = {"http": _HTTP, "https": _HTTP}


def check_function_url(url: str) -> str:
    """Return the URL of a function when there is a way to it.

    Raises:
        ValueError: there is none; the text says what a URL must look like, and does not repeat it.
    """
    way = _WAYS.get(urlsplit(url).scheme)
    if way is None:
        raise ValueError(f"must be a URL that begins with {' or '.join(f'{scheme}:' for scheme in _WAYS)}")
    way.check_url(url)
    return url


def open_delivery(
    url: str, contract: MessageContract[RequestT, ReplyT], adapter_id: str, margin_s: float
) -> Delivery[RequestT, ReplyT]:
    """Make the delivery for a function. It must be closed.

    Args:
        url: of the function; `check_function_url` accepts it.
        contract: what the function is asked, and what it replies.
        adapter_id: names the source of the events.
        margin_s: seconds beyond a request's own limit after which the request is given up.
    """
    return _WAYS[urlsplit(url).scheme].open(url, contract, adapter_id, margin_s)
