"""The transports: the scheme of a function's URL determines which one delivers to it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from pydantic import SecretStr

from adapter.delivery import Delivery
from adapter.delivery.aws_lambda.names import check_lambda_url
from adapter.delivery.http import HttpDelivery, check_http_url
from adapter.delivery.rq.delivery import RqDelivery
from adapter.delivery.rq.jobs import check_rq_url
from adapter.delivery.rq.store import RedisClient
from podjobs.contract.message_contracts import MessageContract, ReplyT, RequestT


@dataclass(frozen=True)
class AdapterSide:
    """What deliveries know of the adapter."""

    adapter_id: str
    """Names the source of the events."""
    margin_s: float
    """Seconds beyond a request's own time limit after which it is abandoned."""
    secret: SecretStr | None
    """Of the functions, which answer nobody without it; None: they have none."""
    open_queues: Callable[[], RedisClient]
    """Opens a client of the Redis that has the queues of RQ; it returns text."""
    slots: int = 1
    """How many requests are in flight to the function at most."""


class _Opener(Protocol):
    def __call__(
        self, url: str, contract: MessageContract[RequestT, ReplyT], side: AdapterSide
    ) -> Delivery[RequestT, ReplyT]: ...


@dataclass(frozen=True)
class _Transport:
    check_url: Callable[[str], None]
    """Raises ValueError, which says what a URL must look like, if the URL is invalid."""
    open: _Opener
    slots: int | None = None
    """How many requests are in flight unless an operator says otherwise; None: as many as there are processors here."""


def _open_http(url: str, contract: MessageContract[RequestT, ReplyT], side: AdapterSide) -> Delivery[RequestT, ReplyT]:
    return HttpDelivery(url, contract, side.adapter_id, side.margin_s, side.secret)


def _open_rq(url: str, contract: MessageContract[RequestT, ReplyT], side: AdapterSide) -> Delivery[RequestT, ReplyT]:
    return RqDelivery(url, contract, side.adapter_id, side.margin_s, side.open_queues())


def _open_lambda(
    url: str, contract: MessageContract[RequestT, ReplyT], side: AdapterSide
) -> Delivery[RequestT, ReplyT]:
    from adapter.delivery.aws_lambda.delivery import LambdaDelivery  # noqa: PLC0415 - boto3 delays the start

    return LambdaDelivery(url, contract, side.adapter_id, side.margin_s, side.slots)


LAMBDA_SLOTS = 100
"""Well below the 1,000 of an account, which all its functions share."""
_HTTP = _Transport(check_http_url, _open_http)
_TRANSPORTS = {
    "http": _HTTP,
    "https": _HTTP,
    "rq": _Transport(check_rq_url, _open_rq),
    "lambda": _Transport(check_lambda_url, _open_lambda, LAMBDA_SLOTS),
}


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


def default_slots(url: str) -> int | None:
    """How many requests are in flight to a function unless an operator says otherwise; None: as many as processors."""
    return _TRANSPORTS[urlsplit(url).scheme].slots


def open_delivery(
    url: str, contract: MessageContract[RequestT, ReplyT], side: AdapterSide
) -> Delivery[RequestT, ReplyT]:
    """Create the delivery for a function. It must be closed.

    Args:
        url: of the function; `check_function_url` accepts it.
        contract: the function's requests and replies.
        side: what it needs to know of the adapter.
    """
    return _TRANSPORTS[urlsplit(url).scheme].open(url, contract, side)
