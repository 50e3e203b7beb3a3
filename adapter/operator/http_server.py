"""The adapter's HTTP server: serves the routes of the modules it is given."""

from collections.abc import Sequence
from typing import Protocol

from aiohttp import web


class RouteModule(Protocol):
    """A subject that is served over HTTP."""

    def routes(self) -> Sequence[web.RouteDef]:
        """The module's routes. No two modules may share a path."""


class HttpServer:
    """Serves the routes of some modules on one port."""

    def __init__(self, modules: Sequence[RouteModule]) -> None:
        """Create a server; `start` opens its port."""
        app = web.Application()
        for module in modules:
            app.add_routes(module.routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)

    async def start(self, host: str, port: int) -> int:
        """Listen.

        Args:
            host: address to listen on.
            port: 0 chooses a free one.

        Returns:
            The port.

        Raises:
            OSError: the port is taken.
        """
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Close the port and all connections."""
        await self._runner.cleanup()
