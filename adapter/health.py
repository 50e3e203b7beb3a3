"""The adapter's pages: is it alive, does it take jobs, what is it doing.

GET /healthz   200 while the process answers
GET /readyz    200 while jobs are taken in, else 503 and the reason
GET /status    JSON: queues, functions and jobs in numbers
"""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from aiohttp import web
from redis.exceptions import RedisError

from adapter import keys
from adapter.connections import RedisClient
from adapter.dispatch import Dispatch
from adapter.door.celery import CeleryDoor
from adapter.streams import Streams

REDIS_LIMIT_S = 3.0


class HealthPages:
    """Serves the pages."""

    def __init__(
        self, broker: RedisClient, jobs: RedisClient, streams: Streams, doors: Sequence[CeleryDoor],
        dispatches: Sequence[Dispatch],
    ) -> None:  # fmt: skip
        """Prepare.

        Args:
            broker: the broker's database.
            jobs: the jobs' database.
            streams: of this adapter.
            doors: where jobs come in.
            dispatches: one for each function.
        """
        self._broker = broker
        self._jobs = jobs
        self._streams = streams
        self._doors = doors
        self._dispatches = dispatches
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
                await self._broker.ping()
        except (RedisError, TimeoutError) as error:
            return f"Redis does not answer: {error}."
        return "" if all(door.is_open for door in self._doors) else "The queue is not being read yet."

    async def _show_status(self, _request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(REDIS_LIMIT_S):
                status = await self._status()
        except (RedisError, TimeoutError) as error:
            return web.json_response({"redis": f"Redis does not answer: {error}."}, status=503)
        return web.json_response(status)

    async def _status(self) -> dict[str, Any]:
        queues = {door.queue: await self._broker.llen(door.queue) for door in self._doors}
        functions = {}
        for dispatch in self._dispatches:
            new, taken = await self._streams.counts(dispatch.stream)
            functions[dispatch.function.name] = {
                "concurrency": dispatch.function.concurrency,
                "running_here": len(dispatch.held) - dispatch.parked,
                "parked_here": dispatch.parked,
                "steps_not_taken": new,
                "steps_taken": taken,
            }
        return {
            "adapter": self._streams.adapter_id,
            "redis": "ok",
            "queues": queues,
            "functions": functions,
            "jobs_live": await self._jobs.scard(keys.LIVE),
            "dead": await self._jobs.xlen(keys.DEAD),
        }
