"""A function whose machine vanishes while it works: prints how long it took the adapter to notice, and what it says.

Run in a network of its own (`unshare --net`, as root), where packets are dropped from one moment on.
"""

import asyncio
import os
import subprocess
import sys
import time

from aiohttp import web

from adapter.delivery import DeliveryError
from adapter.delivery.http import HttpDelivery
from podjobs.contract.message_contracts import STEPS
from podjobs.contract.steps import Step
from support.jobs import encoding_job

PORT = 8080
FOREVER_S = 600
DROP = ["iptables", "-A", "INPUT", "-i", "lo", "-j", "DROP"]


async def main() -> None:
    """Send a step, let the machine vanish, and wait for the adapter's word."""
    came = asyncio.Event()

    async def work(_request: web.Request) -> web.Response:
        came.set()
        await asyncio.sleep(FOREVER_S)
        return web.Response()

    application = web.Application()
    application.router.add_post("/", work)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", PORT).start()
    delivery = HttpDelivery(f"http://127.0.0.1:{PORT}/", STEPS, "a", 1)
    step = Step(job=encoding_job(), step_id="chunk", function="encoding", action="chunk", accepted_at=0)
    sent = asyncio.create_task(delivery.deliver(step))
    await came.wait()
    await asyncio.to_thread(subprocess.run, DROP, check=True)
    began_s = time.monotonic()
    try:
        await sent
    except DeliveryError as error:
        sys.stdout.write(f"{time.monotonic() - began_s:.1f} {type(error).__name__} {error}\n")
    # nothing can be closed in order: the other side would not hear of it
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    asyncio.run(main())
