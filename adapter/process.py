"""The adapter's process: builds all parts, runs them, and stops them without loss."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

import structlog
from redis.exceptions import RedisError

from adapter.about import AdapterState
from adapter.assembly import Parts, build_parts
from adapter.cancellation import cancel_and_wait
from adapter.lanes import keep_going
from adapter.operator.http_server import HttpServer
from adapter.redis.earlier_names import carry_over
from adapter.redis.heartbeat import Heartbeat
from adapter.redis_retry import retry_until_redis_answers
from adapter.secret_renewal import SecretRenewal
from adapter.settings import AdapterSettings
from adapter.statements.dispatch import StatementDispatch
from podjobs.contract.redaction import redact
from podjobs.contract.workflows import XAPI

logger = structlog.get_logger(__name__)

LEAVE_LIMIT_S = 2.0
"""Longest time for giving back claims; if it runs out, others reclaim the entries by their idle time."""


async def run_adapter(settings: AdapterSettings) -> None:
    """Run until SIGTERM or SIGINT; then stop reading, let steps end within the grace time, and give back the rest.

    A second signal ends the process at once; even then nothing is lost.

    Raises:
        OSError: a port is taken.
        SettingsError: the runner API is wanted, and the settings of the media are not valid.
    """
    stop = asyncio.Event()
    _on_signals(stop)
    async with AsyncExitStack() as resources:
        parts = build_parts(settings, resources)
        server = HttpServer([parts.health, parts.page, *([parts.metrics] if parts.metrics else [])])
        resources.push_async_callback(server.stop)
        port = await server.start(settings.podjobs_health_host, settings.podjobs_health_port)
        parts.heartbeat.about.http = f"{settings.podjobs_health_host}:{port}"
        if parts.runner:
            parts.runner.page_port = port
            runner = HttpServer([parts.runner])
            resources.push_async_callback(runner.stop)
            await runner.start(settings.podjobs_runner_host, settings.podjobs_runner_port)
        _log_start(settings, parts, port)
        await _work_until(stop, parts, settings)
    logger.info("The adapter has stopped.")


async def _work_until(stop: asyncio.Event, parts: Parts, settings: AdapterSettings) -> None:
    """Run all parts until the event; then let what runs end, and give back the rest."""
    async with asyncio.TaskGroup() as work:
        begun = work.create_task(_begin(parts, settings))
        await _first_of(begun, stop)
        if stop.is_set():
            await cancel_and_wait([begun])
            return
        renewing = work.create_task(SecretRenewal(settings).run(), name="secrets")
        recovering = work.create_task(parts.recovery.run(), name="recovery")
        beating = work.create_task(parts.heartbeat.run(), name="heartbeat")
        dispatching = [work.create_task(dispatch.run(), name=dispatch.function.name) for dispatch in parts.dispatches]
        beside = [work.create_task(keep_going(name, lane), name=name) for name, lane in _lanes(parts, settings).items()]
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
            others = [*beside, recovering, beating, renewing]
            await cancel_and_wait([draining, *dispatching, *reading, *others])
        await _leave(parts.heartbeat)


def _lanes(parts: Parts, settings: AdapterSettings) -> dict[str, Callable[[], Awaitable[None]]]:
    """What goes on beside the work, by its name: no job depends on it."""
    lanes: dict[str, Callable[[], Awaitable[None]]] = {
        "retention": parts.retention.run,
        "gauges": lambda: parts.gauges.run(settings.podjobs_gauges_s),
        "samples": parts.samples.run,
        "remote control": lambda: _answer_remote_control(parts, settings),
    }
    if parts.alerts and parts.mails:
        lanes |= {"alerts": parts.alerts.run, "mails": parts.mails.run}
    return lanes


async def _drain_when_wanted(parts: Parts, dispatching: Sequence["asyncio.Task[None]"]) -> None:
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


async def _answer_remote_control(parts: Parts, settings: AdapterSettings) -> None:
    """Answer Celery's own commands, if it is wanted."""
    if not settings.podjobs_remote_control:
        return
    from adapter.remote_control.opening import Answerer, answer_remote_control  # noqa: PLC0415 - delays the start

    claimed = next((one for one in parts.dispatches if isinstance(one, StatementDispatch)), None)
    statements = (lambda: claimed.claimed) if claimed else tuple
    await answer_remote_control(Answerer(parts.heartbeat.about, settings, statements))


async def _begin(parts: Parts, settings: AdapterSettings) -> None:
    """Carry over what an earlier version has stored, then beat for the first time: before anything is claimed."""
    if not settings.jobs_in_cluster:  # no earlier version could store any there
        purpose = "carry over the jobs of an earlier version"
        await retry_until_redis_answers(lambda: carry_over(parts.jobs, settings.podjobs_lease_s), purpose)
    await retry_until_redis_answers(parts.heartbeat.beat, "send the first heartbeat")


def _log_start(settings: AdapterSettings, parts: Parts, port: int) -> None:
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
    if parts.runner:
        address = f"http://{settings.podjobs_runner_host}:{settings.podjobs_runner_port}{settings.podjobs_runner_root}"
        logger.info("The runner API is served.", address=address, clients=sorted(settings.podjobs_runner_clients))
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
