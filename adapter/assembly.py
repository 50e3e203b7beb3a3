"""Builds all parts of an adapter, and connects them: the only place that knows them all."""

import os
import socket
import uuid
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from adapter.about import AdapterAbout
from adapter.alerts.outbox import Outbox
from adapter.alerts.sender import MailSender
from adapter.alerts.watch import AlertWatch
from adapter.delivery import Delivery
from adapter.delivery.transports import AdapterSide, open_delivery
from adapter.door.celery import CeleryDoor
from adapter.door.dead_letters import DeadLetters
from adapter.door.job_intake import JobIntake, JobRules
from adapter.door.room import DeadBound
from adapter.door.statement_intake import StatementBounds, StatementIntake
from adapter.inspection.cost import Prices
from adapter.inspection.dead_letter_reader import DeadLetterReader
from adapter.operator.gauges import Gauges
from adapter.operator.health import HealthRoutes
from adapter.operator.samples import Samples
from adapter.page.actions import Actions
from adapter.page.routes import PageRoutes
from adapter.page.views import ViewReader
from adapter.redis import keys
from adapter.redis.connections import RedisClient, open_redis
from adapter.redis.heartbeat import Heartbeat
from adapter.redis.idle_entries import IdleEntries
from adapter.redis.memory import KeyMemory
from adapter.redis.streams import Streams
from adapter.settings import AdapterSettings, FunctionSettings, StatementSettings
from adapter.statements.batcher import StatementBatcher
from adapter.statements.dispatch import StatementDispatch
from adapter.statements.store import StatementStore
from adapter.steering.dead_letters import DeadLetterSteering
from adapter.steering.replay import open_targets
from adapter.steering.steering import Steering
from adapter.steps.dispatch import StepDispatch
from adapter.steps.observer import StepObserver
from adapter.steps.records import Records
from adapter.steps.recovery import Recovery
from adapter.steps.retention import Retention
from adapter.telemetry.observed import Observed
from adapter.telemetry.routes import MetricsRoutes
from adapter.telemetry.snapshot import SnapshotReader
from podjobs.contract.media_paths import MediaPaths
from podjobs.contract.message_contracts import STATEMENTS, STEPS, MessageContract, ReplyT, RequestT
from podjobs.contract.workflows import XAPI, celery_queues
from podjobs.settings import MediaSettings, load_settings
from podjobs.tracing import MISSING, is_wanted

if TYPE_CHECKING:
    from adapter.door.runner.routes import RunnerRoutes

logger = structlog.get_logger(__name__)


def new_adapter_id() -> str:
    """Name this process: no name is ever reused, so adapters can be told apart in logs."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


@dataclass(frozen=True)
class Parts:
    """What an adapter consists of."""

    adapter_id: str
    jobs: RedisClient
    doors: Sequence[CeleryDoor[Any]]
    dispatches: Sequence[StepDispatch | StatementDispatch]
    recovery: Recovery
    retention: Retention
    heartbeat: Heartbeat
    health: HealthRoutes
    gauges: Gauges
    samples: Samples
    page: PageRoutes
    metrics: MetricsRoutes | None
    """None: they are not served."""
    runner: "RunnerRoutes | None"
    """None: there is no runner API."""
    alerts: AlertWatch | None
    """None: nobody gets mail."""
    mails: MailSender | None

    @property
    def running(self) -> int:
        """How many entries this adapter works on."""
        return sum(len(dispatch.claimed) for dispatch in self.dispatches)


def build_parts(settings: AdapterSettings, resources: AsyncExitStack) -> Parts:
    """Build all parts; their connections are closed along with the resources."""
    jobs = _open(settings.jobs_url, resources, text=True)
    dead_bound = DeadBound(KeyMemory(jobs, keys.DEAD), settings.podjobs_dead_limit_bytes)
    streams = Streams(jobs, new_adapter_id())
    records = Records(jobs, settings.podjobs_job_ttl_s, settings.podjobs_history_ttl_s)
    statements = _build_statements(settings, streams, dead_bound, resources)
    doors = _build_doors(settings, streams, DoorTargets(records, DeadLetters(jobs), dead_bound, statements), resources)
    # they have to know one another: what the dispatches do is watched, and how much they have to do
    steps: list[StepDispatch] = []
    intake = statements.intake if statements else None
    gauges = Gauges(jobs, streams, doors, steps, intake)
    outbox = Outbox(jobs, streams.adapter_id)
    alerts = AlertWatch(outbox, gauges, doors, settings.podjobs_backlog_alert_s)
    observed = Observed()
    observers: list[StepObserver] = [alerts] if settings.admins else []
    observers += [observed] if settings.podjobs_metrics else []
    observers += _open_traces(resources)
    for function in settings.functions:
        delivery = _open_delivery(settings, function, STEPS, streams)
        resources.push_async_callback(delivery.close)
        steps.append(StepDispatch(function, streams, records, delivery, settings.timing, observers))
    dispatches: list[StepDispatch | StatementDispatch] = [*steps]
    if statements:
        dispatches.append(statements.dispatch)
    heartbeat = Heartbeat(jobs, streams, dispatches, settings.podjobs_lease_s)
    metrics = MetricsRoutes(SnapshotReader(jobs, doors, settings.podjobs_lease_s), observed, doors, heartbeat.about)
    if statements:
        alerts.statements = metrics.statements = statements.dispatch
    heartbeat.refresh = lambda about: about.note_slots(steps)
    _introduce(heartbeat.about, doors, [dispatch.function for dispatch in dispatches])
    page = _build_page(settings, jobs, records, doors, resources)
    resources.push_async_callback(page.close)
    return Parts(
        adapter_id=streams.adapter_id,
        jobs=jobs,
        doors=doors,
        recovery=Recovery(jobs, records, settings.result_days),
        retention=Retention(jobs, records, settings.podjobs_dead_ttl_s),
        dispatches=dispatches,
        heartbeat=heartbeat,
        health=HealthRoutes(streams.adapter_id, jobs, doors, dispatches, dead_bound, intake),
        page=page,
        metrics=metrics if settings.podjobs_metrics else None,
        runner=_build_runner(settings, resources) if settings.podjobs_runner_port else None,
        gauges=gauges,
        samples=Samples(jobs, gauges),
        alerts=alerts if settings.admins else None,
        mails=MailSender(settings, outbox, settings.podjobs_page_url) if settings.admins else None,
    )


def _introduce(about: AdapterAbout, doors: Sequence[CeleryDoor[Any]], functions: Sequence[FunctionSettings]) -> None:
    """Say what the adapter reads and invokes."""
    about.queues = [door.queue for door in doors]
    about.slots = {function.name: function.concurrency for function in functions}
    policies = {function.name: function.retries for function in functions}
    about.retries = {name: [one.base_s, one.factor, one.cap_s] for name, one in policies.items()}


def _open_traces(resources: AsyncExitStack) -> list[StepObserver]:
    """Who writes spans, if OpenTelemetry's environment wants them."""
    if not is_wanted(os.environ):
        return []
    try:
        from adapter.telemetry.traces import open_traces  # noqa: PLC0415 - delays the start
    except ImportError:
        logger.warning(MISSING)
        return []
    return open_traces(resources)


