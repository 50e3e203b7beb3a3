"""Who reads Pod's queues beside the adapters: Celery workers that were not stopped take half of the messages.

They are asked as `celery inspect` does it; those that do not answer, such as one that is busy and has a single process,
are seen by what they wait for.

Source: kombu 5.7, kombu/pidbox.py and kombu/transport/redis.py (`_queue_bind`, `_put_fanout`).
"""

import asyncio
import base64
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from redis.exceptions import RedisError, ResponseError

from adapter.door.queue_share import QueueShare
from adapter.plurals import counted
from adapter.redis import keys
from adapter.redis.connections import RedisClient, open_redis
from adapter.settings import AdapterSettings
from podjobs.contract.examinations import Finding, Verdict

SUBJECT = "queues"
WAIT_S = 1.0
"""How long nodes are given to answer, as `celery inspect` does."""
PIDBOX, REPLIES = "celery.pidbox", "reply.celery.pidbox"
SEPARATOR = "\x06\x16"
"""Between the parts of a binding."""
OURS = "podjobs"
"""What only an adapter's statistics contain, which answers as a node, too."""
BLOCKED = "brpop"
"""The command by which Celery's workers wait for messages, and nothing of ours does."""


async def look_at_queues(settings: AdapterSettings) -> list[Finding]:
    """Ask about all queues that are read."""
    found: list[Finding] = []
    urls: dict[str, list[str]] = {}
    for queue in settings.shares:
        urls.setdefault(settings.queue_url(queue), []).append(queue)
    for url, queues in urls.items():
        client = open_redis(url, text=True)
        try:
            found += judge_readers(queues, await _ask(client, "active_queues"), await _blocked(client))
            for queue in queues:
                found += await _look_at_share(client, queue, settings.shares[queue])
        except (RedisError, OSError):
            continue  # said about the database
        finally:
            await client.aclose()
    return found


async def _look_at_share(client: RedisClient, queue: str, percent: int) -> list[Finding]:
    """Say of a queue that is shared with Pod's workers, or handed back to them, who reads it."""
    found = []
    state = await QueueShare(queue, client, percent).state()
    if state.is_shared:
        verdict = Verdict.FAULT if state.advice else Verdict.NOTE
        found.append(Finding(subject=SUBJECT, part=f"queue {queue}", verdict=verdict, said=str(state)))
    if too_long := await client.llen(keys.too_long(queue)):
        said = (
            f"{counted(too_long, 'message is', 'messages are')} too long to be read, and on the list "
            f"{keys.too_long(queue)}. See what sends such messages, and delete the list."
        )
        found.append(Finding(subject=SUBJECT, part=f"queue {queue}", verdict=Verdict.FAULT, said=said))
    return found


def judge_readers(queues: list[str], nodes: Mapping[str, Any], blocked: list[str]) -> Iterator[Finding]:
    """Judge who reads queues. Pure.

    Args:
        queues: those that the adapters read.
        nodes: Celery's workers, and the queues that each reads.
        blocked: addresses of clients that wait as Celery's workers do, for whatever queue.
    """
    is_read_by_one = True
    for node, reads in nodes.items():
        shared = [queue for queue in queues if queue in _names(reads)]
        if not shared:
            continue
        is_read_by_one = False
        said = (
            f"The Celery worker {node} reads {' and '.join(shared)}, too, and takes messages from the adapters. Stop "
            f"it; or start it with -Q {','.join(map(keys.left_to_pod, shared))}, and set PODJOBS_SHARE."
        )
        yield Finding(subject=SUBJECT, part=node, verdict=Verdict.FAULT, said=said)
    names = ", ".join(queues)
    if is_read_by_one and blocked and not nodes:
        said = (
            f"Programs at {', '.join(blocked)} wait for messages in this database as Celery's workers do, and do not "
            f"say of which queues. If of {names}: stop them."
        )
        yield Finding(subject=SUBJECT, part=names, verdict=Verdict.NOTE, said=said)
    elif is_read_by_one:
        yield Finding(subject=SUBJECT, part=names, verdict=Verdict.OK, said="No Celery worker reads them.")


def _names(reads: Any) -> set[str]:
    return {str(queue.get("name")) for queue in reads if isinstance(queue, dict)} if isinstance(reads, list) else set()


async def _ask(client: RedisClient, method: str) -> dict[str, Any]:
    """Ask all nodes but ours. Raises RedisError."""
    found, told = await asyncio.gather(_broadcast(client, method), _broadcast(client, "stats"))
    ours = {node for node, stats in told.items() if isinstance(stats, dict) and OURS in stats}
    return {node: answer for node, answer in found.items() if node not in ours}


async def _broadcast(client: RedisClient, method: str) -> dict[str, Any]:
    """Send a command to all nodes and collect what they answer in time. Raises RedisError."""
    routing_key, ticket = str(uuid.uuid4()), str(uuid.uuid4())
    replies = f"{routing_key}.{REPLIES}"
    binding, member = f"_kombu.binding.{REPLIES}", SEPARATOR.join((routing_key, "", replies))
    database = client.connection_pool.connection_kwargs.get("db") or 0
    command: dict[str, Any] = {"method": method, "arguments": {}, "destination": None, "pattern": None, "matcher": None}
    command |= {"ticket": ticket, "reply_to": {"exchange": REPLIES, "routing_key": routing_key}}
    answers: dict[str, Any] = {}
    await client.sadd(binding, member)
    try:
        if not await client.publish(f"/{database}.{PIDBOX}", _envelope(command)):
            return answers  # nobody listens
        ends_at = time.monotonic() + WAIT_S
        while (left_s := ends_at - time.monotonic()) > 0:
            taken = await client.brpop([replies], timeout=left_s)
            if taken:
                answers |= _body(taken[1])
    finally:
        await client.srem(binding, member)
        await client.delete(replies)
    return answers


def _envelope(body: dict[str, Any]) -> str:
    encoded = base64.b64encode(json.dumps(body).encode()).decode()
    properties = {
        "delivery_mode": 2,
        "delivery_info": {"exchange": PIDBOX, "routing_key": ""},
        "priority": 0,
        "body_encoding": "base64",
        "delivery_tag": str(uuid.uuid4()),
    }
    kind = {"content-encoding": "utf-8", "content-type": "application/json"}
    headers = {"clock": 1, "expires": time.time() + WAIT_S}
    return json.dumps({"body": encoded, **kind, "headers": headers, "properties": properties})


def _body(message: str) -> dict[str, Any]:
    """What a node has answered; nothing, if it cannot be read."""
    try:
        body = json.loads(base64.b64decode(json.loads(message)["body"]))
    except (ValueError, KeyError, TypeError):
        return {}
    return body if isinstance(body, dict) else {}


async def _blocked(client: RedisClient) -> list[str]:
    """Addresses of the clients that wait as Celery's workers do; none, if this login may not ask. Raises RedisError."""
    try:
        clients = await client.client_list()
    except ResponseError:
        return []
    database = str(client.connection_pool.connection_kwargs.get("db") or 0)
    waiting = [one for one in clients if one.get("cmd") == BLOCKED and one.get("db") == database]
    return sorted({str(one.get("addr", "?")).rpartition(":")[0] for one in waiting})
