"""How a function goes on when its secrets are rotated: it is built anew, and takes the place of what it was.

    request ─▶ handler ─▶ reply
                  └─ Pod or the LRS refuses the credentials ─▶ secrets are read again ─▶ others? ─▶ handler built anew
                     ▲                                                      │ no                        │
                     └───────────────── the request, once more ◀────────────┼───────────────────────────┘
                                                            refusal, to be repeated soon ◀

Requests in work end with the handler that they began with. Transports and backends know nothing of it.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

import structlog

from podjobs.contract.errors import ShutOutError
from podjobs.contract.message_contracts import ReplyT, RequestT
from podjobs.contract.statements import BatchReport
from podjobs.entry.endpoint import Handler
from podjobs.secret_store import FUNCTION_SECRET, SecretsError
from podjobs.secret_store.held import HeldSecrets
from podjobs.settings import EndpointSettings, SettingsError

logger = structlog.get_logger(__name__)

SHUT_OUT_RETRY_S = 15.0
"""After a refusal, until the secret is there that Pod or the LRS may already have been given."""

SettingsT = TypeVar("SettingsT", bound=EndpointSettings)


class RenewedHandler(Generic[SettingsT, RequestT, ReplyT]):
    """A handler that is replaced when the secrets it was built with are."""

    def __init__(
        self,
        held: HeldSecrets,
        settings: SettingsT,
        handler: Handler[RequestT, ReplyT],
        load: Callable[[], SettingsT],
        build: Callable[[SettingsT], Handler[RequestT, ReplyT]],
    ) -> None:
        """Begin with a handler.

        Args:
            held: the process' secrets.
            settings: what the handler was built with.
            handler: handles requests until there is another one.
            load: reads the settings; raises SettingsError.
            build: makes a handler.
        """
        self._held = held
        self._settings = settings
        self._handler = handler
        self._load = load
        self._build = build
        held.adopt = self._adopt
        held.log_start()

    def handle(self, request: RequestT) -> ReplyT:
        """Handle a request, a second time if there are other secrets than those that were refused."""
        self._held.renew_if_old()
        handler = self._handler
        try:
            reply = handler.handle(request)
        except ShutOutError as error:
            if not self._is_replaced(handler):
                raise _hastened(error) from error
        else:
            if not (isinstance(reply, BatchReport) and reply.trouble and reply.trouble.is_shut_out):
                return reply
            if not self._is_replaced(handler):
                return reply.model_copy(update={"retry_after_s": SHUT_OUT_RETRY_S})
        logger.info("The request is repeated with other credentials.")
        return self._handler.handle(request)

    def _is_replaced(self, handler: Handler[RequestT, ReplyT]) -> bool:
        """Read the secrets again. Returns whether another handler has taken this one's place."""
        self._held.renew()
        return self._handler is not handler

    def _adopt(self) -> None:
        """Use the new secrets. Raises SecretsError."""
        try:
            settings = self._load()
            # the functions' secret is for transports: a speech model, say, need not be loaded again for it
            as_before = {FUNCTION_SECRET.lower(): self._settings.podjobs_function_secret}
            if settings.model_copy(update=as_before) != self._settings:
                self._handler = self._build(settings)
        except SettingsError as error:
            raise SecretsError(str(error)) from None
        self._settings = settings


def _hastened(error: ShutOutError) -> ShutOutError:
    return ShutOutError(error.detail, retry_after_s=SHUT_OUT_RETRY_S)
