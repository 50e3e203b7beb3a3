"""The transports: the scheme of a function's URL determines which one delivers to it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from pydantic import SecretStr

from adapter.delivery import Delivery
from adapter.delivery.http import HttpDelivery, check_http_url
from podjobs.contract.message_contracts import MessageContract, ReplyT, RequestT


class _Opener(Protocol):
    def __call__(
        self,
        url: str,
        contract: MessageContract[RequestT, ReplyT],
        adapter_id: str,
        margin_s: float,
        secret: SecretStr | None,
    ) -> Delivery[RequestT, ReplyT]: ...


@dataclass(frozen=True)
class _Transport:
    check_url: Callable[[str], None]
    """Raises ValueError, which says what a URL must look like, if the URL is invalid."""
    open: _Opener


_HTTP = _Transport(check_http_url, HttpDelivery)
_TRANSPORTS = {"http": _HTTP, "https": _HTTP}


def check_function_url(url: str) -> str:
    """Return the URL of a function if a transport supports it.

    Raises:
        ValueError: none does; the message says what a URL must look like, and does not repeat it.
    """
    transport = _TRANSPORTS.get(urlsplit(url).scheme)
    if transport is None:
        raise ValueError(f"must be a URL that begins with {' or '.join(f'{scheme}:' for scheme in _TRANSPORTS)}")
    transport.check_url(url)
    return url


def open_delivery(
    url: str,
    contract: MessageContract[RequestT, ReplyT],
    adapter_id: str,
    margin_s: float,
    secret: SecretStr | None = None,
) -> Delivery[RequestT, ReplyT]:
    """Create the delivery for a function. It must be closed.

    Args:
        url: of the function; `check_function_url` accepts it.
        contract: the function's requests and replies.
        adapter_id: names the source of the events.
        margin_s: seconds beyond a request's own time limit after which it is abandoned.
        secret: of the functions, which answer nobody without it; None: they have none.
    """
    return _TRANSPORTS[urlsplit(url).scheme].open(url, contract, adapter_id, margin_s, secret)
