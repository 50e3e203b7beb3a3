"""Whether adapters live, and what waits for an operator: pauses, dead letters."""

import time
from collections.abc import Iterator, Sequence
from http import HTTPStatus

import aiohttp
from redis.exceptions import RedisError

from adapter.about import SILENT_LEASES, AdapterAbout, AdapterState
from adapter.inspection.dead_letter_reader import DeadLetter
from adapter.plurals import plural
from adapter.redis import keys
from adapter.redis.connections import RedisClient, open_redis
from adapter.settings import AdapterSettings
from adapter.steering.steering import Pause, Steering
from adapter.steps.records import Records
from podjobs.contract.examinations import Finding, Verdict
from podjobs.contract.redaction import redact

SUBJECT = "adapters"
PAGE_BYTES = 4000
START = "Start one: `systemctl start podjobs-adapter`, scripts/up, or its container"


async def look_at_adapters(settings: AdapterSettings) -> tuple[list[Finding], list[AdapterAbout]]:
    """Look at all adapters, and at what only an operator can end. Returns the living ones, too."""
    client = open_redis(settings.jobs_url, text=True)
    try:
        steering = Steering(client, Records(client, settings.podjobs_job_ttl_s, settings.podjobs_history_ttl_s))
        abouts = await steering.adapters()
        heard = dict(await client.zrange(keys.ADAPTERS, 0, -1, withscores=True))
        silent = {one.id: time.time() - heard.get(one.id, 0.0) for one in abouts}
        found = list(judge_adapters(abouts, silent, settings.podjobs_lease_s))
        found += judge_pauses(list((await steering.paused()).values()))
        found += await _look_at_dead_letters(client)
    except (RedisError, OSError):
        return [], []  # said about the database
    finally:
        await client.aclose()
    return found, [one for one in abouts if silent[one.id] <= SILENT_LEASES * settings.podjobs_lease_s]


def judge_adapters(abouts: Sequence[AdapterAbout], silent_s: dict[str, float], lease_s: float) -> Iterator[Finding]:
    """Judge whether adapters live. Pure.

    Args:
        abouts: what they have said.
        silent_s: for how long nothing was heard of each, by this machine's clock.
        lease_s: after which they are gone.
    """
    living = [one for one in abouts if silent_s[one.id] <= SILENT_LEASES * lease_s]
    working = [one for one in living if one.state == AdapterState.RUNNING]
    for one in abouts:
        shown = f"{one.host}, process {one.pid}"
        if one not in living:
            said = (
                f"The adapter was last heard of {silent_s[one.id]:.0f} s ago: it was killed, its machine is gone, or "
                f"its clock is wrong. {START}."
            )
            verdict = Verdict.NOTE if working else Verdict.FAULT
            yield Finding(subject=SUBJECT, part=shown, verdict=verdict, said=said)
        elif one.state != AdapterState.RUNNING:
            said = f"The adapter is {one.state}: it takes nothing more. Stop it, or start it anew."
            yield Finding(subject=SUBJECT, part=shown, verdict=Verdict.NOTE, said=said)
        else:
            yield Finding(subject=SUBJECT, part=shown, verdict=Verdict.OK, said=f"It reads {', '.join(one.queues)}.")
    if not working:
        said = f"No adapter takes anything from Pod's queues: what Pod asks for waits. {START}."
        yield Finding(subject=SUBJECT, part="all", verdict=Verdict.FAULT, said=said)


def judge_pauses(pauses: Sequence[Pause]) -> Iterator[Finding]:
    """Say what is paused. Pure."""
    for pause in pauses:
        is_all = pause.function == keys.ALL_FUNCTIONS
        what = "All functions are" if is_all else f"The function {pause.function} is"
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(pause.since_s))
        why = f" ({pause.reason})" if pause.reason else ""
        command = "podjobs resume" if is_all else f"podjobs resume {pause.function}"
        said = f"{what} paused since {since} by {pause.by}{why}: steps wait. `{command}` lets them go on."
        part = "all functions" if is_all else pause.function
        yield Finding(subject="paused", part=part, verdict=Verdict.FAULT, said=said)


async def _look_at_dead_letters(client: RedisClient) -> list[Finding]:
    count = await client.xlen(keys.DEAD)
    if not count:
        return [Finding(subject="dead letters", part="all", verdict=Verdict.OK, said="There are none.")]
    newest = await client.xrevrange(keys.DEAD, count=1)
    reason = next((DeadLetter(*letter).reason for letter in newest), "") or "it is not known."
    there = f"There {plural(count, 'is', 'are')} {count}"
    said = f"{there}, the latest because: {reason} See `podjobs dead list`; then replay or drop them."
    return [Finding(subject="dead letters", part="all", verdict=Verdict.FAULT, said=said)]


async def look_at_page(settings: AdapterSettings, session: aiohttp.ClientSession) -> list[Finding]:
    """Ask the adapter of this machine, if one answers, whether it is ready; nothing: none answers here."""
    url = f"http://{settings.podjobs_health_host}:{settings.podjobs_health_port}/readyz"
    try:
        async with session.get(url, allow_redirects=False) as response:
            status, text = response.status, redact((await response.content.read(PAGE_BYTES)).decode("utf-8", "replace"))
    except (aiohttp.ClientError, OSError):
        return []  # it may be on another machine; what Redis knows of adapters is said
    first, _, advice = text.strip().partition("\n")
    part = f"page at {settings.podjobs_health_host}:{settings.podjobs_health_port}"
    if status != HTTPStatus.OK or first != "ready":
        said = f"It answers with status {status}: {first or 'nothing'}"
        return [Finding(subject=SUBJECT, part=part, verdict=Verdict.FAULT, said=said)]
    verdict = Verdict.FAULT if advice.strip() else Verdict.OK
    return [Finding(subject=SUBJECT, part=part, verdict=verdict, said=advice.strip() or "It is ready.")]
