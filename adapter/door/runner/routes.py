"""The addresses of the runner API.

POST /task/execute                  a task becomes a job; 200 {task_id, status}, 401, 422
GET  /task/status/<id>              {task_id, status, …}; 404
GET  /task/result/<id>              {task_id, files}; 404, 425 not done, 400 failed
GET  /task/result/<id>/file/<path>  a file of the result, whole or in part; also 400 for a path that leads out of it
POST /task/stop/<id>                the task is cancelled; 202, 404, 409 it has ended
GET  /task/list                     the tasks of the client
GET  /api/health, /manager/health   {status: healthy}; 503 while Redis is away
GET  /admin                         leads to the administrators' page

Whoever shows no client's token gets 401, but for the last two. A client sees its own tasks alone.

Source: docs/contract-pod-runner.md.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import structlog
from aiohttp import web
from redis.exceptions import RedisError

import podjobs
from adapter.door.runner.clients import Caller, Clients
from adapter.door.runner.downloads import give_file
from adapter.door.runner.intake import TaskIntake, UnfitRequestError
from adapter.door.runner.results import InvalidPathError, Results, check_path
from adapter.door.runner.tasks import FAILED, RUNNING, Task, Tasks
from adapter.redis.connections import RedisClient
from adapter.steps.cancellations import Cancellation
from adapter.steps.interventions import Interventions
from adapter.steps.records import Records
from podjobs.contract.errors import InvalidRequestError, MissingFileError, StepError

logger = structlog.get_logger(__name__)

REDIS_LIMIT_S = 3.0
STORAGE_LIMIT_S = 1.5
NO_TOKEN = "Show the token of a client of PODJOBS_RUNNER_CLIENTS: Authorization: Bearer …, or X-API-Token."  # noqa: S105
REDIS_AWAY = "The Redis with the jobs does not answer. Ask again when it does."
NO_TASK = "There is no such task."
NOT_DONE = "The task is not done yet. Ask for its result when it is."
NO_FILE = "The result of the task has no such file, or has expired (PODJOBS_RUNNER_RESULT_DAYS)."

Handler = Callable[[web.Request, Caller], Awaitable[web.StreamResponse]]


class _RefusedError(Exception):
    """A request is answered with an error."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class RunnerRoutes:
    """Serves the runner API of one adapter."""

    def __init__(
        self, clients: Clients, intake: TaskIntake, jobs: RedisClient, records: Records, results: Results
    ) -> None:
        """Create the routes.

        Args:
            clients: who may use them.
            intake: stores tasks as jobs.
            jobs: the jobs' database, a client that returns text.
            records: the job records there.
            results: the files of results.
        """
        self._clients = clients
        self._intake = intake
        self._jobs = jobs
        self._records = records
        self._results = results
        self._tasks = Tasks(jobs)
        self._interventions = Interventions(records.script)
        self.root = ""
        """The path before those of the API."""
        self.page_url = ""
        """Where the administrators' page is; empty: on the port of the health pages."""
        self.page_port = 0

    def routes(self) -> Sequence[web.RouteDef]:
        """See RouteModule."""
        root, known = self.root, self._known
        return (
            web.post(f"{root}/task/execute", known(self._execute)),
            web.get(f"{root}/task/status/{{task}}", known(self._show_status)),
            web.get(f"{root}/task/result/{{task}}", known(self._show_result)),
            web.get(f"{root}/task/result/{{task}}/file/{{path:.*}}", known(self._give_file)),
            web.post(f"{root}/task/stop/{{task}}", known(self._stop)),
            web.get(f"{root}/task/list", known(self._list)),
            web.get(f"{root}/api/health", self._show_health),
            web.get(f"{root}/manager/health", self._show_health),
            web.get(f"{root}/admin", self._lead_to_page),
            web.get(f"{root}/admin/", self._lead_to_page),
        )

    def _known(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Admit clients, and say in JSON what is wrong."""

        async def answered(request: web.Request) -> web.StreamResponse:
            caller = self._clients.identify(request.headers)
            if caller is None:
                logger.info("A request without a client's token was refused.", path=request.path, peer=request.remote)
                return _refuse(401, NO_TOKEN, {"WWW-Authenticate": "Bearer"})
            try:
                return await handler(request, caller)
            except _RefusedError as error:
                return _refuse(error.status, str(error))
            except web.HTTPException as error:
                return _refuse(error.status, error.reason)
            except RedisError as error:
                detail, reason = REDIS_AWAY, str(error)
            except (MissingFileError, InvalidRequestError):
                return _refuse(404, NO_FILE)
            except StepError as error:
                detail, reason = "The result cannot be read now. Ask for it again.", error.detail
            logger.warning(detail, reason=reason, path=request.path)
            return _refuse(503, detail, {"Retry-After": "5"})

        return answered

    async def _execute(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        try:
            body = json.loads(await request.read())
        except (ValueError, RecursionError) as error:
            raise _RefusedError(422, "The body must be a JSON object that describes a task.") from error
        try:
            task_id = await self._intake.submit(caller, body)
        except UnfitRequestError as error:
            logger.warning("A task was refused.", client=caller.name, reason=str(error))
            raise _RefusedError(422, str(error)) from error
        return web.json_response({"task_id": task_id, "status": RUNNING})

    async def _show_status(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        return web.json_response((await self._task(request, caller)).describe())

    async def _show_result(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        task = await self._task_with_result(request, caller)
        names = await self._results.names(task.id)
        if not names:
            raise _RefusedError(404, NO_FILE)
        checksums = await self._results.checksums(task.id) if task.dialect == "v4" else {}
        files: list[Any] = [
            {"file_path": name, "sha256": checksums[name]} if name in checksums else name for name in names
        ]
        return web.json_response({"task_id": task.id, "files": files})

    async def _give_file(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        try:
            path = check_path(request.match_info["path"])
        except InvalidPathError as error:
            raise _RefusedError(400, str(error)) from error
        task = await self._task_with_result(request, caller)
        file = await self._results.find(task.id, path)
        if file is None:
            raise _RefusedError(404, NO_FILE)
        return await give_file(request, self._results, file, partial(self._note_fetched, task.id, path))

    async def _note_fetched(self, task_id: str, path: str) -> None:
        try:
            await self._records.note_fetched(task_id, path)
        except RedisError as error:  # its client has it: at worst it is asked to fetch it again
            logger.warning("It cannot be noted that a file was fetched.", job_id=task_id, file=path, error=str(error))

    async def _stop(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        task = await self._task(request, caller)
        if task.status != RUNNING:
            raise _RefusedError(409, f"The task has ended: it is {task.status}.")
        reason = "it was stopped in Pod"
        outcome = await self._interventions.cancel(task.id, Cancellation(f"the client {caller.name}", reason))
        if outcome != "cancelled":
            raise _RefusedError(409, f"The task cannot be stopped: it is {outcome}.")
        logger.info("A client has stopped a task.", job_id=task.id, client=caller.name)
        return web.json_response({"task_id": task.id, "status": FAILED, "detail": "The task is stopped."}, status=202)

    async def _list(self, _request: web.Request, caller: Caller) -> web.StreamResponse:
        return web.json_response({"tasks": [task.describe() for task in await self._tasks.listed(caller.name)]})

    async def _show_health(self, _request: web.Request) -> web.StreamResponse:
        about = {"version": podjobs.__version__, "service": "pod-functions"}
        try:
            async with asyncio.timeout(REDIS_LIMIT_S):
                await self._jobs.ping()
        except (RedisError, TimeoutError):
            return web.json_response({"status": "unhealthy", "detail": REDIS_AWAY, **about}, status=503)
        try:  # tasks are taken all the same
            async with asyncio.timeout(STORAGE_LIMIT_S):
                results = "ok" if await self._results.are_readable() else "unavailable"
        except TimeoutError:
            results = "unavailable"
        return web.json_response({"status": "healthy", "results": results, **about})

    async def _lead_to_page(self, request: web.Request) -> web.StreamResponse:
        place = self.page_url or f"http://{(request.url.host or 'localhost')}:{self.page_port}"
        return web.Response(status=302, headers={"Location": f"{place}/admin", "Referrer-Policy": "no-referrer"})

    async def _task(self, request: web.Request, caller: Caller) -> Task:
        task = await self._tasks.find(request.match_info["task"], caller.name)
        if task is None:
            raise _RefusedError(404, NO_TASK)
        return task

    async def _task_with_result(self, request: web.Request, caller: Caller) -> Task:
        task = await self._task(request, caller)
        if task.status == RUNNING:
            raise _RefusedError(425, NOT_DONE)
        if not task.has_results:
            raise _RefusedError(400, f"The task has failed, and has no result. {task.reason}".strip())
        return task


def _refuse(status: int, detail: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"detail": detail}, status=status, headers=headers)
