"""Sends what is in the outbox, by mail, as long as this adapter is the one that does."""

import asyncio

import structlog
from redis.exceptions import RedisError

from adapter.alerts.mails import compose
from adapter.alerts.outbox import Outbox
from adapter.alerts.smtp import MailError, send_mail, write_mail
from adapter.operation_settings.alerts import AlertSettings
from adapter.retries import busy_wait_s

logger = structlog.get_logger(__name__)

LOOK_S = 3.0
LONGEST_WAIT_S = 600.0
"""Between two attempts while the mail server takes nothing."""


class MailSender:
    """Sends the mails."""

    def __init__(self, settings: AlertSettings, outbox: Outbox, page_url: str | None) -> None:
        """Send to the administrators of the settings; page_url: where the page is, None if nowhere."""
        self._settings = settings
        self._outbox = outbox
        self._page_url = page_url
        self._failures = 0

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            wait_s = LOOK_S
            try:
                if await self._outbox.may_send():
                    await self._send()
                self._failures = 0
            except MailError as error:
                self._failures += 1
                wait_s = max(LOOK_S, busy_wait_s(self._failures, LONGEST_WAIT_S))
                logger.error("A mail to the administrators was not sent. It will be sent again.", reason=str(error))  # noqa: TRY400 - not a fault of ours
            except RedisError as error:
                logger.warning("It cannot be looked up what administrators are to be told.", error=str(error))
            await asyncio.sleep(wait_s)

    async def _send(self) -> None:
        """Send what is due. Raises MailError, RedisError."""
        for bundle in await self._outbox.due():
            mail = compose(bundle.kind, bundle.occurrences, self._settings.language, self._page_url)
            written = write_mail(self._settings, mail.subject, mail.text)
            refused = await asyncio.to_thread(send_mail, self._settings, written)
            await self._outbox.sent(bundle)
            logger.info("A mail was sent to the administrators.", kind=bundle.kind, occurrences=len(bundle.occurrences))
            if refused:
                logger.error("The mail server refuses some addresses of ADMINS.", addresses=refused)
