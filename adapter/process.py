"""The adapter's process: builds all parts, runs them, and stops them without loss."""

import asyncio
import os
import signal
import socket
import uuid
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import structlog
from redis.exceptions import RedisError

from adapter.about import AdapterState
from adapter.cancellation import cancel_and_wait
from adapter.delivery import Delivery
from adapter.delivery.transports import AdapterSide, open_delivery
from adapter.door.celery import CeleryDoor
from adapter.door.dead_letters import DeadLetters
from adapter.door.job_intake import JobIntake, JobRules
from adapter.door.room import DeadBound
from adapter.door.statement_intake import StatementBounds, StatementIntake
from adapter.operator.gauges import Gauges
from adapter.operator.health import HealthRoutes
from adapter.operator.http_server import HttpServer
from adapter.operator.samples import Samples
from adapter.page.actions import Actions
from adapter.page.routes import PageRoutes
from adapter.page.views import ViewReader
from adapter.redis import keys
from adapter.redis.connections import RedisClient, open_redis
from adapter.redis.earlier_names import carry_over
from adapter.redis.heartbeat import Heartbeat
from adapter.redis.idle_entries import IdleEntries
from adapter.redis.memory import KeyMemory
from adapter.redis.streams import Streams
from adapter.redis_retry import retry_until_redis_answers
from adapter.secret_renewal import SecretRenewal
from adapter.settings import AdapterSettings, FunctionSettings, StatementSettings
from adapter.statements.batcher import StatementBatcher
from adapter.statements.dispatch import StatementDispatch
from adapter.statements.store import StatementStore
from adapter.steering.steering import Steering
from adapter.steps.dispatch import StepDispatch
from adapter.steps.observer import StepObserver
from adapter.steps.records import Records
from adapter.steps.recovery import Recovery
from podjobs.contract.media_paths import MediaPaths
from podjobs.contract.message_contracts import STATEMENTS, STEPS, MessageContract, ReplyT, RequestT
from podjobs.contract.redaction import redact
from podjobs.contract.workflows import XAPI, celery_queues

logger = structlog.get_logger(__name__)

LEAVE_LIMIT_S = 2.0
"""Longest time for giving back claims; if it runs out, others reclaim the entries by their idle time."""


