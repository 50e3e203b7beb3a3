"""Who may see and use the page.

With PODJOBS_PAGE_TOKEN, whoever shows it: by a cookie that proves that it was shown, or in the header Authorization.
Without, whoever is on this machine. What changes anything has to come from the page itself.

Source: OWASP, Cross-Site Request Forgery Prevention and Session Management cheat sheets; W3C, Fetch Metadata.
"""

import hashlib
import hmac
import ipaddress
import secrets
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

COOKIE = "podjobs"
SESSION_S = 12 * 3600
FAILURES = 10
FAILURES_S = 60.0
"""So many wrong tokens within this time, and none is looked at for a while."""
_BEARER = "Bearer "
LOCAL, BEARER = "local", "bearer"
WITHOUT_LOGIN = frozenset({LOCAL, BEARER})
"""The sessions of requests that no login is needed for: nothing can end them."""
_FORWARDED = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Forwarded-Host", "X-Forwarded-Proto", "Via")

NOT_LOCAL = (
    "This page is for administrators who are on the adapter's own machine. To reach it from elsewhere, set "
    "PODJOBS_PAGE_TOKEN."
)
FOR_NOBODY = "PODJOBS_PAGE_URL says that this page is reached from elsewhere. Set PODJOBS_PAGE_TOKEN, too."
NOT_FROM_HERE = "This request does not come from the page itself. Open the page again and repeat what you did."
TOO_OFTEN = "Too many wrong tokens. Wait a minute."


class RefusedError(Exception):
    """A request is refused; the message says why, and what to do."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


class LoginNeededError(Exception):
    """The token has not been shown."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a request comes from, as far as that matters."""

    peer: str
    """Address of the other side of the connection."""
    headers: Mapping[str, str]
    cookie: str = ""
    is_http_1_0: bool = False
    """Whether it is in HTTP 1.0: no browser speaks that, but nginx to what is behind it, unless it is told not to."""


class Access:
    """Judges requests."""

    def __init__(self, token: str | None, *, is_public: bool = False) -> None:
        """Create it.

        Args:
            token: lets in whoever shows it; None: whoever is on this machine.
            is_public: whether others can reach the page, through a proxy that cannot be told from a browser here:
                then it is for nobody without a token.
        """
        self._token = token
        self._is_public = is_public
        seed = token.encode() if token else secrets.token_bytes(32)
        self._key = hashlib.sha256(b"podjobs page\0" + seed).digest()
        self._failures: deque[float] = deque(maxlen=FAILURES)

    @property
    def has_token(self) -> bool:
        """Whether there is anything to log in with."""
        return self._token is not None

    def admit(self, caller: Caller) -> str:
        """Judge a request that changes nothing.

        Returns:
            The session that it belongs to, from which the page's forms get their key.

        Raises:
            LoginNeededError: the token has to be shown first.
            RefusedError: it comes from elsewhere.
        """
        if self._token is None:
            if self._is_public:
                raise RefusedError(FOR_NOBODY, 403)
            if not _is_local(caller):
                raise RefusedError(NOT_LOCAL, 403)
            return LOCAL
        given = caller.headers.get("Authorization", "")
        if given.startswith(_BEARER):
            self.show(given.removeprefix(_BEARER))
            return BEARER
        if not self._is_valid(caller.cookie):
            raise LoginNeededError
        return caller.cookie

    def admit_change(self, caller: Caller, form_key: str) -> str:
        """Judge a request that changes something. Returns and raises as `admit`."""
        session = self.admit(caller)
        if session != BEARER:
            _check_origin(caller.headers)
            if not _are_equal(form_key, self.form_key(session)):
                raise RefusedError(NOT_FROM_HERE, 403)
        return session

    def form_key(self, session: str) -> str:
        """What the page's forms have to repeat."""
        return self._sign(f"form {session}")

    def log_in(self, caller: Caller, token: str) -> str:
        """Take a token. Returns the cookie. Raises LoginNeededError if it is wrong, RefusedError."""
        _check_origin(caller.headers)
        self.show(token)
        session = f"{int(time.time()) + SESSION_S}.{secrets.token_urlsafe(9)}"
        return f"{session}.{self._sign(session)}"

    def show(self, token: str) -> None:
        """Compare a token. Raises LoginNeededError if it is wrong, RefusedError if too many were wrong lately."""
        now_s = time.monotonic()
        if len(self._failures) == FAILURES and now_s - self._failures[0] < FAILURES_S:
            raise RefusedError(TOO_OFTEN, 429)
        if self._token is None or not _are_equal(token, self._token):
            self._failures.append(now_s)
            raise LoginNeededError

    def _is_valid(self, cookie: str) -> bool:
        session, _, signature = cookie.rpartition(".")
        ends = session.partition(".")[0]
        is_signed = _are_equal(signature, self._sign(session))
        return is_signed and ends.isdecimal() and int(ends) > time.time()

    def _sign(self, text: str) -> str:
        return hmac.new(self._key, _bytes(text), hashlib.sha256).hexdigest()


def _are_equal(given: str, expected: str) -> bool:
    """Compare, in a time that tells nothing of what is expected."""
    return hmac.compare_digest(_bytes(given), _bytes(expected))


def _bytes(text: str) -> bytes:
    # headers may have bytes that are no UTF-8; they are surrogates by now
    return text.encode("utf-8", "surrogatepass")


def _is_local(caller: Caller) -> bool:
    """Whether a request comes from this machine, through no proxy, and was meant for it (DNS rebinding)."""
    try:
        is_loopback = ipaddress.ip_address(caller.peer).is_loopback
    except ValueError:
        return False
    host = urlsplit(f"//{caller.headers.get('Host', '')}").hostname or ""
    try:
        is_meant = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_meant = host == "localhost" or host.endswith(".localhost")
    is_forwarded = caller.is_http_1_0 or any(name in caller.headers for name in _FORWARDED)
    return is_loopback and is_meant and not is_forwarded


def _check_origin(headers: Mapping[str, str]) -> None:
    """Raise RefusedError for a request that another site's page has made."""
    if headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise RefusedError(NOT_FROM_HERE, 403)
    origin = headers.get("Origin", "")
    hosts = {headers.get("Host", ""), headers.get("X-Forwarded-Host", "")}
    # a page with no-referrer sends `null` with its forms
    if origin and origin != "null" and urlsplit(origin).netloc not in hosts:
        raise RefusedError(NOT_FROM_HERE, 403)
