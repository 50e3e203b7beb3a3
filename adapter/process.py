"""The adapter's process: everything built, run, and stopped without loss."""

import asyncio
import os
import signal
import socket
import uuid
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import structlog
from redis.exceptions import RedisError

from adapter import keys
from adapter.batch_dispatch import BatchDispatch
from adapter.collector import Collector
from adapter.connections import RedisClient, masked, open_redis
from adapter.delivery.ways import open_delivery
from adapter.dispatch import Dispatch
from adapter.door.celery import CeleryDoor
from adapter.door.jobs import JobIntake, JobRules
from adapter.door.statements import StatementIntake
from adapter.due import DueEntries
from adapter.health import HealthPages
from adapter.lease import Lease
from adapter.patience import until_redis_answers
from adapter.records import RecordLimits, Records
from adapter.settings import AdapterSettings, StatementSettings
from adapter.statements import Statements
from adapter.streams import Streams
from podjobs.contract.message_contracts import STATEMENTS, STEPS

logger = structlog.get_logger(__name__)

QUEUES = {"encoding": "encoding", "transcripting": "transcription"}
"""Pod's queues of jobs, and the function that each of them is for."""
STATEMENT_QUEUE = "xapi"
LEAVE_LIMIT_S = 2.0
"""Longest time to give back what is held; when it runs out, others take it over by its idle time."""


def new_adapter_id() -> str:
    """Name this process: never the same twice, and told apart in logs."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


@dataclass(frozen=True)
class _Parts:
    """What an adapter consists of."""

    adapter_id: str
    doors: Sequence[CeleryDoor]
    dispatches: Sequence[Dispatch | BatchDispatch]
    lease: Lease
    pages: HealthPages


async def run_adapter(settings: AdapterSettings) -> None:
    """Run until SIGTERM or SIGINT: then take nothing new, let steps end for the grace time, give back the rest.

    A second signal ends the process at once; nothing is lost by that either.

    Raises:
        OSError: the port of the health pages is taken.
    """
    stop = asyncio.Event()
    _on_signals(stop)
    async with AsyncExitStack() as resources:
        parts = _build(settings, resources)
        runner, port = await parts.pages.start(settings.podjobs_health_host, settings.podjobs_health_port)
        resources.push_async_callback(runner.cleanup)
        _introduce(settings, parts, port)

        async with asyncio.TaskGroup() as work:
            # the first sign of life comes before anything is taken
            first = work.create_task(until_redis_answers(parts.lease.renew, "show a sign of life"))
            await _first_of(first, stop)
            if stop.is_set():
                first.cancel()
                return
            keeping = work.create_task(parts.lease.keep(), name="lease")
            taking = [work.create_task(dispatch.run(), name=dispatch.function.name) for dispatch in parts.dispatches]
            reading = [work.create_task(door.run(), name=f"door {door.queue}") for door in parts.doors]
            await stop.wait()

            logger.info("The adapter stops.", running=sum(len(dispatch.held) for dispatch in parts.dispatches))
            parts.pages.stop_taking()
            for door in parts.doors:
                door.stop()
            for task in taking:
                task.cancel()
            await asyncio.gather(*(dispatch.finish(settings.podjobs_grace_s) for dispatch in parts.dispatches))
            await asyncio.wait(reading, timeout=LEAVE_LIMIT_S)
            for task in reading:
                task.cancel()
            keeping.cancel()
            await _leave(parts.lease)
    logger.info("The adapter has stopped.")


def _build(settings: AdapterSettings, resources: AsyncExitStack) -> _Parts:
    """Make all parts; connections are closed with the resources."""
    jobs = _open(settings.jobs_url, resources, text=True)
    streams = Streams(jobs, new_adapter_id())
    records = Records(jobs, RecordLimits(settings.podjobs_window, settings.podjobs_job_ttl_s))
    lease_s = settings.podjobs_lease_s
    dispatches: list[Dispatch | BatchDispatch] = []
    for function in settings.functions:
        delivery = open_delivery(function.url, STEPS, streams.adapter_id, settings.podjobs_timeout_margin_s)
        resources.push_async_callback(delivery.close)
        dispatches.append(Dispatch(function, streams, records, delivery, settings.timing))
    broker = _open(settings.broker_url, resources, text=False)
    served = frozenset(function.name for function in settings.functions)
    rules = JobRules(settings.media_root, served)
    doors = [
        CeleryDoor(queue, broker, streams, JobIntake(queue, records, rules), lease_s)
        for queue, function in QUEUES.items()
        if function in served
    ]
    intake = None
    if settings.statements:
        door, intake, dispatch = _build_statements(settings, settings.statements, streams, records, resources)
        doors.append(door)
        dispatches.append(dispatch)
    return _Parts(
        adapter_id=streams.adapter_id,
        doors=doors,
        dispatches=dispatches,
        lease=Lease(jobs, streams, dispatches, lease_s),
        pages=HealthPages(streams.adapter_id, jobs, doors, dispatches, intake),
    )


def _build_statements(
    settings: AdapterSettings,
    wanted: StatementSettings,
    streams: Streams,
    records: Records,
    resources: AsyncExitStack,
) -> tuple[CeleryDoor, StatementIntake, BatchDispatch]:
    """Make what moves xAPI statements."""
    lease_s = settings.podjobs_lease_s
    statements = Statements(_open(settings.jobs_url, resources, text=True))
    intake = StatementIntake(
        STATEMENT_QUEUE,
        statements,
        records,
        held_limit=wanted.held_limit,
        statement_limit_bytes=wanted.batches.size_bytes,
    )
    broker = _open(settings.xapi_broker_url, resources, text=False)
    door = CeleryDoor(STATEMENT_QUEUE, broker, streams, intake, lease_s)
    due = DueEntries(keys.STATEMENTS, streams, wanted.function.retries, lease_s)
    collector = Collector(streams, statements, due, wanted.batches, settings.podjobs_sweep_s)
    delivery = open_delivery(wanted.function.url, STATEMENTS, streams.adapter_id, settings.podjobs_timeout_margin_s)
    resources.push_async_callback(delivery.close)
    dispatch = BatchDispatch(wanted.function, streams, statements, collector, delivery, settings.timing)
    return door, intake, dispatch


def _open(url: str, resources: AsyncExitStack, *, text: bool) -> RedisClient:
    client = open_redis(url, text=text)
    resources.push_async_callback(client.aclose)
    return client


def _introduce(settings: AdapterSettings, parts: _Parts, port: int) -> None:
    """Say what is read, and where it goes."""
    logger.info(
        "The adapter starts.",
        adapter=parts.adapter_id,
        broker=masked(settings.broker_url),
        jobs=masked(settings.jobs_url),
        functions={dispatch.function.name: masked(dispatch.function.url) for dispatch in parts.dispatches},
        health=f"http://{settings.podjobs_health_host}:{port}/status",
    )
    if settings.statements is None:
        logger.info("PODJOBS_FUNCTION_URL_XAPI is not set: the queue xapi is not read.")
    else:
        logger.info("xAPI statements are taken in.", broker=masked(settings.xapi_broker_url), queue=STATEMENT_QUEUE)


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


async def _leave(lease: Lease) -> None:
    try:
        async with asyncio.timeout(LEAVE_LIMIT_S):
            await lease.end()
    except (RedisError, TimeoutError) as error:
        logger.warning("Redis is away: other adapters take over when the lease has run out.", error=str(error))
