"""`python -m local.lambda_service`: the service, until SIGTERM.

Its environment says which functions there are (LAMBDA_FUNCTION_<NAME>, JSON) and which access key clients sign with
(LAMBDA_ACCESS_KEY_ID).
"""

import asyncio
import contextlib
import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import click
from aiohttp import web

from local.lambda_service.api import LambdaApi
from local.lambda_service.clients import ACCESS_KEY
from local.lambda_service.emulator import emulator_binary
from local.lambda_service.fleet import IDLE_S, Fleet
from local.lambda_service.functions import LambdaFunction, read_functions
from podjobs.settings import SettingsError

LOOK_S = 1.0


@click.command()
@click.option("--port", type=int, required=True, help="Where it listens, on 127.0.0.1.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, resolve_path=True),
    required=True,
    help="For the temporary files of the environments; what is left in it is removed.",
)
@click.option("--idle", "idle_s", type=float, default=IDLE_S, show_default=True, help="Seconds without work.")
def serve(port: int, folder: Path, idle_s: float) -> None:
    """Serve Lambda's Invoke API."""
    try:
        functions = read_functions(os.environ)
    except SettingsError as error:
        sys.exit(str(error))
    if not emulator_binary().exists():
        sys.exit("The runtime interface emulator is not installed. Run scripts/setup --lambda.")
    application = _application(functions, folder, os.environ.get(ACCESS_KEY, ""), idle_s)
    web.run_app(application, host="127.0.0.1", port=port, print=None, access_log=None, shutdown_timeout=0.1)


def _application(
    functions: tuple[LambdaFunction, ...], folder: Path, access_key: str, idle_s: float
) -> web.Application:
    fleets: dict[str, Fleet] = {}

    async def run_fleets(_application: web.Application) -> AsyncIterator[None]:
        shutil.rmtree(folder, ignore_errors=True)  # of a service that was killed, whose environments went with it
        # without keeping connections: an emulator may be killed at any time, and takes one request at a time anyway
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        async with aiohttp.ClientSession(connector=connector) as client:
            fleets.update({one.name: Fleet(one, folder, client, idle_s) for one in functions})
            looking = asyncio.create_task(_end_idle(fleets))
            yield
            looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await looking
            await asyncio.gather(*(fleet.close() for fleet in fleets.values()))

    application = LambdaApi(fleets, access_key).application()
    application.cleanup_ctx.append(run_fleets)
    return application


async def _end_idle(fleets: dict[str, Fleet]) -> None:
    while True:
        await asyncio.sleep(LOOK_S)
        for fleet in fleets.values():
            await fleet.end_idle()


if __name__ == "__main__":
    serve(prog_name="python -m local.lambda_service")
