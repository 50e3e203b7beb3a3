"""GET /metrics: the adapter in numbers, for Prometheus.

Without a token, like the health pages: numbers and the names of our own parts, nothing of jobs, videos or people.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Protocol

from aiohttp import web
from aiohttp.hdrs import ACCEPT, CONTENT_TYPE

from adapter.about import AdapterAbout
from adapter.telemetry import snapshot
from adapter.telemetry.observed import Observed


class Door(snapshot.Door, Protocol):
    """Something that reads one of Pod's queues."""

    obstacle: str
    """Why messages stay on the queue; empty: they are read."""


class StatementDispatch(Protocol):
    """Something that delivers statements."""

    @property
    def is_held_up(self) -> bool:
        """Whether the latest delivery failed."""


class MetricsRoutes:
    """Serves the metrics of one adapter."""

    def __init__(
        self, reader: snapshot.SnapshotReader, observed: Observed, doors: Sequence[Door], about: AdapterAbout
    ) -> None:
        """Create the route.

        Args:
            reader: reads what is in Redis.
            observed: what this adapter has seen of steps and jobs.
            doors: one per queue that is read.
            about: the adapter, with its slots.
        """
        self._reader = reader
        self._observed = observed
        self._doors = doors
        self._about = about
        self.statements: StatementDispatch | None = None
        """None: no statements are delivered."""

    def routes(self) -> Sequence[web.RouteDef]:
        """See RouteModule."""
        return (web.get("/metrics", self._show),)

    async def _show(self, request: web.Request) -> web.Response:
        # the library takes a tenth of a second to load, which would delay the start
        from adapter.telemetry.exposition import Standing, write_metrics  # noqa: PLC0415 - delays the start

        asked_s = time.perf_counter()
        await asyncio.sleep(0)
        lag_s = time.perf_counter() - asked_s
        found = await self._reader.read()
        standing = Standing(
            lag_s=lag_s,
            slots=self._about.slots,
            closed={door.queue: bool(door.obstacle) for door in self._doors},
            breaker_open=self.statements.is_held_up if self.statements else None,
        )
        text, content_type = write_metrics(found, self._observed, standing, request.headers.get(ACCEPT, ""))
        return web.Response(body=text, headers={CONTENT_TYPE: content_type})
