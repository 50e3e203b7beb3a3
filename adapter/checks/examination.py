"""Examines everything at once, and ends in time whatever hangs."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp

import podjobs
from adapter.about import AdapterAbout
from adapter.checks import adapters, functions, redis_servers, rq_pools, runner
from adapter.checks.comparison import Clock, compare_clocks, compare_media, compare_versions
from adapter.checks.functions import Examined
from adapter.checks.queue_readers import SUBJECT as QUEUES
from adapter.checks.queue_readers import look_at_queues
from adapter.checks.redis_servers import Database
from adapter.settings import AdapterSettings, FunctionSettings
from podjobs.contract.examinations import MEDIA_ID, POD_LEAD_S, Finding, Verdict
from podjobs.secret_store.held import OVERRULED, held_secrets

SETTINGS = "settings"
LEAVE_S = 0.2
"""What is given up may take this long to close its connections."""
SUBJECTS = (
    SETTINGS, "Redis", "queues", "adapters", runner.SUBJECT, "paused", "dead letters", "functions", "media", "tools",
    "Pod", "LRS", "clocks", "versions",
)  # fmt: skip
"""In the order in which they are shown."""


@dataclass
class _Gathered:
    """What has become known so far."""

    findings: list[Finding] = field(default_factory=list)
    clocks: dict[str, Clock] = field(default_factory=dict)
    """Of Redis servers, by their parts."""
    adapters: list[AdapterAbout] = field(default_factory=list)
    functions: dict[str, list[Examined]] = field(default_factory=dict)


async def examine(settings: AdapterSettings, limit_s: float) -> list[Finding]:
    """Examine everything.

    Args:
        settings: the adapter's.
        limit_s: how long it may take. What hangs is said to do so.

    Returns:
        What was found, by subject.
    """
    gathered = _Gathered(list(_look_at_secrets()))
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=limit_s)) as session:
        work = _parts(settings, gathered, limit_s, session)
        tasks = {asyncio.ensure_future(begin()): (subject, part) for (subject, part), begin in work.items()}
        done, late = await asyncio.wait(tasks, timeout=limit_s)
        for task in late:
            task.cancel()
            gathered.findings.append(_hangs(*tasks[task], limit_s))
        if late:
            await asyncio.wait(late, timeout=LEAVE_S)
        for task in done:
            task.result()
    gathered.findings += _compare(settings, gathered)
    return sorted(gathered.findings, key=lambda one: (_rank(one.subject), one.part))


Part = tuple[str, str]
"""Subject and part of what is examined."""


def _parts(
    settings: AdapterSettings, gathered: _Gathered, limit_s: float, session: aiohttp.ClientSession
) -> dict[Part, Callable[[], Awaitable[None]]]:
    """What is examined, each apart from the others."""
    wanted = all_functions(settings)
    parts: dict[Part, Callable[[], Awaitable[None]]] = {}

    async def look_at_redis(database: Database) -> None:
        finding, clock = await redis_servers.look_at_redis(database)
        gathered.findings.append(finding)
        if clock:
            gathered.clocks[database.url] = clock

    async def look_at_queues_too() -> None:
        gathered.findings += await look_at_queues(settings)

    async def look_at_adapters() -> None:
        findings, gathered.adapters = await adapters.look_at_adapters(settings)
        gathered.findings += findings

    async def look_at_page() -> None:
        gathered.findings += await adapters.look_at_page(settings, session)

    async def look_at_function(function: FunctionSettings) -> None:
        look = rq_pools.examine_pools if functions.is_rq(function) else _examine_one
        examined = await look(settings, function, limit_s)
        gathered.functions[function.name] = examined
        gathered.findings += [finding for one in examined for finding in one.findings]

    for database in redis_servers.databases(settings, uses_rq=any(map(functions.is_rq, wanted))):
        parts["Redis", database.part] = lambda database=database: look_at_redis(database)  # type: ignore[misc]
    parts[QUEUES, "all"] = look_at_queues_too
    parts[adapters.SUBJECT, "all"] = look_at_adapters
    if settings.podjobs_health_port:  # else it is chosen by the system, and known from the log alone
        parts[adapters.SUBJECT, "page"] = look_at_page
    parts |= _parts_of_runner(settings, gathered, session)
    for function in wanted:
        parts[functions.SUBJECT, function.name] = lambda function=function: look_at_function(function)  # type: ignore[misc]
    return parts


def _parts_of_runner(
    settings: AdapterSettings, gathered: _Gathered, session: aiohttp.ClientSession
) -> dict[Part, Callable[[], Awaitable[None]]]:
    """What is examined of the runner API, if there is one."""
    if not settings.podjobs_runner_port:
        return {}

    async def look_at_api() -> None:
        gathered.findings += await runner.look_at_runner(settings, session)

    async def look_at_client(name: str) -> None:
        gathered.findings += await runner.look_at_client(name, settings.podjobs_runner_clients[name])

    parts: dict[Part, Callable[[], Awaitable[None]]] = {(runner.SUBJECT, "API"): look_at_api}
    for name in settings.podjobs_runner_clients:
        parts[runner.SUBJECT, f"client {name}"] = lambda name=name: look_at_client(name)  # type: ignore[misc]
    return parts


async def _examine_one(settings: AdapterSettings, function: FunctionSettings, limit_s: float) -> list[Examined]:
    return [await functions.examine_function(settings, function, limit_s)]


def all_functions(settings: AdapterSettings) -> list[FunctionSettings]:
    """All functions that the adapter invokes."""
    return [*settings.functions, *([settings.statements.function] if settings.statements else [])]


def _compare(settings: AdapterSettings, gathered: _Gathered) -> list[Finding]:
    """What is only visible side by side."""
    reports = [(name, one) for name, found in gathered.functions.items() for one in found if one.report]
    reference = gathered.clocks.get(settings.jobs_url)
    clocks = [clock for url, clock in gathered.clocks.items() if url != settings.jobs_url]
    clocks += [one.clock for _, one in reports if one.clock]
    versions = {f"adapter on {one.host}": one.version for one in gathered.adapters}
    media: dict[str, str] = {}
    for name, one in reports:
        assert one.report  # noqa: S101 - see above
        versions[f"function {name}"] = one.report.version
        for finding in one.report.findings:
            if MEDIA_ID in finding.facts:
                media[name] = str(finding.facts[MEDIA_ID])
            if POD_LEAD_S in finding.facts and one.clock:
                clocks.append(Clock("Pod", one.clock.lead_s + float(finding.facts[POD_LEAD_S])))
    compared = [*compare_clocks(reference, clocks), *compare_versions(podjobs.__version__, versions)]
    return [*compared, *compare_media(media)]


def _hangs(subject: str, part: str, limit_s: float) -> Finding:
    said = f"It does not answer within {limit_s:.1f} s."
    if subject == functions.SUBJECT:
        said += (
            " If it is scaled to zero and starts first, ask with --patience 60; otherwise see its log, and restart it."
        )
    else:
        said += " See whether its server runs and can be reached from here."
    return Finding(subject=subject, part=part, verdict=Verdict.FAULT, said=said)


def _rank(subject: str) -> int:
    return SUBJECTS.index(subject) if subject in SUBJECTS else len(SUBJECTS)


def _look_at_secrets() -> list[Finding]:
    """Say that the settings are well, and which secrets were read: they were, or there would be no settings."""
    found = [Finding(subject=SETTINGS, part="all", verdict=Verdict.OK, said="They are complete and valid.")]
    held = held_secrets()
    if held is None:
        return found
    for state in held.states():
        said = f"{state.version}, read {state.read}"
        found.append(Finding(subject=SETTINGS, part=state.secret, verdict=Verdict.OK, said=said))
    if held.overruled:
        said = f"{OVERRULED} They are: {', '.join(held.overruled)}."
        found.append(Finding(subject=SETTINGS, part="secrets", verdict=Verdict.FAULT, said=said))
    return found
