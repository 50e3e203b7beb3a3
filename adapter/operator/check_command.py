"""The command that asks everything that the adapter needs whether it is well."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import click
from pydantic import SecretStr, ValidationError
from redis.exceptions import RedisError, ResponseError
from rich.table import Table

from adapter.delivery import DeliveryError
from adapter.delivery.rq.store import RqStore
from adapter.door.queue_share import QueueShare
from adapter.inspection.redis_state import find_faults, find_remarks
from adapter.operator.terminal import EXIT_FAILURE, print_table, settings_or_exit
from adapter.redis.connections import RedisClient, open_redis
from adapter.settings import AdapterSettings, FunctionSettings, adapter_settings
from podjobs.contract.errors import Problem
from podjobs.contract.message_contracts import STEPS
from podjobs.contract.redaction import redact
from podjobs.secret_store.held import OVERRULED, held_secrets

RQ_SCHEME, LAMBDA_SCHEME = "rq", "lambda"
ANSWER_LIMIT_S = 60
"""A function that is scaled to zero starts first."""
PAGE_BYTES = 4000
"""Longer ones are cut."""
WELL = "ok"
SHUT_OUT = (
    "answers, but has a secret, and the adapter has none: it will refuse every step. Set PODJOBS_FUNCTION_SECRET as "
    "the function has it."
)


@dataclass(frozen=True)
class Finding:
    """What was found out about one part."""

    part: str
    said: str
    needs_operator: bool


@dataclass(frozen=True)
class _Page:
    """A page that says how a part is."""

    part: str
    url: str = field(repr=False)
    setting: str
    """Where the URL comes from."""
    well: str
    """Its first line if nothing is wrong; what follows is advice."""
    has_secret: bool = False
    """Whether the part tells its advice only to those who know its secret, and then always has some if it has none."""
    secret: SecretStr | None = None
    """What the adapter knows it by."""


@click.command()
def check() -> None:
    """Ask the functions, Redis and the adapter how they are.

    The exit status is 1 if an operator is needed.
    """
    settings = settings_or_exit(adapter_settings())
    findings = asyncio.run(examine(settings))
    table = Table("part", "state", box=None)
    for finding in findings:
        table.add_row(finding.part, finding.said)
    print_table(table)
    if any(finding.needs_operator for finding in findings):
        raise SystemExit(EXIT_FAILURE)


async def examine(settings: AdapterSettings) -> list[Finding]:
    """Ask every part, all at once.

    Args:
        settings: the adapter's.

    Returns:
        What each said, Redis first.
    """
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_LIMIT_S)) as session:
        asked = [_ask_redis(part, url, setting) for part, url, setting in _databases(settings)]
        asked += [_ask_page(page, session) for page in _pages(settings)]
        asked += [_count_workers(function, settings.rq_url) for function in _functions(settings) if _is_rq(function)]
        asked += [_ask_lambda(function) for function in _functions(settings) if _is_lambda(function)]
        return [*await asyncio.gather(*asked), *await _look_at_queues(settings), *_look_at_secrets()]


def _look_at_secrets() -> Iterator[Finding]:
    """Say which secrets were read, and when; they were, or there would be no settings."""
    held = held_secrets()
    if held is None:
        return
    for state in held.states():
        yield Finding(state.secret, f"{WELL}, {state.version}, read {state.read}", needs_operator=False)
    if held.overruled:
        yield Finding("secrets", f"{OVERRULED} They are: {', '.join(held.overruled)}.", needs_operator=True)


async def _look_at_queues(settings: AdapterSettings) -> list[Finding]:
    """Say of the queues that are shared with Pod's workers, or handed back to them, who reads them."""
    found = []
    for queue, percent in settings.shares.items():
        client = open_redis(settings.queue_url(queue), text=True)
        try:
            state = await QueueShare(queue, client, percent).state()
        except (RedisError, OSError):
            continue  # said about the database
        finally:
            await client.aclose()
        if state.is_shared:
            # the adapter's page says it, too, but it may not run
            found.append(Finding(f"queue {queue}", str(state), needs_operator=bool(state.advice)))
    return found


def _databases(settings: AdapterSettings) -> Iterator[tuple[str, str, str]]:
    """The databases, each once: part, URL, and the setting that it comes from."""
    broker = "ENCODING_TRANSCODING_CELERY_BROKER_URL"
    yield "Redis: Pod's queues", settings.broker_url, broker
    if settings.jobs_url != settings.broker_url:
        yield "Redis: jobs", settings.jobs_url, "PODJOBS_REDIS_URL"
    if any(map(_is_rq, _functions(settings))) and settings.rq_url not in {settings.jobs_url, settings.broker_url}:
        yield "Redis: RQ", settings.rq_url, "PODJOBS_RQ_URL"
    if settings.statements and settings.xapi_broker_url != settings.broker_url:
        yield "Redis: xAPI queue", settings.xapi_broker_url, "XAPI_CELERY_BROKER_URL"