def _build_page(
    settings: AdapterSettings,
    jobs: RedisClient,
    records: Records,
    doors: Sequence[CeleryDoor[Any]],
    resources: AsyncExitStack,
) -> PageRoutes:
    """Build the web page for administrators."""
    views = ViewReader(jobs, settings.podjobs_lease_s, doors, Prices.of(settings))
    targets = open_targets(settings, records, jobs, lambda url: _open(url, resources, text=False))
    letters = DeadLetterSteering(DeadLetterReader(jobs), targets)
    return PageRoutes(settings, views, Actions(jobs, Steering(jobs, records)), letters)


def _build_runner(settings: AdapterSettings, resources: AsyncExitStack) -> "RunnerRoutes":
    """Build the runner API: of all that the adapter does, it alone reads media."""
    # most adapters have none, and read no media
    from adapter.door.runner.clients import Clients  # noqa: PLC0415
    from adapter.door.runner.intake import TaskIntake  # noqa: PLC0415
    from adapter.door.runner.results import Results  # noqa: PLC0415
    from adapter.door.runner.routes import RunnerRoutes  # noqa: PLC0415
    from podjobs.backends.storage import open_storage  # noqa: PLC0415

    results = Results(open_storage(load_settings(MediaSettings)))
    resources.callback(results.close)
    # connections of its own: however many requests come at once, none of the adapter's work waits for one
    jobs = _open(settings.jobs_url, resources, text=True)
    records = Records(jobs, settings.podjobs_job_ttl_s, settings.podjobs_history_ttl_s)
    intake = TaskIntake(records, {function.name for function in settings.functions})
    routes = RunnerRoutes(Clients(settings.podjobs_runner_clients), intake, jobs, records, results)
    routes.root = settings.podjobs_runner_root
    routes.page_url = settings.podjobs_page_url or ""
    routes.page_port = settings.podjobs_health_port
    return routes


@dataclass(frozen=True, slots=True)
class DoorTargets:
    """Where what comes in is stored."""

    records: Records
    dead_letters: DeadLetters
    dead_bound: DeadBound
    statements: "_Statements | None"


def _build_doors(
    settings: AdapterSettings, streams: Streams, targets: DoorTargets, resources: AsyncExitStack
) -> list[CeleryDoor[Any]]:
    """Build one door for each queue that is read."""
    broker = _open(settings.broker_url, resources, text=False)
    served = frozenset(function.name for function in settings.functions)
    rules = JobRules(MediaPaths(settings.media_root), served)
    lease_s, shares, dead_letters = settings.podjobs_lease_s, settings.shares, targets.dead_letters
    doors: list[CeleryDoor[Any]] = []
    for queue in celery_queues(served):
        intake = JobIntake(targets.records, rules, targets.dead_bound)
        doors.append(CeleryDoor(queue, broker, streams, intake, dead_letters, lease_s, shares[queue]))
    if targets.statements:
        broker, queue = _open(settings.xapi_broker_url, resources, text=False), XAPI.queue
        taken = targets.statements.intake
        doors.append(CeleryDoor(queue, broker, streams, taken, dead_letters, lease_s, shares[queue]))
    return doors


@dataclass(frozen=True, slots=True)
class _Statements:
    """What takes in xAPI statements, and what delivers them."""

    intake: StatementIntake
    dispatch: StatementDispatch


def _build_statements(
    settings: AdapterSettings, streams: Streams, dead_bound: DeadBound, resources: AsyncExitStack
) -> _Statements | None:
    """Build what is for statements; None: their queue is not read."""
    wanted = settings.statements
    if wanted is None:
        return None
    store = StatementStore(_open(settings.jobs_url, resources, text=True))
    bounds = StatementBounds(wanted.held_limit, wanted.held_bytes, wanted.batches.size_bytes)
    intake = StatementIntake(store, bounds, dead_bound)
    return _Statements(intake, _build_statement_dispatch(settings, wanted, streams, store, resources))


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
