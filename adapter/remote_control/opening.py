"""Puts Celery's remote control together, once for each broker."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from adapter.about import AdapterAbout
from adapter.redis.connections import RedisClient, open_redis
from adapter.remote_control.answering import RemoteControl
from adapter.remote_control.inspect_commands import Desk
from adapter.remote_control.nodes import NAMES, JobNode, Node, StatementNode
from adapter.remote_control.overview import OverviewReader
from adapter.remote_control.roster import Roster
from adapter.remote_control.waiting_messages import MessageReader
from adapter.settings import AdapterSettings
from adapter.steering.steering import Steering
from adapter.steps.records import Records
from podjobs.contract.media_paths import MediaPaths
from podjobs.contract.redaction import redact
from podjobs.contract.workflows import XAPI, step_functions


@dataclass(frozen=True, slots=True)
class Answerer:
    """The adapter that answers."""

    about: AdapterAbout
    settings: AdapterSettings
    claimed_statements: Callable[[], Sequence[str]]
    """Ids of the statements that it delivers."""


async def answer_remote_control(answerer: Answerer) -> None:
    """Answer on each broker until cancelled. Never ends by an error."""
    settings = answerer.settings
    async with AsyncExitStack() as resources:

        def open_client(url: str, *, text: bool) -> RedisClient:
            client = open_redis(url, text=text)
            resources.push_async_callback(client.aclose)
            return client

        jobs = open_client(settings.jobs_url, text=True)
        urls = dict.fromkeys(settings.queue_url(queue) for queue in answerer.about.queues)
        controls = [_open(answerer, url, open_client(url, text=False), jobs) for url in urls]
        async with asyncio.TaskGroup() as lanes:
            for control in controls:
                lanes.create_task(control.run())


def _open(answerer: Answerer, url: str, broker: RedisClient, jobs: RedisClient) -> RemoteControl:
    """The remote control of one broker, with this adapter's nodes there."""
    settings, about = answerer.settings, answerer.about
    queues = [queue for queue in about.queues if settings.queue_url(queue) == url]
    nodes = [_node(answerer, queue, broker, jobs) for queue in queues]
    records = Records(jobs, settings.podjobs_job_ttl_s, settings.podjobs_history_ttl_s)
    desk = Desk(
        about=about,
        jobs=jobs,
        reader=OverviewReader(jobs, {function.name: function.retries for function in settings.functions}),
        steering=Steering(jobs, records),
        conf=_conf(settings, url),
        broker=_describe_broker(broker),
        first_queue=next((queue for queue in queues if queue != XAPI.queue), ""),
    )
    return RemoteControl(broker, nodes, desk)


def _node(answerer: Answerer, queue: str, broker: RedisClient, jobs: RedisClient) -> Node:
    about = answerer.about
    roster = Roster(broker, queue, about.id, NAMES.get(queue, queue), about.host)
    messages = MessageReader(broker, queue)
    if queue == XAPI.queue:
        return StatementNode(roster, messages, jobs, answerer.claimed_statements)
    function = next(function.name for function in step_functions() if function.queue == queue)
    return JobNode(queue, function, roster, messages, MediaPaths(answerer.settings.media_root))


def _conf(settings: AdapterSettings, url: str) -> dict[str, Any]:
    """What `celery inspect conf` is told: nothing secret."""
    return {
        "broker_url": redact(url),
        "podjobs_redis_url": redact(settings.jobs_url),
        "media_root": settings.media_root,
        "podjobs_functions": {function.name: redact(function.url) for function in settings.functions},
        "podjobs_shares": settings.shares,
        "podjobs_retry_limits": {function.name: function.retries.limit for function in settings.functions},
    }


def _describe_broker(broker: RedisClient) -> dict[str, Any]:
    options = broker.connection_pool.connection_kwargs
    return {
        "transport": "redis",
        "hostname": options.get("host") or options.get("path") or "Sentinel",
        "port": options.get("port"),
        "virtual_host": str(options.get("db") or 0),
        "userid": None,
        "ssl": "ssl_cert_reqs" in options,
        "connect_timeout": options.get("socket_connect_timeout"),
        "transport_options": {},
        "uri_prefix": None,
    }