def _pages(settings: AdapterSettings) -> Iterator[_Page]:
    port = settings.podjobs_health_port
    if port:  # else it is chosen by the system, and known from the log alone
        url = f"http://{settings.podjobs_health_host}:{port}/readyz"
        yield _Page("adapter", url, "PODJOBS_HEALTH_HOST and PODJOBS_HEALTH_PORT", "ready")
    for function in _functions(settings):
        if _is_rq(function) or _is_lambda(function):
            continue
        setting = f"PODJOBS_FUNCTION_URL_{function.name.upper()}"
        secret = settings.podjobs_function_secret
        yield _Page(f"function {function.name}", function.url, setting, WELL, has_secret=True, secret=secret)


def _functions(settings: AdapterSettings) -> list[FunctionSettings]:
    return [*settings.functions, *([settings.statements.function] if settings.statements else [])]


def _is_rq(function: FunctionSettings) -> bool:
    return urlsplit(function.url).scheme == RQ_SCHEME


def _is_lambda(function: FunctionSettings) -> bool:
    return urlsplit(function.url).scheme == LAMBDA_SCHEME


async def _ask_lambda(function: FunctionSettings) -> Finding:
    """Ask Lambda whether a function is there and may be invoked; it is not run."""
    from adapter.delivery.aws_lambda.delivery import LambdaDelivery  # noqa: PLC0415 - boto3 delays the start

    delivery = LambdaDelivery(function.url, STEPS, "check", 0, slots=1)
    try:
        await delivery.check()
    except DeliveryError as error:
        return Finding(f"function {function.name}", error.problem.detail, needs_operator=True)
    finally:
        await delivery.close()
    return Finding(f"function {function.name}", WELL, needs_operator=False)


async def _count_workers(function: FunctionSettings, rq_url: str) -> Finding:
    """Say how many RQ workers a function has. One that has died is counted until RQ forgets it, a minute later."""
    part = f"function {function.name}"
    store = RqStore(open_redis(rq_url, text=True), urlsplit(function.url).path, "check")
    try:
        beats = await store.beats()
    except (RedisError, OSError):
        return Finding(part, "is not known: its queue's Redis does not answer.", needs_operator=True)
    finally:
        await store.close()
    workers = sum(beat is not None for beat in beats.values())
    if not workers:
        remedy = f"Start them on a server: scripts/podjobs worker {function.name}."
        return Finding(part, f"has no workers: its steps wait. {remedy}", needs_operator=True)
    return Finding(part, f"{WELL}, {workers} workers" if workers > 1 else f"{WELL}, 1 worker", needs_operator=False)


async def _ask_redis(part: str, url: str, setting: str) -> Finding:
    client = open_redis(url, text=True)
    try:
        await client.ping()
        info = await _info(client)
    except (RedisError, OSError) as error:
        said = f"does not answer: {redact(str(error)).rstrip('.')}. Start it, or correct {setting}."
        return Finding(part, said, needs_operator=True)
    finally:
        await client.aclose()
    if faults := find_faults(info):
        return Finding(part, " It ".join(faults), needs_operator=True)
    return Finding(part, "; ".join([WELL, *find_remarks(info)]), needs_operator=False)


async def _info(client: RedisClient) -> dict[str, Any]:
    """What the server says of itself; nothing, if this login may not ask."""
    try:
        return dict(await client.info())
    except ResponseError:
        return {}


async def _ask_page(page: _Page, session: aiohttp.ClientSession) -> Finding:
    headers = {"Authorization": f"Bearer {page.secret.get_secret_value()}"} if page.secret else {}
    try:
        async with session.get(page.url, headers=headers, allow_redirects=False) as response:
            status, text = response.status, await _read(response)
    except TimeoutError:
        return Finding(page.part, f"does not answer within {ANSWER_LIMIT_S} s.", needs_operator=True)
    except aiohttp.ClientError as error:
        said = f"cannot be asked: {redact(str(error)).rstrip('.')}. Start it, or correct {page.setting}."
        return Finding(page.part, said, needs_operator=True)
    first, _, advice = text.partition("\n")
    if status != HTTPStatus.OK or first != page.well:
        return Finding(page.part, f"answers with status {status}: {_detail(text)}", needs_operator=True)
    if page.has_secret and page.secret is None and not advice:
        return Finding(page.part, SHUT_OUT, needs_operator=True)
    return Finding(page.part, advice.strip() or WELL, needs_operator=bool(advice.strip()))


def _detail(text: str) -> str:
    try:
        return Problem.model_validate_json(text).detail
    except ValidationError:
        return text or "nothing"


async def _read(response: aiohttp.ClientResponse) -> str:
    content = bytearray()
    async for block in response.content.iter_any():
        content += block
        if len(content) >= PAGE_BYTES:
            break
    return redact(content[:PAGE_BYTES].decode("utf-8", "replace")).strip()
