"""The adapter's process: everything built, run, and stopped without loss."""

import asyncio
import os
import signal
import socket
import uuid
from contextlib import AsyncExitStack

import structlog
from redis.exceptions import RedisError

from adapter.connections import masked, open_redis
from adapter.delivery.http import HttpDelivery
from adapter.dispatch import Dispatch
from adapter.door.celery import CeleryDoor, DoorRules
from adapter.health import HealthPages
from adapter.lease import Lease
from adapter.patience import until_redis_answers
from adapter.records import RecordLimits, Records
from adapter.settings import AdapterSettings
from adapter.streams import Streams

logger = structlog.get_logger(__name__)

QUEUES = {"encoding": "encoding", "transcripting": "transcription"}
"""Pod's queues, and the function that each of them is for."""
LEAVE_LIMIT_S = 2.0
"""Longest time to give back what is held; when it runs out, others take it over by its idle time."""


def new_adapter_id() -> str:
    """Name this process: never the same twice, and told apart in logs."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


async def run_adapter(settings: AdapterSettings) -> None:
    """Run until SIGTERM or SIGINT: then take nothing new, let steps end for the grace time, give back the rest.

    A second signal ends the process at once; nothing is lost by that either.

    Raises:
        OSError: the port of the health pages is taken.
    """
    stop = asyncio.Event()
    _on_signals(stop)
    async with AsyncExitStack() as resources:
        jobs = open_redis(settings.jobs_url, text=True)
        resources.push_async_callback(jobs.aclose)
        broker = open_redis(settings.broker_url, text=False)
        resources.push_async_callback(broker.aclose)

        streams = Streams(jobs, new_adapter_id())
        records = Records(jobs, RecordLimits(settings.podjobs_window, settings.podjobs_job_ttl_s))
        dispatches = []
        for function in settings.functions:
            delivery = HttpDelivery(function.url, streams.adapter_id, settings.podjobs_timeout_margin_s)
            resources.push_async_callback(delivery.close)
            dispatches.append(Dispatch(function, streams, records, delivery, settings.timing))
        lease_s = settings.podjobs_lease_s
        served = frozenset(function.name for function in settings.functions)
        doors = [
            CeleryDoor(queue, broker, streams, records, DoorRules(settings.media_root, served, lease_s))
            for queue, function in QUEUES.items()
            if function in served
        ]
        lease = Lease(jobs, streams, dispatches, lease_s)
        pages = HealthPages(broker, jobs, streams, doors, dispatches)
        runner, port = await pages.start(settings.podjobs_health_host, settings.podjobs_health_port)
        resources.push_async_callback(runner.cleanup)
        logger.info(
            "The adapter starts.",
            adapter=streams.adapter_id,
            broker=masked(settings.broker_url),
            jobs=masked(settings.jobs_url),
            functions={function.name: masked(function.url) for function in settings.functions},
            health=f"http://{settings.podjobs_health_host}:{port}/status",
        )

        async with asyncio.TaskGroup() as work:
            # the first sign of life comes before anything is taken
            first = work.create_task(until_redis_answers(lease.renew, "show a sign of life"))
            await _first_of(first, stop)
            if stop.is_set():
                first.cancel()
                return
            keeping = work.create_task(lease.keep(), name="lease")
            taking = [work.create_task(dispatch.run(), name=dispatch.function.name) for dispatch in dispatches]
            entering = [work.create_task(door.run(), name=f"door {door.queue}") for door in doors]
            await stop.wait()

            logger.info("The adapter stops.", running=sum(len(dispatch.held) for dispatch in dispatches))
            pages.stop_taking()
            for door in doors:
                door.stop()
            for task in taking:
                task.cancel()
            await asyncio.gather(*(dispatch.finish(settings.podjobs_grace_s) for dispatch in dispatches))
            await asyncio.wait(entering, timeout=LEAVE_LIMIT_S)
            for task in entering:
                task.cancel()
            keeping.cancel()
            await _leave(lease, records)
    logger.info("The adapter has stopped.")


def _on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def ask_to_stop() -> None:
        if stop.is_set():
            logger.warning("A second signal: the adapter ends at once.")
            os._exit(1)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask_to_stop)


async def _first_of(task: "asyncio.Task[None]", event: asyncio.Event) -> None:
    waiting = asyncio.ensure_future(event.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


async def _leave(lease: Lease, records: Records) -> None:
    try:
        async with asyncio.timeout(LEAVE_LIMIT_S):
            await lease.end(records)
    except (RedisError, TimeoutError) as error:
        logger.warning("Redis is away: other adapters take over when the lease has run out.", error=str(error))
