"""What `celery inspect` asks: nothing is changed. The answers have the form of Celery's workers'.

Source: celery 5.2 to 5.7, celery/worker/control.py.
"""

import platform
import resource
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapter.about import AdapterAbout
from adapter.redis import keys
from adapter.redis.connections import RedisClient
from adapter.remote_control.mailbox import ControlRequest, LogicalClock
from adapter.remote_control.nodes import JobNode, Node, View
from adapter.remote_control.overview import LISTED, OverviewReader
from adapter.remote_control.tasks import task_name
from adapter.steering.steering import Steering

MOST_IDS = 1000
"""In one command."""


@dataclass(slots=True)
class Desk:
    """What commands are answered with."""

    about: AdapterAbout
    jobs: RedisClient
    reader: OverviewReader
    steering: Steering
    conf: Mapping[str, Any]
    """Settings that are told, without any secret."""
    broker: Mapping[str, Any]
    """Where the broker is, as Celery says it."""
    first_queue: str
    """Whose node answers for what is not known to be of any queue."""
    clock: LogicalClock = field(default_factory=LogicalClock)
    events_enabled: bool = False
    """Whether somebody wants to be told of tasks."""


@dataclass(frozen=True, slots=True)
class Call:
    """A command, as one node has to answer it."""

    node: Node
    request: ControlRequest
    view: View
    desk: Desk

    def ids(self, name: str) -> list[str]:
        """An argument that is one id or a list of them."""
        given = self.request.arguments.get(name) or []
        return [str(one)[:200] for one in (given if isinstance(given, list) else [given])[:MOST_IDS]]


Answer = Any
Command = Callable[[Call], Awaitable[Answer]]


async def _active(call: Call) -> Answer:
    return await call.node.active(call.view)


async def _reserved(call: Call) -> Answer:
    return await call.node.reserved(call.view)


async def _scheduled(call: Call) -> Answer:
    return await call.node.scheduled(call.view)


async def _ping(_: Call) -> Answer:
    return {"ok": "pong"}


async def _registered(call: Call) -> Answer:
    return list(call.node.tasks)


async def _active_queues(call: Call) -> Answer:
    queue = call.node.queue
    exchange = {
        "name": queue,
        "type": "direct",
        "arguments": None,
        "durable": True,
        "passive": False,
        "auto_delete": False,
        "delivery_mode": None,
        "no_declare": False,
    }
    nothing = (
        *("queue_arguments", "binding_arguments", "consumer_arguments", "alias", "no_declare", "expires"),
        *("message_ttl", "max_length", "max_length_bytes", "max_priority"),
    )
    flags = {"durable": True, "exclusive": False, "auto_delete": False, "no_ack": False, "bindings": []}
    return [{"name": queue, "exchange": exchange, "routing_key": queue, **flags, **dict.fromkeys(nothing)}]


async def _revoked(call: Call) -> Answer:
    """What was revoked before it was a job: said by the speaker of the jobs' queues."""
    if not call.node.types or not call.node.place.is_speaker:
        return []
    return list(await call.desk.jobs.zrevrange(keys.REVOKED, 0, LISTED - 1))


async def _clock(call: Call) -> Answer:
    return {"clock": call.desk.clock.value}


async def _query_task(call: Call) -> Answer:
    """In Celery's words: active, scheduled, reserved, or ready, which means that it has ended."""
    node, wanted = call.node, call.ids("ids")
    found: dict[str, Any] = {}
    for state, tasks in (
        ("active", await node.active(call.view)),
        ("scheduled", [row["request"] for row in await node.scheduled(call.view)]),
        ("reserved", await node.reserved(call.view)),
    ):
        found |= {task["id"]: [state, task] for task in tasks if task["id"] in wanted}
    missing = [job_id for job_id in wanted if job_id not in found]
    if isinstance(node, JobNode) and node.place.is_speaker and missing:
        overview = await call.view.begun()
        for record in await call.desk.reader.records(missing):
            if record.type in node.types and not (record.is_live and record.id in overview.running):
                found[record.id] = ["reserved" if record.is_live else "ready", node.describe(record, overview)]
    return found


async def _stats(call: Call) -> Answer:
    about, place = call.desk.about, call.node.place
    usage = resource.getrusage(resource.RUSAGE_SELF)
    slots = about.slots.get(call.node.function, 0)
    return {
        "total": await _totals(call),
        "pid": about.pid,
        "clock": str(call.desk.clock.value),
        "uptime": int(time.time() - about.started_at),
        "pool": {
            "implementation": "pod-functions: steps are delivered to the function " + call.node.function,
            "max-concurrency": slots,
            "processes": [about.pid],
            "max-tasks-per-child": "N/A",
            "put-guarded-by-semaphore": False,
            "timeouts": [0, 0],
            "writes": {"total": 0, "avg": "0.00", "all": "", "raw": "", "inqueues": {"total": 0, "active": 0}},
        },
        "broker": dict(call.desk.broker),
        "prefetch_count": 0,
        "rusage": {name[3:]: getattr(usage, name) for name in dir(usage) if name.startswith("ru_")},
        "podjobs": {
            "version": about.version,
            "adapter": about.id,
            "state": str(about.state),
            "http": about.http,
            "speaker": place.speaker,
        },
    }


async def _totals(call: Call) -> dict[str, int]:
    """How many jobs have ended, by their tasks: of all adapters together, so the speaker alone says it."""
    if not call.node.place.is_speaker:
        return {}
    found: dict[str, int] = {}
    for name, value in (await call.desk.jobs.hgetall(keys.TOTALS)).items():
        state, _, type_ = name.partition(":")
        if type_ in call.node.types and state in {"done", "failed", "cancelled", "superseded"}:
            found[task_name(type_)] = found.get(task_name(type_), 0) + int(value)
    return found


async def _conf(call: Call) -> Answer:
    slots = call.desk.about.slots.get(call.node.function, 0)
    return {**call.desk.conf, "task_default_queue": call.node.queue, "worker_concurrency": slots}


async def _report(call: Call) -> Answer:
    about = call.desk.about
    lines = [
        f"software -> pod-functions:{about.version} py:{platform.python_version()}",
        f"platform -> system:{platform.system()} release:{platform.release()} arch:{platform.machine()}",
        f"adapter  -> {about.id} ({about.state}), pages: {about.http}",
        f"queues   -> {', '.join(about.queues)}",
        *(f"{name}: {value!r}" for name, value in call.desk.conf.items()),
    ]
    return {"ok": "\n".join(lines)}


INSPECT_COMMANDS: dict[str, Command] = {
    "active": _active,
    "dump_active": _active,
    "reserved": _reserved,
    "dump_reserved": _reserved,
    "scheduled": _scheduled,
    "dump_schedule": _scheduled,
    "registered": _registered,
    "dump_tasks": _registered,
    "revoked": _revoked,
    "dump_revoked": _revoked,
    "conf": _conf,
    "dump_conf": _conf,
    "ping": _ping,
    "active_queues": _active_queues,
    "stats": _stats,
    "report": _report,
    "query_task": _query_task,
    "clock": _clock,
    "hello": _clock,  # a worker of Celery's that starts asks it
}
