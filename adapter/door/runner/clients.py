"""Who may use the runner API, and which machines they may name. Pure."""

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Mapping
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from adapter.runner_settings import TOKEN_CHARS, RunnerClient

BEARER = "Authorization"
API_TOKEN = "X-API-Token"  # noqa: S105 - a header's name
_SCHEME = "bearer "
_TOKEN_BYTES = 32


class Caller(NamedTuple):
    """Who makes a request."""

    name: str
    """In PODJOBS_RUNNER_CLIENTS."""
    client: RunnerClient
    token: str
    header: str
    """In which the token was: BEARER or API_TOKEN."""

    def __repr__(self) -> str:
        """Without the token."""
        return f"Caller({self.name!r})"


class Clients:
    """All clients."""

    def __init__(self, clients: Mapping[str, RunnerClient]) -> None:
        """Use those of PODJOBS_RUNNER_CLIENTS."""
        self._clients = clients

    def identify(self, headers: Mapping[str, str]) -> Caller | None:
        """Find out whose token a request shows; None: nobody's.

        Args:
            headers: of the request; names are looked up without regard to case.
        """
        bearer = headers.get(BEARER, "")
        shown = {API_TOKEN: headers.get(API_TOKEN, "").strip()}
        if bearer.lower().startswith(_SCHEME):
            shown[BEARER] = bearer[len(_SCHEME) :].strip()
        found = None
        for header, token in shown.items():
            if not token:
                continue
            digest = digest_of(token)
            for name, client in self._clients.items():  # all of them: the time tells nothing
                for expected in client.token_sha256:
                    if hmac.compare_digest(digest, expected):
                        found = Caller(name, client, token, header)
        return found


class NewToken(NamedTuple):
    """A token that was made, and what settings know of it."""

    token: str
    digest: str

    @classmethod
    def make(cls) -> Self:
        """Make one that fits into Pod's column."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)[:TOKEN_CHARS]
        return cls(token, digest_of(token))


def digest_of(token: str) -> str:
    """The form in which settings have a token: it is so long that a plain hash does not help to guess it."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def is_allowed(url: str, hosts: tuple[str, ...], *, private: bool) -> bool:
    """Whether a URL leads to one of these hosts.

    Args:
        url: an http:// or https:// URL.
        hosts: names or addresses, each with a port or without: then any.
        private: whether the address itself may be one of the local network. What a name stands for is found out by
            whoever connects.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return False
    if not host or (not private and _is_private(host)):
        return False
    port = port or (443 if parts.scheme == "https" else 80)
    shown = f"[{host}]" if ":" in host else host
    return any(one.lower() in {shown, f"{shown}:{port}"} for one in hosts)


def _is_private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