def new_adapter_id() -> str:
    """Name this process: no name is ever reused, so adapters can be told apart in logs."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


@dataclass(frozen=True)
class _Parts:
    """What an adapter consists of."""

    adapter_id: str
    jobs: RedisClient
    records: Records
    doors: Sequence[CeleryDoor[Any]]
    dispatches: Sequence[StepDispatch | StatementDispatch]
    recovery: Recovery
    heartbeat: Heartbeat
    health: HealthRoutes
    gauges: Gauges
    samples: Samples

    @property
    def running(self) -> int:
        """How many entries this adapter works on."""
        return sum(len(dispatch.claimed) for dispatch in self.dispatches)


async def run_adapter(settings: AdapterSettings) -> None:
    """Run until SIGTERM or SIGINT; then stop reading, let steps end within the grace time, and give back the rest.

    A second signal ends the process at once; even then nothing is lost.

    Raises:
        OSError: the port of the HTTP server is taken.
    """
    stop = asyncio.Event()
    _on_signals(stop)
    async with AsyncExitStack() as resources:
        parts = _build(settings, resources)
        page = _build_page(settings, parts)
        resources.push_async_callback(page.close)
        server = HttpServer([parts.health, page])
        resources.push_async_callback(server.stop)
        port = await server.start(settings.podjobs_health_host, settings.podjobs_health_port)
        parts.heartbeat.about.http = f"{settings.podjobs_health_host}:{port}"
        _log_start(settings, parts, port)

        async with asyncio.TaskGroup() as work:
            begun = work.create_task(_begin(parts, settings))
            await _first_of(begun, stop)
            if stop.is_set():
                await cancel_and_wait([begun])
                return
            renewing = work.create_task(SecretRenewal(settings).run(), name="secrets")
            recovering = work.create_task(parts.recovery.run(), name="recovery")
            beating = work.create_task(parts.heartbeat.run(), name="heartbeat")
            dispatching = [
                work.create_task(dispatch.run(), name=dispatch.function.name) for dispatch in parts.dispatches
            ]
            watching = [
                work.create_task(parts.gauges.run(settings.podjobs_gauges_s), name="gauges"),
                work.create_task(parts.samples.run(), name="samples"),
            ]
            reading = [work.create_task(door.run(), name=f"door {door.queue}") for door in parts.doors]
            draining = work.create_task(_drain_when_wanted(parts, dispatching), name="drain")
            try:
                await stop.wait()
                logger.info("The adapter stops.", running=parts.running)
                parts.health.report_absence("The adapter is being stopped.")
                for door in parts.doors:
                    door.stop()
                await cancel_and_wait([draining, *dispatching])
                await asyncio.gather(*(dispatch.finish(settings.podjobs_grace_s) for dispatch in parts.dispatches))
                await asyncio.wait(reading, timeout=LEAVE_LIMIT_S)
            finally:
                await cancel_and_wait([draining, *dispatching, *reading, *watching, recovering, beating, renewing])
            await _leave(parts.heartbeat)
    logger.info("The adapter has stopped.")


async def _drain_when_wanted(parts: _Parts, dispatching: Sequence["asyncio.Task[None]"]) -> None:
    """Once an operator wants it, take nothing more and finish what runs, however long it takes; then wait idly."""
    await parts.heartbeat.drain_wanted.wait()
    about = parts.heartbeat.about
    logger.info("The adapter is drained: it takes nothing more.", running=parts.running)
    about.state = AdapterState.DRAINING
    parts.health.report_absence("The adapter is being drained: it takes nothing more, and finishes what it has.")
    for door in parts.doors:
        door.stop()
    await cancel_and_wait(dispatching)
    await asyncio.gather(*(dispatch.finish(None) for dispatch in parts.dispatches))
    await retry_until_redis_answers(parts.heartbeat.give_back, "give back what is on hold")
    about.state = AdapterState.DRAINED
    parts.health.report_absence("The adapter is drained: it has nothing left, and can be stopped.")
    logger.info("The adapter is drained and can be stopped.")


async def _begin(parts: _Parts, settings: AdapterSettings) -> None:
    """Carry over what an earlier version has stored, then beat for the first time: before anything is claimed."""
    if not settings.jobs_in_cluster:  # no earlier version could store any there
        purpose = "carry over the jobs of an earlier version"
        await retry_until_redis_answers(lambda: carry_over(parts.jobs, settings.podjobs_lease_s), purpose)
    await retry_until_redis_answers(parts.heartbeat.beat, "send the first heartbeat")


def _observers() -> list[StepObserver]:
    """Who is told what happens to steps and jobs."""
    return []


def _build(settings: AdapterSettings, resources: AsyncExitStack) -> _Parts:
    """Build all parts; their connections are closed along with the resources."""
    jobs = _open(settings.jobs_url, resources, text=True)
    dead_letters = DeadLetters(jobs)
    dead_bound = DeadBound(KeyMemory(jobs, keys.DEAD), settings.podjobs_dead_limit_bytes)
    streams = Streams(jobs, new_adapter_id())
    records = Records(jobs, settings.podjobs_job_ttl_s, settings.podjobs_history_ttl_s)
    observers = _observers()
    lease_s = settings.podjobs_lease_s
    step_dispatches: list[StepDispatch] = []
    for function in settings.functions:
        delivery = _open_delivery(settings, function, STEPS, streams)
        resources.push_async_callback(delivery.close)
        step_dispatches.append(StepDispatch(function, streams, records, delivery, settings.timing, observers))
    dispatches: list[StepDispatch | StatementDispatch] = [*step_dispatches]
    broker = _open(settings.broker_url, resources, text=False)
    served = frozenset(function.name for function in settings.functions)
    rules = JobRules(MediaPaths(settings.media_root), served)
    shares = settings.shares
    doors: list[CeleryDoor[Any]] = [
        CeleryDoor(queue, broker, streams, JobIntake(records, rules, dead_bound), dead_letters, lease_s, shares[queue])
        for queue in celery_queues(served)
    ]
    intake = None
    if settings.statements:
        store = StatementStore(_open(settings.jobs_url, resources, text=True))
        bounds = StatementBounds(
            settings.statements.held_limit, settings.statements.held_bytes, settings.statements.batches.size_bytes
        )
        intake = StatementIntake(store, bounds, dead_bound)
        xapi_broker = _open(settings.xapi_broker_url, resources, text=False)
        doors.append(CeleryDoor(XAPI.queue, xapi_broker, streams, intake, dead_letters, lease_s, shares[XAPI.queue]))
        dispatches.append(_build_statement_dispatch(settings, settings.statements, streams, store, resources))
    gauges = Gauges(jobs, streams, doors, step_dispatches, intake)
    heartbeat = Heartbeat(jobs, streams, dispatches, lease_s)
    heartbeat.about.queues = [door.queue for door in doors]
    heartbeat.about.slots = {dispatch.function.name: dispatch.function.concurrency for dispatch in dispatches}
    return _Parts(
        adapter_id=streams.adapter_id,
        jobs=jobs,
        records=records,
        doors=doors,
        recovery=Recovery(jobs, records),
        dispatches=dispatches,
        heartbeat=heartbeat,
        health=HealthRoutes(streams.adapter_id, jobs, doors, dispatches, dead_bound, intake),
        gauges=gauges,
        samples=Samples(jobs, gauges),
    )


def _build_page(settings: AdapterSettings, parts: _Parts) -> PageRoutes:
    """Build the web page for administrators."""
    views = ViewReader(parts.jobs, settings.podjobs_lease_s, parts.doors)
    return PageRoutes(settings, views, Actions(parts.jobs, Steering(parts.jobs, parts.records)))


def _build_statement_dispatch(
    settings: AdapterSettings,
    wanted: StatementSettings,
    streams: Streams,
    statements: StatementStore,
    resources: AsyncExitStack,
) -> StatementDispatch:
    """Build what delivers xAPI statements."""
    lease_s = settings.podjobs_lease_s
    idle = IdleEntries(keys.STATEMENTS, streams, wanted.function.retries, lease_s)
    batcher = StatementBatcher(streams, statements, idle, wanted.batches, settings.podjobs_sweep_s)
    delivery = _open_delivery(settings, wanted.function, STATEMENTS, streams)
    resources.push_async_callback(delivery.close)
    return StatementDispatch(wanted.function, streams, statements, batcher, delivery, settings.timing)


def _open_delivery(
    settings: AdapterSettings, function: FunctionSettings, contract: MessageContract[RequestT, ReplyT], streams: Streams
) -> Delivery[RequestT, ReplyT]:
    side = AdapterSide(
        adapter_id=streams.adapter_id,
        margin_s=settings.podjobs_timeout_margin_s,
        secret=settings.podjobs_function_secret,
        open_queues=lambda: open_redis(settings.rq_url, text=True),
        slots=function.concurrency,
    )
    return open_delivery(function.url, contract, side)


def _open(url: str, resources: AsyncExitStack, *, text: bool) -> RedisClient:
    client = open_redis(url, text=text)
    resources.push_async_callback(client.aclose)
    return client


def _log_start(settings: AdapterSettings, parts: _Parts, port: int) -> None:
    """Log which queues are read, and where their work goes."""
    logger.info(
        "The adapter starts.",
        adapter=parts.adapter_id,
        broker=redact(settings.broker_url),
        jobs=redact(settings.jobs_url),
        shares=settings.shares,
        functions={dispatch.function.name: redact(dispatch.function.url) for dispatch in parts.dispatches},
        health=f"http://{settings.podjobs_health_host}:{port}/status",
    )
    if settings.statements is None:
        logger.info("PODJOBS_FUNCTION_URL_XAPI is not set: the queue xapi is not read.")
    else:
        logger.info("xAPI statements are read.", broker=redact(settings.xapi_broker_url), queue=XAPI.queue)


def _on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def ask_to_stop() -> None:
        if stop.is_set():
            logger.warning("The adapter has received a second signal and ends at once.")
            os._exit(1)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask_to_stop)


async def _first_of(task: "asyncio.Task[None]", event: asyncio.Event) -> None:
    waiting = asyncio.ensure_future(event.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


async def _leave(heartbeat: Heartbeat) -> None:
    try:
        async with asyncio.timeout(LEAVE_LIMIT_S):
            await heartbeat.end()
    except (RedisError, TimeoutError) as error:
        logger.warning("Redis is unavailable: other adapters take over when the lease has expired.", error=str(error))
