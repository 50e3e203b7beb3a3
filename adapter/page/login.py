"""Logging in and out."""

from aiohttp import HttpVersion11, web

from adapter.page.access import COOKIE, SESSION_S, WITHOUT_LOGIN, Access, Caller, LoginNeededError
from adapter.page.documents import SESSION, Documents
from adapter.page.logouts import Logouts


class Login:
    """Takes the token, and gives a cookie that proves that it was shown."""

    def __init__(self, documents: Documents, access: Access, logouts: Logouts) -> None:
        """Use what judges tokens, and what notes who has logged out."""
        self._documents = documents
        self._access = access
        self._logouts = logouts

    async def show(self, request: web.Request) -> web.StreamResponse:
        """The form."""
        if not self._access.has_token:
            return self._to_front()
        return self._documents.answer(request, "login", is_wrong=False)

    async def log_in(self, request: web.Request) -> web.StreamResponse:
        """Take the token."""
        if not self._access.has_token:
            return self._to_front()
        form = await request.post()
        token = form.get("token", "")
        try:
            cookie = self._access.log_in(caller_of(request), token if isinstance(token, str) else "")
        except LoginNeededError:
            return self._documents.answer(request, "login", 401, is_wrong=True)
        response = self._to_front()
        response.set_cookie(
            COOKIE,
            cookie,
            max_age=SESSION_S,
            path=f"{self._documents.root}/",
            httponly=True,
            samesite="Strict",
            secure=request.headers.get("X-Forwarded-Proto", request.scheme) == "https",
        )
        return response

    async def log_out(self, request: web.Request) -> web.StreamResponse:
        """Forget the cookie, and take it no more. Raises RedisError: it is still valid."""
        if request[SESSION] not in WITHOUT_LOGIN:
            await self._logouts.note(request[SESSION])
        request[SESSION] = ""
        response = self._documents.answer(request, "login", is_wrong=False)
        response.del_cookie(COOKIE, path=f"{self._documents.root}/")
        return response

    def _to_front(self) -> web.Response:
        return web.Response(status=303, headers={"Location": f"{self._documents.root}/"})


def caller_of(request: web.Request) -> Caller:
    """Where a request comes from."""
    is_http_1_0 = request.version < HttpVersion11
    return Caller(request.remote or "", request.headers, request.cookies.get(COOKIE, ""), is_http_1_0)
