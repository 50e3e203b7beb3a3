"""The page's addresses, and what each of them does.

GET  /, /admin            what needs attention, what runs, what waits, what failed
GET  /jobs                jobs by conditions; /jobs/<id> one job
GET  /jobs/confirm        which jobs an action would change; POST /jobs/change does it
POST /jobs/<id>/retry, /functions/<name>/pause, /functions/<name>/resume
GET  /adapters/<id>/drain asks whether an adapter is to be drained; POST does it
GET  /dead, /dead/confirm, POST /dead/change: dead_letter_routes.py
GET  /events              keeps a page that is open up to date
GET, POST /login, POST /logout
GET  /static/<file>
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import web
from redis.exceptions import RedisError

from adapter.operation_settings.page import PageSettings
from adapter.page.access import WITHOUT_LOGIN, Access, LoginNeededError, RefusedError
from adapter.page.actions import ACTIONS, MOST, Actions
from adapter.page.dead_letter_routes import DeadLetterRoutes
from adapter.page.documents import SESSION, Documents
from adapter.page.links import PodLinks
from adapter.page.live import Live, Subject, fingerprints
from adapter.page.login import Login, caller_of
from adapter.page.logouts import Logouts
from adapter.page.requests import read_conditions
from adapter.page.views import JobView, ViewReader
from adapter.steering.dead_letters import DeadLetterSteering
from adapter.steering.steering import SteeringError

if TYPE_CHECKING:
    from adapter.page.rendering import Renderer

logger = structlog.get_logger(__name__)

REDIS_AWAY = "The Redis with the jobs does not answer. Load the page again when it does."
NO_JOB = "There is no such job."
NO_ADAPTER = "There is no such adapter."
_STATIC = Path(__file__).with_name("static")
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PageRoutes:
    """Serves the page of one adapter."""

    def __init__(
        self, settings: PageSettings, views: ViewReader, actions: Actions, letters: DeadLetterSteering
    ) -> None:
        """Create the routes.

        Args:
            settings: who may see the page, and where it is.
            views: reads what it shows.
            actions: what it changes of jobs, functions and adapters.
            letters: what it changes of dead letters.
        """
        token = settings.podjobs_page_token
        self._access = Access(token.get_secret_value() if token else None, is_public=settings.is_public)
        self._documents = Documents(settings, self._access)
        self._logouts = Logouts(views.jobs)
        self._login = Login(self._documents, self._access, self._logouts)
        self._links = PodLinks(settings.pod_api_url, settings.pod_media_url)
        self._views = views
        self._actions = actions
        self._letters = DeadLetterRoutes(self._documents, views.jobs, letters)
        self._live = Live()

    def routes(self) -> Sequence[web.RouteDef]:
        """See RouteModule."""
        look, change = self._look, self._change
        return (
            web.get("/", look(self._front)),
            web.get("/admin", look(self._front)),
            web.get("/admin/", look(self._front)),
            web.get("/jobs", look(self._jobs)),
            web.get("/jobs/confirm", look(self._confirm)),
            web.post("/jobs/change", change(self._change_jobs)),
            web.get("/jobs/{job}", look(self._job)),
            web.post("/jobs/{job}/retry", change(self._retry)),
            web.post("/functions/{function}/{action:pause|resume}", change(self._change_function)),
            web.get("/adapters/{adapter}/drain", look(self._ask_to_drain)),
            web.post("/adapters/{adapter}/drain", change(self._drain)),
            web.get("/dead", look(self._letters.show)),
            web.get("/dead/confirm", look(self._letters.confirm)),
            web.post("/dead/change", change(self._letters.change)),
            web.get("/events", look(self._events)),
            web.get("/login", self._guarded(self._login.show)),
            web.post("/login", self._guarded(self._login.log_in)),
            web.post("/logout", change(self._login.log_out)),
            web.get("/static/{file}", _show_file),
        )

    async def close(self) -> None:
        """Let go of the pages that are open."""
        await self._live.close()
        await self._views.forecasts.close()

    # Who may do what.

    def _look(self, handler: Handler) -> Handler:
        async def admitted(request: web.Request) -> web.StreamResponse:
            request[SESSION] = await self._still_open(self._access.admit(caller_of(request)))
            return await handler(request)

        return self._guarded(admitted)

    def _change(self, handler: Handler) -> Handler:
        async def admitted(request: web.Request) -> web.StreamResponse:
            form = await request.post()
            session = self._access.admit_change(caller_of(request), _text(form, "key"))
            request[SESSION] = await self._still_open(session)
            return await handler(request)

        return self._guarded(admitted)

    async def _still_open(self, session: str) -> str:
        """A session that was not ended by a logout. Raises LoginNeededError, RedisError."""
        if session not in WITHOUT_LOGIN and await self._logouts.has(session):
            raise LoginNeededError
        return session

    def _guarded(self, handler: Handler) -> Handler:
        """Answer what is refused, and give every answer the headers that browsers go by."""
        documents = self._documents

        async def answered(request: web.Request) -> web.StreamResponse:
            try:
                response = await handler(request)
            except LoginNeededError:
                response = documents.answer(request, "login", 401, is_wrong=False)
            except RefusedError as error:
                response = documents.refuse(request, error.status, str(error))
            except RedisError as error:
                logger.warning("The page cannot be shown.", error=str(error))
                response = documents.refuse(request, 503, REDIS_AWAY)
            except web.HTTPException as error:
                error.headers.update(documents.headers)
                raise
            if not response.prepared:
                response.headers.update(documents.headers)
            return response

        return answered

    # What is shown.

    async def _front(self, request: web.Request) -> web.StreamResponse:
        text = self._documents.renderer(request).render("front_live", view=await self._views.front())
        return self._documents.answer(request, "front", live=text, follow="/events", shown=fingerprints(text))

    async def _jobs(self, request: web.Request) -> web.StreamResponse:
        conditions = read_conditions(request.query)
        lines = await self._views.listed(conditions.filter) if not conditions.faults else []
        return self._documents.answer(request, "jobs", conditions=conditions, lines=lines)

    async def _job(self, request: web.Request) -> web.StreamResponse:
        view = await self._views.job(request.match_info["job"])
        if view is None:
            return self._documents.refuse(request, 404, NO_JOB)
        text = self._render_job(self._documents.renderer(request), view)
        record = view.line.record
        return self._documents.answer(
            request, "job", live=text, record=record, follow=f"/events?job={record.id}", shown=fingerprints(text)
        )

    def _render_job(self, renderer: "Renderer", view: JobView | None) -> str:
        return renderer.render("job_live", view=view, pod=self._links) if view else ""

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """The sections of a page that have changed, whenever some have."""
        if self._live.is_full:
            return web.Response(status=204)  # browsers do not ask again
        renderer, job_id = self._documents.renderer(request), request.query.get("job", "")

        def render(view: Any) -> str:
            return self._render_job(renderer, view) if job_id else renderer.render("front_live", view=view)

        async def read() -> Any:
            return await self._views.job(job_id) if job_id else await self._views.front()

        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        response.headers.update(self._documents.headers)
        await response.prepare(request)
        subject = Subject(job_id, read)
        changes = self._live.follow(subject, self._documents.language(request), render, request.query.get("shown", ""))
        async with aclosing(changes):
            async for text in changes:
                lines = "".join(f"data: {line}\n" for line in text.splitlines())
                try:
                    await self._still_open(request[SESSION])
                    await response.write(f"{lines or ': '}\n\n".encode())
                except (ConnectionResetError, LoginNeededError, RedisError):
                    break
        return response

    async def _confirm(self, request: web.Request) -> web.StreamResponse:
        """Show what an action would change: one job, or those that match."""
        action = request.query.get("action", "")
        if action not in ACTIONS:
            raise web.HTTPNotFound
        conditions = read_conditions(request.query)
        chosen = []
        if job_id := request.query.get("job"):
            chosen = await self._actions.choose_one(action, job_id)
        elif not conditions.faults:
            chosen = await self._actions.choose(action, conditions.filter)
        return self._documents.answer(
            request,
            "confirm",
            action=action,
            conditions=conditions,
            chosen=chosen[:MOST],
            left_out=max(0, len(chosen) - MOST),
        )

    # What is changed.

    async def _change_jobs(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        action = _text(form, "action")
        if action not in ACTIONS:
            raise web.HTTPNotFound
        ids = [str(job_id) for job_id in form.getall("job", [])]
        outcome = await self._actions.change_jobs(action, ids, _text(form, "reason"))
        return self._documents.answer(request, "changed", outcome=outcome, action=action)

    async def _retry(self, request: web.Request) -> web.StreamResponse:
        outcome = await self._actions.change_jobs("retry", [request.match_info["job"]], "")
        if outcome.refused:
            return self._documents.answer(request, "changed", 409, outcome=outcome, action="retry")
        return self._back(request)

    async def _change_function(self, request: web.Request) -> web.StreamResponse:
        try:
            await self._actions.change_function(request.match_info["action"], request.match_info["function"])
        except SteeringError as error:
            return self._documents.refuse(request, 404, str(error))
        return self._back(request)

    async def _ask_to_drain(self, request: web.Request) -> web.StreamResponse:
        return self._documents.answer(request, "drain", adapter=request.match_info["adapter"])

    async def _drain(self, request: web.Request) -> web.StreamResponse:
        if not await self._actions.drain(request.match_info["adapter"]):
            return self._documents.refuse(request, 404, NO_ADAPTER)
        return self._back(request)

    def _back(self, request: web.Request) -> web.StreamResponse:
        """Show again where it was asked for: a page of ours, named by itself."""
        place = request.query.get("back", "/")
        is_ours = place.startswith("/") and place.isprintable() and not place.startswith(("//", "/\\"))
        return web.Response(status=303, headers={"Location": f"{self._documents.root}{place if is_ours else '/'}"})


async def _show_file(request: web.Request) -> web.StreamResponse:
    path = _STATIC / request.match_info["file"]
    if path.parent != _STATIC or path.suffix not in _TYPES or not path.is_file():
        raise web.HTTPNotFound
    headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    return web.Response(body=path.read_bytes(), content_type=_TYPES[path.suffix], charset="utf-8", headers=headers)


def _text(form: Mapping[str, Any], name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""
