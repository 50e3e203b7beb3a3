"""How the Redis servers are: whether they keep what they accept, how fast they answer, what time they think it is."""

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from redis.exceptions import RedisError, ResponseError

from adapter.checks.comparison import Clock
from adapter.inspection.redis_state import find_faults, find_remarks
from adapter.redis.connections import RedisClient, open_redis
from adapter.settings import AdapterSettings
from podjobs.contract.examinations import Finding, Verdict
from podjobs.contract.redaction import redact

SUBJECT = "Redis"
PINGS = 5
SLOW_S = 0.05
"""A server of the same network answers in a millisecond. Each step takes some five answers, one after the other."""
JOBS = "jobs"


@dataclass(frozen=True, slots=True)
class Database:
    """A database that settings name."""

    part: str
    url: str
    setting: str


def databases(settings: AdapterSettings, *, uses_rq: bool) -> Iterator[Database]:
    """The databases, each once; the one with the jobs is called so, unless it has Pod's queues, too."""
    broker = "ENCODING_TRANSCODING_CELERY_BROKER_URL"
    is_same = settings.jobs_url == settings.broker_url
    yield Database("Pod's queues and jobs" if is_same else "Pod's queues", settings.broker_url, broker)
    if not is_same:
        yield Database(JOBS, settings.jobs_url, "PODJOBS_REDIS_URL")
    if uses_rq and settings.rq_url not in {settings.jobs_url, settings.broker_url}:
        yield Database("RQ", settings.rq_url, "PODJOBS_RQ_URL")
    if settings.statements and settings.xapi_broker_url != settings.broker_url:
        yield Database("xAPI queue", settings.xapi_broker_url, "XAPI_CELERY_BROKER_URL")


async def look_at_redis(database: Database) -> tuple[Finding, Clock | None]:
    """Ask a server. Returns what was found, and its clock if it answers."""
    client = open_redis(database.url, text=True)
    try:
        waits_s, clock = [], None
        for _ in range(PINGS):
            asked_s = time.perf_counter()
            await client.ping()
            waits_s.append(time.perf_counter() - asked_s)
        seconds, microseconds = await client.time()
        clock = Clock(f"Redis ({database.part})", seconds + microseconds / 1e6 + waits_s[-1] / 2 - time.time())
        info = await _info(client)
    except (RedisError, OSError) as error:
        said = f"It does not answer: {redact(str(error)).rstrip('.')}. Start it, or correct {database.setting}."
        return Finding(subject=SUBJECT, part=database.part, verdict=Verdict.FAULT, said=said), None
    finally:
        await client.aclose()
    return judge(database.part, info, statistics.median(waits_s)), clock


def judge(part: str, info: dict[str, Any], latency_s: float) -> Finding:
    """Judge a server. Pure.

    Args:
        part: what it is used for.
        info: its answer to INFO; empty, if the login may not ask.
        latency_s: how long it takes to answer.
    """
    faults = find_faults(info)
    if latency_s > SLOW_S:
        faults.append(
            f"takes {latency_s * 1000:.0f} ms to answer, and each step waits for several answers: run adapter and "
            "Redis in the same network, and see its SLOWLOG."
        )
    if faults:
        said = " ".join(f"It {fault}" for fault in faults)
        return Finding(subject=SUBJECT, part=part, verdict=Verdict.FAULT, said=said)
    answers = f"version {info.get('redis_version', 'unknown')}, answers in {latency_s * 1000:.1f} ms"
    remarks = find_remarks(info)
    said = "; ".join([answers, *remarks]) + "."
    return Finding(subject=SUBJECT, part=part, verdict=Verdict.NOTE if remarks else Verdict.OK, said=said)


async def _info(client: RedisClient) -> dict[str, Any]:
    """What the server says of itself; nothing, if this login may not ask."""
    try:
        return dict(await client.info())
    except ResponseError:
        return {}
