"""Logins of Redis that are rotated: a new connection shows what the secret says when it is opened.

Connections that are open go on: Redis asks for a password once. One that is opened with a password that is not accepted
any more has the secret read again, and shows the new one at once.
"""

import asyncio
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from redis.exceptions import AuthenticationError

from podjobs.redis_urls import redis_url
from podjobs.secret_store.held import HeldSecrets, held_secrets

_LOGIN = ("username", "password")
_LOGINS = frozenset({*_LOGIN, "sentinel_username", "sentinel_password"})


class RotatedLogin:
    """The login in a URL of Redis that is kept as a secret."""

    def __init__(self, held: HeldSecrets, name: str, url: str) -> None:
        """Begin with a URL.

        Args:
            held: the process' secrets.
            name: of the setting that says the URL.
            url: what it says now, as returned by podjobs.redis_urls.redis_url.
        """
        self._held = held
        self._name = name
        self._url = url

    @property
    def url(self) -> str:
        """The URL as it is now. One that names another place takes effect at the next start."""
        with suppress(ValueError):
            now = redis_url(str(self._held.settings.get(self._name, "")))
            if place_of(now) == place_of(self._url):
                self._url = now
        return self._url

    def renew(self) -> None:
        """Read the secrets again. May take seconds."""
        self._held.renew()

    def connect(self, connection: Any) -> None:
        """Log a new connection in: what redis.Connection calls `redis_connect_func`."""
        shown = self._show(connection)
        try:
            connection.on_connect()
        except AuthenticationError:
            self.renew()
            if self._show(connection) == shown:
                raise
            connection.on_connect()

    async def connect_async(self, connection: Any) -> None:
        """The same for redis.asyncio.Connection."""
        shown = self._show(connection)
        try:
            await connection.on_connect()
        except AuthenticationError:
            await asyncio.to_thread(self.renew)
            if self._show(connection) == shown:
                raise
            await connection.on_connect()

    def _show(self, connection: Any) -> tuple[str | None, str | None]:
        """Have a connection show the login as it is now, and return that."""
        connection.username, connection.password = login = login_of(self.url)
        return login


def rotated_login(url: str) -> RotatedLogin | None:
    """The login in a URL if a secret holds the URL; None: it does not change.

    Args:
        url: as returned by podjobs.redis_urls.redis_url.
    """
    held = held_secrets()
    for name, value in (held.settings if held else {}).items():
        with suppress(ValueError):
            if held and name.endswith("_URL") and redis_url(str(value)) == url:
                return RotatedLogin(held, name, url)
    return None


def login_of(url: str) -> tuple[str | None, str | None]:
    """The user and the password in a URL of Redis; None: there is none."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    user, password = ((unquote(value) if value else None) for value in (parts.username, parts.password))
    return user or query.get("username"), password or query.get("password")


def place_of(url: str) -> str:
    """A URL of Redis without any login."""
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name not in _LOGINS]
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, urlencode(query), ""))
