"""Health and status over HTTP: whether the adapter is alive, whether it reads its queues, and what it is doing.

GET /healthz   200 while the process responds
GET /readyz    200 while all queues are read that should be, otherwise 503 and the reason; then what an operator should
               know, such as that a queue is handed back
GET /status    JSON: queues, functions and jobs in numbers
"""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, Protocol

from aiohttp import web
from redis.exceptions import RedisError

from adapter.door.queue_share import QueueState
from adapter.redis import keys
from adapter.redis.connections import RedisClient
from adapter.settings import FunctionSettings
from podjobs.secret_store.held import held_secrets

REDIS_LIMIT_S = 3.0


class Share(Protocol):
    """Who else reads a queue."""

    advice: str
    """What an operator should know; empty: nothing."""

    async def state(self) -> QueueState:
        """The queue in numbers. Raises RedisError."""


class Door(Protocol):
    """Something that reads one of Pod's queues."""

    queue: str
    is_open: bool
    obstacle: str
    """Why messages stay on the queue; empty: they are read."""

    @property
    def share(self) -> Share:
        """Who else reads the queue."""

    async def waiting(self) -> int:
        """Count the messages that are still on Pod's queue. Raises RedisError."""


class DeadLetterBound(Protocol):
    """The bound of the dead letters."""

    async def obstacle(self) -> str:
        """Why nothing may be taken in; empty: it may. Raises RedisError."""


class Dispatch(Protocol):
    """Something that invokes one function."""

    @property
    def function(self) -> FunctionSettings:
        """The function."""

    async def describe(self) -> dict[str, Any]:
        """What it is doing, in numbers. Raises RedisError."""


class Statements(Protocol):
    """Something that can count the statements."""

    async def describe(self) -> dict[str, int | bool]:
        """How many statements are in Redis. Raises RedisError."""


class HealthRoutes:
    """Describes one adapter."""

    def __init__(  # noqa: PLR0913, PLR0917 - each is a different part of the adapter
        self,
        adapter_id: str,
        jobs: RedisClient,
        doors: Sequence[Door],
        dispatches: Sequence[Dispatch],
        dead_bound: DeadLetterBound,
        statements: Statements | None = None,
    ) -> None:
        """Create the routes.

        Args:
            adapter_id: this adapter's name.
            jobs: the jobs' database.
            doors: one per queue that is read.
            dispatches: one per function.
            dead_bound: tells whether there are too many dead letters.
            statements: describes the xAPI statements; None: their queue is not read.
        """
        self._adapter_id = adapter_id
        self._jobs = jobs
        self._doors = doors
        self._dispatches = dispatches
        self._dead_bound = dead_bound
        self._statements = statements
        self._absence = ""

    def routes(self) -> Sequence[web.RouteDef]:
        """See RouteModule."""
        return (
            web.get("/healthz", self._show_health),
            web.get("/readyz", self._show_readiness),
            web.get("/status", self._show_status),
        )

    def report_absence(self, reason: str) -> None:
        """Report from now on that the adapter is not ready, and why."""
        self._absence = reason

    async def _show_health(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _show_readiness(self, _request: web.Request) -> web.Response:
        reason = await self._obstacle()
        status = HTTPStatus.SERVICE_UNAVAILABLE if reason else HTTPStatus.OK
        held = held_secrets()
        advice = [door.share.advice for door in self._doors if door.share.advice]
        advice += [held.advice] if held and held.advice else []
        return web.Response(text="".join(f"{line}\n" for line in [reason or "ready", *advice]), status=status)

    async def _obstacle(self) -> str:
        if self._absence:
            return self._absence
        try:
            async with asyncio.timeout(REDIS_LIMIT_S):
                await self._jobs.ping()
                for door in self._doors:
                    await door.waiting()
                too_many_dead = await self._dead_bound.obstacle()
        except (RedisError, TimeoutError) as error:
            return f"Redis does not answer: {error}."
        closed = ", ".join(door.queue for door in self._doors if not door.is_open)
        return f"Not being read yet: the queue {closed}." if closed else too_many_dead

    async def _show_status(self, _request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(REDIS_LIMIT_S):
                status = await self._status()
        except (RedisError, TimeoutError) as error:
            return web.json_response({"redis": f"Redis does not answer: {error}."}, status=503)
        return web.json_response(status)

    async def _status(self) -> dict[str, Any]:
        statements, held = self._statements, held_secrets()
        return {
            "adapter": self._adapter_id,
            "redis": "ok",
            "queues": {door.queue: await door.waiting() for door in self._doors},
            "shares": await self._shares(),
            "obstacles": {door.queue: door.obstacle for door in self._doors if door.obstacle},
            "functions": {dispatch.function.name: await dispatch.describe() for dispatch in self._dispatches},
            **({"statements": await statements.describe()} if statements else {}),
            **({"secrets": [asdict(state) for state in held.states()]} if held else {}),
            "jobs_live": await self._jobs.scard(keys.LIVE),
            "dead": await self._jobs.xlen(keys.DEAD),
        }

    async def _shares(self) -> dict[str, dict[str, int]]:
        """The queues that are shared with Pod's workers, or handed back to them."""
        states = [await door.share.state() for door in self._doors]
        return {state.queue: state.describe() for state in states if state.is_shared}
