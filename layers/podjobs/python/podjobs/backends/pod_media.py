"""What Pod's web server shows of the media. Implements the `PodMedia` port.

The web server stands on Pod's side of the media: it reads the folder that Pod reads, with the caches of that side.
"""

from http import HTTPStatus
from urllib.parse import quote

import httpx

from podjobs.backends.http_answers import CONNECT_TIMEOUT_S, UNCHANGED, HttpAnswer, Limits, call, described
from podjobs.contract.media_paths import Key
from podjobs.contract.ports.pod import SeenFile, Sight
from podjobs.contract.redaction import redact

TIMEOUT_S = 20.0
"""A web server shows a file at once; a mounted bucket may have to fetch it first."""
CONTENT_BYTES = 4 * 1024 * 1024
"""info_video.json takes some kilobytes."""
_UNCACHED = {"Cache-Control": "no-cache", "Pragma": "no-cache"}
_PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
_MISSING = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


class HttpPodMedia:
    """The folder that Pod's web server serves at POD_MEDIA_URL. Nothing is sent but requests for files: no token."""

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S) -> None:
        """Open a client; nothing is sent yet.

        Args:
            url: POD_MEDIA_URL, for instance `https://pod.example.org/media`.
            timeout_s: how long one request may take, from connecting to the last byte.
        """
        self._url = url.rstrip("/")
        self._limits = Limits(timeout_s, CONTENT_BYTES)
        self._client = httpx.Client(
            headers={**UNCHANGED, **_UNCACHED},
            timeout=httpx.Timeout(timeout_s, connect=min(CONNECT_TIMEOUT_S, timeout_s)),
            # what is looked at next may be due minutes later
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def look(self, key: Key) -> SeenFile:
        """Look whether a file is shown; see the port."""
        return self._ask("HEAD", key)

    def read(self, key: Key) -> SeenFile:
        """Read a small file; see the port."""
        return self._ask("GET", key)

    def _ask(self, method: str, key: Key) -> SeenFile:
        try:
            answer = call(self._client, self._limits, method, f"{self._url}/{quote(key)}")
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
            return SeenFile(Sight.UNKNOWN, f"it cannot be reached ({redact(described(error))})")
        return _seen(answer)


def _seen(answer: HttpAnswer) -> SeenFile:
    status = answer.status
    if status == HTTPStatus.OK:
        if answer.shortfall:
            return SeenFile(Sight.UNKNOWN, f"the answer {answer.shortfall}")
        stated = answer.headers.get("content-length", "")
        return SeenFile(Sight.SHOWN, size_bytes=int(stated) if stated.isdecimal() else None, content=answer.content)
    reason = f"the answer is {status}"
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        reason += f" (to {redact(answer.headers.get('location', '?'))!r})"
    if status in _MISSING:
        return SeenFile(Sight.MISSING, reason)
    passes = status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    is_unable = status == HTTPStatus.NOT_IMPLEMENTED
    return SeenFile(Sight.UNKNOWN if passes and not is_unable else Sight.REFUSED, reason)
