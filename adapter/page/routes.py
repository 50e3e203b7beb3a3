"""The page's addresses, and what each of them does.

GET  /, /admin            what needs attention, what runs, what waits, what failed
GET  /jobs                jobs by conditions; /jobs/<id> one job
POST /jobs/confirm        which jobs a bulk action would change; /jobs/change does it
POST /jobs/<id>/cancel, /jobs/<id>/retry, /functions/<name>/pause, /functions/<name>/resume, /adapters/<id>/drain
GET  /events              keeps a page that is open up to date
GET, POST /login, POST /logout
GET  /static/<file>
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from adapter.page.access import COOKIE, SESSION_S, Access, Caller, LoginNeededError, RefusedError
from adapter.page.actions import Actions
from adapter.page.headers import security_headers
from adapter.page.languages import choose_language
from adapter.page.live import Live, TooManyPagesError
from adapter.page.requests import read_conditions
from adapter.page.views import ViewReader
from adapter.page_settings import PageSettings
from adapter.steering.steering import SteeringError

if TYPE_CHECKING:
    from adapter.page.rendering import Renderer

LANGUAGE_COOKIE = "podjobs-language"
_STATIC = Path(__file__).with_name("static")
_TYPES = {".css": "text/css", ".js": "text/javascript"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PageRoutes:
    """Serves the page of one adapter."""

    def __init__(self, settings: PageSettings, views: ViewReader, actions: Actions) -> None:
        """Create the routes.

        Args:
            settings: who may see the page, and where it is.
            views: reads what it shows.
            actions: what it changes.
        """
        token = settings.podjobs_page_token
        self._settings = settings
        self._access = Access(token.get_secret_value() if token else None)
        self._views = views
        self._actions = actions
        self._live = Live()
        self._renderers: dict[str, Renderer] = {}
        self._root = settings.page_root

    def routes(self) -> Sequence[web.RouteDef]:
        """See RouteModule."""
        look, change = self._look, self._change
        return (
            web.get("/", look(self._front)),
            web.get("/admin", look(self._front)),
            web.get("/admin/", look(self._front)),
            web.get("/jobs", look(self._jobs)),
            web.post("/jobs/confirm", change(self._confirm)),
            web.post("/jobs/change", change(self._change_jobs)),
            web.get("/jobs/{job}", look(self._job)),
            web.post("/jobs/{job}/{action:cancel|retry}", change(self._change_job)),
            web.post("/functions/{function}/{action:pause|resume}", change(self._change_function)),
            web.post("/adapters/{adapter}/drain", change(self._drain)),
            web.get("/events", look(self._events)),
            web.get("/login", self._guarded(self._show_login)),
            web.post("/login", self._guarded(self._log_in)),
            web.post("/logout", change(self._log_out)),
            web.get("/static/{file}", self._show_file),
        )

    async def close(self) -> None:
        """Let go of the pages that are open."""
        await self._live.close()

    # Who may do what.

    def _look(self, handler: Handler) -> Handler:
        async def admitted(request: web.Request) -> web.StreamResponse:
            request["session"] = self._access.admit(_caller(request))
            return await handler(request)

        return self._guarded(admitted)

    def _change(self, handler: Handler) -> Handler:
        async def admitted(request: web.Request) -> web.StreamResponse:
            form = await request.post()
            self._access.admit_change(_caller(request), _text(form, "key"))
            request["session"] = self._access.admit(_caller(request))
            return await handler(request)

        return self._guarded(admitted)

    def _guarded(self, handler: Handler) -> Handler:
        """Answer what is refused, and give every answer the headers that browsers go by."""

        async def answered(request: web.Request) -> web.StreamResponse:
            try:
                response = await handler(request)
            except LoginNeededError:
                response = self._html(request, "login", 401, is_wrong=request.method == "POST")
            except RefusedError as error:
                sentence = self._renderer(request).text(str(error))
                response = self._html(request, "refused", error.status, sentence=sentence)
            except web.HTTPException as error:
                error.headers.update(self._headers)
                raise
            if not response.prepared:
                response.headers.update(self._headers)
            return response

        return answered

    @cached_property
    def _headers(self) -> dict[str, str]:
        return security_headers(self._settings.pod_media_url)

    # What is shown.

    async def _front(self, request: web.Request) -> web.StreamResponse:
        renderer = self._renderer(request)
        body = renderer.render("front_live", view=await self._views.front())
        return self._html(request, "front", live=body, follow="/events")

    async def _jobs(self, request: web.Request) -> web.StreamResponse:
        conditions = read_conditions(request.query)
        lines = await self._views.listed(conditions.filter) if not conditions.faults else []
        return self._html(request, "jobs", conditions=conditions, lines=lines)

    async def _job(self, request: web.Request) -> web.StreamResponse:
        job_id = request.match_info["job"]
        text = await self._render_job(self._renderer(request), job_id)
        if not text:
            return self._html(request, "refused", 404, sentence=self._renderer(request).text("There is no such job."))
        return self._html(request, "job", live=text, job_id=job_id, follow=f"/events?job={job_id}")

    async def _render_job(self, renderer: "Renderer", job_id: str) -> str:
        view = await self._views.job(job_id)
        media, pod = self._settings.pod_media_url, self._settings.pod_api_url
        return renderer.render("job_live", view=view, media=media, pod=pod) if view else ""

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """The fragment that a page shows, again whenever it changes."""
        renderer, job_id = self._renderer(request), request.query.get("job", "")

        async def read() -> str:
            if job_id:
                return await self._render_job(renderer, job_id)
            return renderer.render("front_live", view=await self._views.front())

        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        response.headers.update(self._headers)
        await response.prepare(request)
        try:
            async for text in self._live.follow(f"{self._language(request)} {job_id}", read):
                lines = "".join(f"data: {line}\n" for line in text.splitlines())
                await response.write(f"{lines or ': '}\n\n".encode())
        except (TooManyPagesError, ConnectionResetError):
            pass
        return response

    # What is changed.

    async def _confirm(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        conditions = read_conditions(form)
        action = "retry" if _text(form, "action") == "retry" else "cancel"
        chosen = await self._actions.choose(action, conditions.filter) if not conditions.faults else []
        return self._html(request, "confirm", action=action, conditions=conditions, chosen=chosen)

    async def _change_jobs(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        ids = [str(job_id) for job_id in form.getall("job", [])]
        outcome = await self._actions.change_jobs(_text(form, "action"), ids, _text(form, "reason"))
        return self._html(request, "changed", outcome=outcome, action=_text(form, "action"))

    async def _change_job(self, request: web.Request) -> web.StreamResponse:
        action, job_id = request.match_info["action"], request.match_info["job"]
        outcome = await self._actions.change_jobs(action, [job_id], "")
        if outcome.refused:
            return self._html(request, "changed", 409, outcome=outcome, action=action)
        return self._back(request)

    async def _change_function(self, request: web.Request) -> web.StreamResponse:
        try:
            await self._actions.change_function(request.match_info["action"], request.match_info["function"])
        except SteeringError as error:
            return self._html(request, "refused", 404, sentence=str(error))
        return self._back(request)

    async def _drain(self, request: web.Request) -> web.StreamResponse:
        await self._actions.drain(request.match_info["adapter"])
        return self._back(request)

    def _back(self, request: web.Request) -> web.StreamResponse:
        """Show again where it was asked for: a page of ours, named by itself."""
        place = request.query.get("back", "/")
        place = place if place.startswith("/") and not place.startswith("//") and place.isprintable() else "/"
        return web.Response(status=303, headers={"Location": f"{self._root}{place}"})

    # The token.

    async def _show_login(self, request: web.Request) -> web.StreamResponse:
        return self._html(request, "login", is_wrong=False)

    async def _log_in(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        cookie = self._access.log_in(_caller(request), _text(form, "token"))
        response = web.Response(status=303, headers={"Location": f"{self._root}/"})
        response.set_cookie(
            COOKIE,
            cookie,
            max_age=SESSION_S,
            path=f"{self._root}/",
            httponly=True,
            samesite="Strict",
            secure=request.headers.get("X-Forwarded-Proto", request.scheme) == "https",
        )
        return response

    async def _log_out(self, request: web.Request) -> web.StreamResponse:
        response = self._html(request, "login", is_wrong=False)
        response.del_cookie(COOKIE, path=f"{self._root}/")
        return response

    # How it is written.

    def _language(self, request: web.Request) -> str:
        accepted = request.headers.get("Accept-Language", "")
        return choose_language(request.query.get("lang", ""), request.cookies.get(LANGUAGE_COOKIE, ""), accepted)

    def _renderer(self, request: web.Request) -> "Renderer":
        language = self._language(request)
        if language not in self._renderers:
            from adapter.page.rendering import Renderer  # noqa: PLC0415 - the templates' engine delays the start

            self._renderers[language] = Renderer(language, self._root)
        return self._renderers[language]

    def _html(self, request: web.Request, template: str, status: int = 200, **values: object) -> web.Response:
        session = request.get("session", "")
        form_key = self._access.form_key(session) if session else ""
        text = self._renderer(request).render(
            template,
            form_key=form_key,
            can_log_out=self._access.has_token and bool(session),
            path=request.path,
            **values,
        )
        response = web.Response(text=text, status=status, content_type="text/html")
        if request.query.get("lang"):
            response.set_cookie(
                LANGUAGE_COOKIE, self._language(request), max_age=365 * 86400, path=f"{self._root}/", samesite="Strict"
            )
        return response

    async def _show_file(self, request: web.Request) -> web.StreamResponse:
        path = _STATIC / request.match_info["file"]
        if path.parent != _STATIC or path.suffix not in _TYPES or not path.is_file():
            raise web.HTTPNotFound
        headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=path.read_bytes(), content_type=_TYPES[path.suffix], charset="utf-8", headers=headers)


def _caller(request: web.Request) -> Caller:
    return Caller(request.remote or "", request.headers, request.cookies.get(COOKIE, ""))


def _text(form: Mapping[str, Any], name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""
