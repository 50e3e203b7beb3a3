"""The page's documents: in which language, and with which headers, they are answered."""

import time
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from aiohttp import web

from adapter.operation_settings.page import PageSettings
from adapter.page.access import Access
from adapter.page.headers import security_headers
from adapter.page.languages import LANGUAGES, choose_language

if TYPE_CHECKING:
    from adapter.page.rendering import Renderer

LANGUAGE_COOKIE = "podjobs-language"
SESSION = web.RequestKey("session", str)
"""What a request that was admitted belongs to."""
_YEAR_S = 365 * 86400


class Documents:
    """Writes documents."""

    def __init__(self, settings: PageSettings, access: Access) -> None:
        """Create none yet.

        Args:
            settings: where the page is.
            access: gives the forms their key.
        """
        self._media_url = settings.pod_media_url
        self._access = access
        self._renderers: dict[str, Renderer] = {}
        self.root = settings.page_root

    @cached_property
    def headers(self) -> dict[str, str]:
        """Those of every answer."""
        return security_headers(self._media_url)

    def language(self, request: web.Request) -> str:
        """The language in which a request is answered."""
        accepted = request.headers.get("Accept-Language", "")
        return choose_language(request.query.get("lang", ""), request.cookies.get(LANGUAGE_COOKIE, ""), accepted)

    def renderer(self, request: web.Request) -> "Renderer":
        """What renders in that language."""
        language = self.language(request)
        if language not in self._renderers:
            from adapter.page.rendering import Renderer  # noqa: PLC0415 - the templates' engine delays the start

            self._renderers[language] = Renderer(language, self.root)
        return self._renderers[language]

    def answer(self, request: web.Request, template: str, status: int = 200, **values: object) -> web.Response:
        """Answer with a document.

        Args:
            request: that is answered.
            template: see `Renderer.render`.
            status: of HTTP.
            values: what the template shows.
        """
        session = request.get(SESSION, "")
        language = self.language(request)
        text = self.renderer(request).render(
            template,
            form_key=self._access.form_key(session) if session else "",
            can_log_out=self._access.has_token and bool(session),
            path=request.path,
            switches={name: _in_language(request, name) for name in LANGUAGES if name != language},
            zone=time.strftime("%Z"),
            **values,
        )
        # an address may hold what is no character
        body = text.encode("utf-8", "replace")
        response = web.Response(body=body, status=status, content_type="text/html", charset="utf-8")
        if request.query.get("lang") == language:
            response.set_cookie(LANGUAGE_COOKIE, language, max_age=_YEAR_S, path=f"{self.root}/", samesite="Strict")
        return response

    def refuse(self, request: web.Request, status: int, sentence: str) -> web.Response:
        """Answer with a sentence that says why not."""
        return self.answer(request, "refused", status, sentence=self.renderer(request).text(sentence))


def _in_language(request: web.Request, language: str) -> str:
    """The address of the same document in another language; of the first page, if it was the answer to a form."""
    place = request.rel_url.raw_path if request.method == "GET" else "/"
    query = [(name, value) for name, value in request.query.items() if name != "lang"]
    return f"{place}?{urlencode([*query, ('lang', language)])}"
