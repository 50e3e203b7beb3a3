"""Has each function examine what it sees: media, tools, Pod, the LRS."""

import math
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from adapter.checks.comparison import Clock
from adapter.delivery import DeliveryError
from adapter.delivery.transports import AdapterSide, open_delivery
from adapter.redis.connections import open_redis
from adapter.settings import AdapterSettings, FunctionSettings
from podjobs.contract.examinations import ExaminationReport, ExaminationRequest, Finding, Verdict
from podjobs.contract.message_contracts import EXAMINATIONS

SUBJECT = "functions"
RQ_SCHEME = "rq"
MARGIN_S = 0.4
"""What the way there and back may take of the time that there is."""
OTHER_VERSION = "are not for this function"
"""What a function of an earlier version says about an examination."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What became known about a function."""

    findings: list[Finding]
    report: ExaminationReport | None = None
    clock: Clock | None = None


def is_rq(function: FunctionSettings) -> bool:
    """Whether a function is reached through RQ."""
    return urlsplit(function.url).scheme == RQ_SCHEME


def url_setting(function: str) -> str:
    """The setting that says where a function is."""
    return f"PODJOBS_FUNCTION_URL_{function.upper()}"


async def examine_function(settings: AdapterSettings, function: FunctionSettings, limit_s: float) -> Examined:
    """Ask a function that is reached over HTTP or at Lambda.

    Args:
        settings: the adapter's.
        function: which one.
        limit_s: how long there is.
    """
    side = AdapterSide(
        adapter_id="check",
        margin_s=0,
        secret=settings.podjobs_function_secret,
        open_queues=lambda: open_redis(settings.rq_url, text=True),
    )
    delivery = open_delivery(function.url, EXAMINATIONS, side)
    own_s = max(0.2, limit_s - MARGIN_S)
    request = ExaminationRequest(function=function.name, limit_s=own_s, timeout_s=math.ceil(limit_s))
    asked_at = time.monotonic()
    try:
        report = await delivery.deliver(request)
    except DeliveryError as error:
        said = _explained(error.problem.detail, function.name)
        return Examined([Finding(subject=SUBJECT, part=function.name, verdict=Verdict.FAULT, said=said)])
    finally:
        await delivery.close()
    clock = Clock(f"the function {function.name}", report.time_s - time.time())
    said = f"It answered within {time.monotonic() - asked_at:.1f} s, with what it has found out."
    answered = Finding(subject=SUBJECT, part=function.name, verdict=Verdict.OK, said=said)
    return Examined([answered, *findings_of(function.name, report)], report, clock)


def findings_of(function: str, report: ExaminationReport) -> list[Finding]:
    """The findings of a report, each with the name of the function that has found it. Pure."""
    return [one.model_copy(update={"part": f"{function}: {one.part}"}) for one in report.findings]


def _explained(detail: str, function: str) -> str:
    """Why a function did not answer, with the setting that an operator can correct."""
    detail = detail.replace("PODJOBS_FUNCTION_URL_…", url_setting(function))
    if OTHER_VERSION in detail:
        remedy = "Install the same version everywhere."
        return f"It is of an earlier version than this command, and cannot be examined. {remedy}"
    if "PODJOBS_" in detail:
        return detail
    return f"{detail.rstrip('.')}. Start it, or correct {url_setting(function)}."
