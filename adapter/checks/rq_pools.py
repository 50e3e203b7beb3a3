"""Has the servers of a function's RQ workers examine it: each server's pool writes what it finds to Redis.

A worker may be busy for minutes, so none is asked: their pools are, which look every second whether somebody asks.
"""

import asyncio
import json
import time
import uuid
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError
from redis.exceptions import RedisError

from adapter.checks.comparison import Clock
from adapter.checks.functions import MARGIN_S, SUBJECT, Examined, findings_of
from adapter.delivery.rq.store import RqStore
from adapter.plurals import counted, plural
from adapter.redis.connections import RedisClient, open_redis
from adapter.settings import AdapterSettings, FunctionSettings
from podjobs.contract.examinations import ExaminationReport, Finding, Verdict
from podjobs.contract.rq_jobs import ASKED_TTL_S, REPORT_TTL_S, asked_key, reports_key

LOOK_S = 0.1


async def examine_pools(settings: AdapterSettings, function: FunctionSettings, limit_s: float) -> list[Examined]:
    """Count a function's workers, and have their servers examine it.

    Args:
        settings: the adapter's.
        function: which one.
        limit_s: how long there is. A server that is not ready in time is known by what it found the last time.
    """
    queue = urlsplit(function.url).path
    client = open_redis(settings.rq_url, text=True)
    ends_at = time.monotonic() + limit_s - MARGIN_S
    try:
        # one that has died is counted until RQ forgets it, a minute later
        beats = await RqStore(client, queue, "check").beats()
        workers = sum(beat is not None for beat in beats.values())
        if not workers:
            remedy = f"Start them on a server: scripts/podjobs worker {function.name}."
            return [_said(function.name, Verdict.FAULT, f"It has no workers: its steps wait. {remedy}")]
        reports = await _ask(client, queue, ends_at)
    except (RedisError, OSError):
        return [_said(function.name, Verdict.FAULT, "It is not known: its queue's Redis does not answer.")]
    finally:
        await client.aclose()
    count = counted(workers, "worker", "workers")
    if not reports:
        said = f"It has {count} of an earlier version, and does not tell how {plural(workers, 'it is', 'they are')}."
        return [_said(function.name, Verdict.UNCHECKED, said)]
    return [_said(function.name, Verdict.OK, f"It has {count}."), *_examined(function.name, reports)]


def _said(function: str, verdict: Verdict, said: str) -> Examined:
    return Examined([Finding(subject=SUBJECT, part=function, verdict=verdict, said=said)])


async def _ask(client: RedisClient, queue: str, ends_at: float) -> dict[str, Any]:
    """Have all pools of a queue look, and return what each says. Raises RedisError."""
    ticket = uuid.uuid4().hex
    await client.set(asked_key(queue), ticket, ex=ASKED_TTL_S)
    while True:
        found = {place: json.loads(text) for place, text in (await client.hgetall(reports_key(queue))).items()}
        known = {place: one for place, one in found.items() if one["at"] > time.time() - REPORT_TTL_S}
        if (known and all(one["ticket"] == ticket for one in known.values())) or time.monotonic() > ends_at:
            return {place: one | {"is_new": one["ticket"] == ticket} for place, one in known.items()}
        await asyncio.sleep(LOOK_S)


def _examined(function: str, reports: dict[str, Any]) -> list[Examined]:
    """What pools have said. Pure, but for the time."""
    found = []
    for place, one in reports.items():
        try:
            report = ExaminationReport.model_validate(one["report"])
        except (ValidationError, KeyError):
            found.append(_said(function, Verdict.FAULT, f"It cannot be opened at {place}: {one.get('trouble', '')}"))
            continue
        findings = findings_of(f"{function} at {place}", report)
        clock = None
        if one["is_new"]:
            clock = Clock(f"the function {function} at {place}", float(one["lead_s"]))
        else:
            age_s = time.time() - one["at"]
            findings.append(
                Finding(
                    subject=SUBJECT,
                    part=f"{function} at {place}",
                    verdict=Verdict.NOTE,
                    said=f"This is of {age_s:.0f} s ago: it was not examined anew in time.",
                )
            )
        found.append(Examined(findings, report, clock))
    return found
