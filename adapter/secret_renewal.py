"""The adapter's secrets: read again while it runs.

What is rotated without a restart: the logins of Redis (podjobs/redis_logins.py) and the functions' secret
(delivery/http.py). Both ask for what is held now; here it is seen to that this is never too old, and never faulty.
"""

import asyncio

import structlog

from podjobs.redis_logins import place_of
from podjobs.secret_store import FUNCTION_SECRET, SecretsError
from podjobs.secret_store.held import held_secrets
from podjobs.settings import PodSettings, SettingsError, load_settings

logger = structlog.get_logger(__name__)


class SecretRenewal:
    """Keeps the secrets of a long-lived process."""

    def __init__(self, settings: PodSettings) -> None:
        """Begin with what the process was started with."""
        self._settings = settings
        self._held = held_secrets()
        if self._held is not None:
            self._held.adopt = self._adopt
            self._held.log_start()

    async def run(self) -> None:
        """Read the secrets again and again, until cancelled; end at once if there are none."""
        while self._held is not None:
            await asyncio.sleep(self._held.ttl_s)
            await asyncio.to_thread(self._held.renew)

    def _adopt(self) -> None:
        """Accept other secrets. Raises SecretsError if the process could not be started with them."""
        try:
            settings = load_settings(type(self._settings))
        except SettingsError as error:
            raise SecretsError(str(error)) from None
        names = [name for name in type(settings).model_fields if self._needs_restart(name, settings)]
        if names:
            logger.warning(
                "These settings are others now, which takes effect when the adapter is restarted.", names=names
            )

    def _needs_restart(self, name: str, settings: PodSettings) -> bool:
        before, now = getattr(self._settings, name), getattr(settings, name)
        if before == now or name.upper() == FUNCTION_SECRET:
            return False
        shown = [str(one.get_secret_value()) if hasattr(one, "get_secret_value") else "" for one in (before, now)]
        return not all(shown) or place_of(shown[0]) != place_of(shown[1])
