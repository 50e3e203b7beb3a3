"""The adapter's pages: is it alive, does it take jobs, what is it doing.

GET /healthz   200 while the process answers
GET /readyz    200 while jobs are taken in, else 503 and the reason
GET /status    JSON: queues, functions and jobs in numbers
"""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Protocol

from aiohttp import web
from redis.exceptions import RedisError

from adapter.door.celery import CeleryDoor
from adapter.door.statement_intake import StatementIntake
from adapter.redis import keys
from adapter.redis.connections import RedisClient
from adapter.settings import FunctionSettings

REDIS_LIMIT_S = 3.0


class Mover(Protocol):
    """Whoever moves things to a function."""

    @property
    def function(self) -> FunctionSettings:
        """The function."""

    async def describe(self) -> dict[str, Any]:
        """What it does, in numbers. Raises RedisError."""


class HealthPages:
    """Serves the pages."""

    def __init__(
        self,
        adapter_id: str,
        jobs: RedisClient,
        doors: Sequence[CeleryDoor],
        dispatches: Sequence[Mover],
        statements: StatementIntake | None = None,
    ) -> None:
        """Prepare.

        Args:
            adapter_id: names this adapter.
            jobs: the jobs' database.
            doors: where messages come in.
            dispatches: one for each function.
            statements: where xAPI statements come in; None: they are left alone.
        """
        self._adapter_id = adapter_id
        self._jobs = jobs
        self._doors = doors
        self._dispatches = dispatches
        self._statements = statements
        self._stopping = False

    async def start(self, host: str, port: int) -> tuple[web.AppRunner, int]:
        """Listen.

        Returns:
            What must be cleaned up at the end, and the port.

        Raises:
            OSError: the port is taken.
        """
        app = web.Application()
        app.router.add_get("/healthz", self._show_health)
        app.router.add_get("/readyz", self._show_readiness)
        app.router.add_get("/status", self._show_status)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, host, port).start()
        return runner, runner.addresses[0][1]

    def stop_taking(self) -> None:
        """Say from now on that no jobs are taken in."""
        self._stopping = True

    async def _show_health(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _show_readiness(self, _request: web.Request) -> web.Response:
        reason = await self._obstacle()
        status = HTTPStatus.SERVICE_UNAVAILABLE if reason else HTTPStatus.OK
        return web.Response(text=f"{reason or 'ready'}\n", status=status)

    async def _obstacle(self) -> str:
        if self._stopping:
            return "The adapter is being stopped."
        try:
            async with asyncio.timeout(REDIS_LIMIT_S):
                await self._jobs.ping()
                for door in self._doors:
                    await door.waiting()
        except (RedisError, TimeoutError) as error:
            return f"Redis does not answer: {error}."
        closed = ", ".join(door.queue for door in self._doors if not door.is_open)
        return f"Not being read yet: the queue {closed}." if closed else ""

    async def _show_status(self, _request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(REDIS_LIMIT_S):
                status = await self._status()
        except (RedisError, TimeoutError) as error:
            return web.json_response({"redis": f"Redis does not answer: {error}."}, status=503)
        return web.json_response(status)

    async def _status(self) -> dict[str, Any]:
        intake = self._statements
        return {
            "adapter": self._adapter_id,
            "redis": "ok",
            "queues": {door.queue: await door.waiting() for door in self._doors},
            "functions": {dispatch.function.name: await dispatch.describe() for dispatch in self._dispatches},
            **({"statements": await intake.describe()} if intake else {}),
            "jobs_live": await self._jobs.scard(keys.LIVE),
            "dead": await self._jobs.xlen(keys.DEAD),
        }
