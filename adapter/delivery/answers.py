"""What a function's answer means for the request it was given.

What the function itself says is a problem (RFC 9457). Anything else comes from a proxy before it, such as Knative's:

    503 pending request queue full, activator overload, context deadline exceeded    it waits for a slot: not counted
    502 dial tcp …: connect: connection refused    nobody took the request, the pod is starting or gone: not counted
    502 EOF, … connection reset by peer            the pod died of it, or beside it: counted
    503 … reset reason: connection termination     likewise, as Envoy says it (kourier, istio, contour): counted
    504 request timeout, activator request timeout timeoutSeconds are over: counted
    404 (empty)                                    the ingress does not know the function (yet): not counted

Source: RFC 9457 (problems); RFC 9110, 10.2.3 (Retry-After); knative/serving: pkg/queue/handler.go,
pkg/activator/handler/handler.go, pkg/http/handler/timeout.go; Go: net.OpError ("dial tcp …"); Envoy: response flags.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from adapter.delivery import (
    DeliveryError,
    FunctionBusyError,
    StepFailedError,
    StepRefusedError,
    delivery_problem,
)
from podjobs.contract.errors import PROBLEM_CONTENT_TYPE, UNAVAILABLE, Problem
from podjobs.contract.message_contracts import MessageContract, ReplyT, RequestT
from podjobs.contract.retry_after import read_retry_after
from podjobs.contract.usage import USAGE_HEADER, StepAccount
from podjobs.events import read_event
from podjobs.settings import SAME_SECRET

logger = structlog.get_logger(__name__)

_BUSY = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
_SHUT_OUT = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
"""The function, or a proxy before it, does not let the adapter in: nothing is wrong with the request."""
_ON_THE_WAY = {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}
"""Without a problem in the body, these come from an ingress that does not know the function yet, or from a wrong URL,
which an operator can correct: nothing is wrong with the request, and no function has seen it."""
_NOT_TAKEN = re.compile(
    rb"dial tcp [^ ]+ (?:connect: connection refused|connect: no route to host|i/o timeout)|timed out dialing"
)
"""A proxy in Go could not connect: the request was not sent."""
_BROKEN = re.compile(rb"reset reason: (?:connection termination|remote reset|protocol error)")
"""Envoy had sent the request when its connection broke. It says so with 503, as if the function were only busy."""
_TRANSIENT = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY}
_NO_FUNCTION = "No function answers at this URL. It is not deployed (yet), or PODJOBS_FUNCTION_URL_… is wrong."
_EXCERPT_CHARS = 300


def read_answer(
    contract: MessageContract[RequestT, ReplyT], status: int, headers: Mapping[str, str], content: bytes
) -> ReplyT:
    """Read the reply in a function's answer.

    Args:
        contract: what the function may reply.
        status: HTTP status.
        headers: of the answer; their case does not matter.
        content: the body.

    Raises:
        DeliveryError: there is no reply; its class says whether a retry helps, and whether it counts.
    """
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return _read_reply(contract, headers, content)
    lower = {name.lower(): value for name, value in headers.items()}
    stated = _read_problem(lower, content)
    retry_after_s = read_retry_after(lower.get("retry-after"))
    if stated is not None:
        error = _error_of(status, stated, is_stated=True, retry_after_s=retry_after_s)
        account = _read_account(lower.get(USAGE_HEADER.lower()))
        error.usage = account.usage if account else None
        raise error
    problem = delivery_problem(f"The function answered with status {status}: {_excerpt(content)}", status)
    on_the_way = _error_of_proxy(status, problem, content, retry_after_s)
    raise on_the_way or _error_of(status, problem, is_stated=False, retry_after_s=retry_after_s)


class _AnswerMessage(BaseModel):
    """An answer without HTTP; podjobs/entry/answers.py writes it."""

    model_config = ConfigDict(strict=True, extra="ignore")

    statusCode: int  # noqa: N815 - AWS's name
    headers: dict[str, str] = {}
    body: str = ""


def read_answer_message(contract: MessageContract[RequestT, ReplyT], message: Any) -> ReplyT:
    """Read the reply in an answer that came as an object, over a transport without HTTP.

    Args:
        contract: what the function may reply.
        message: the parsed JSON of the answer.

    Raises:
        DeliveryError: as `read_answer`.
    """
    try:
        answer = _AnswerMessage.model_validate(message)
    except ValidationError as error:
        begins = _excerpt(repr(message).encode("utf-8", "replace"))
        detail = f"The function's answer has no status, headers and body: {begins}"
        raise StepFailedError(delivery_problem(detail, HTTPStatus.BAD_GATEWAY)) from error
    return read_answer(contract, answer.statusCode, answer.headers, answer.body.encode("utf-8", "replace"))


def _read_reply(contract: MessageContract[RequestT, ReplyT], headers: Mapping[str, str], content: bytes) -> ReplyT:
    try:
        event = read_event(headers, content)
        reply = contract.read_reply(event.type, event.data)
    except ValueError as error:  # of the event or of its data
        reason = " ".join(str(error).split())[:_EXCERPT_CHARS].rstrip(".")
        detail = f"The function's answer is not a reply: {reason}. It begins: {_excerpt(content)}"
        raise StepFailedError(delivery_problem(detail, HTTPStatus.BAD_GATEWAY)) from error
    account = _read_account(event.extensions.get("usage"))
    return reply if account is None else _with_account(reply, account)


def _read_account(text: str | None) -> StepAccount | None:
    """Read what travels beside an answer. None: nothing does, or it cannot be read, for which no step fails."""
    try:
        return StepAccount.read(text) if text else None
    except ValueError as error:
        reason = " ".join(str(error).split())[:_EXCERPT_CHARS]
        logger.warning("What a step has used cannot be read, and is ignored.", reason=reason)
        return None


def _with_account(reply: ReplyT, account: StepAccount) -> ReplyT:
    """Complete a reply, as far as it has fields for it."""
    found = {"usage": account.usage, "media_s": account.media_s, "source_bytes": account.source_bytes}
    known = type(reply).model_fields
    return reply.model_copy(update={name: value for name, value in found.items() if name in known})


def _read_problem(headers: Mapping[str, str], content: bytes) -> Problem | None:
    """Read the problem that the function itself sent, if any."""
    if headers.get("content-type", "").partition(";")[0].strip().lower() != PROBLEM_CONTENT_TYPE:
        return None
    try:
        return Problem.model_validate_json(content)
    except ValidationError:
        return None


def _error_of_proxy(status: int, problem: Problem, content: bytes, retry_after_s: float | None) -> DeliveryError | None:
    """What an answer means that only a proxy gives. None: it means what it means from anybody."""
    if status in _ON_THE_WAY:
        return FunctionBusyError(_add(problem, _NO_FUNCTION), retry_after_s)
    if status == HTTPStatus.BAD_GATEWAY and _NOT_TAKEN.search(content):
        return FunctionBusyError(problem, retry_after_s)
    if status == HTTPStatus.SERVICE_UNAVAILABLE and _BROKEN.search(content):
        return StepFailedError(problem)
    return None


def _error_of(status: int, problem: Problem, *, is_stated: bool, retry_after_s: float | None) -> DeliveryError:
    if status in _BUSY:
        # without a problem, it comes from a proxy or from a server that does not reach the function
        return FunctionBusyError(problem, retry_after_s, concerns_step=is_stated and problem.type != UNAVAILABLE)
    if status in _SHUT_OUT:
        return FunctionBusyError(_with_remedy(problem), retry_after_s)
    if status in _TRANSIENT:
        return StepFailedError(problem)
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return StepRefusedError(problem)
    return StepFailedError(problem)


def _with_remedy(problem: Problem) -> Problem:
    if SAME_SECRET in problem.detail:  # the function says so itself
        return problem
    return _add(problem, SAME_SECRET)


def _add(problem: Problem, remedy: str) -> Problem:
    return problem.model_copy(update={"detail": f"{problem.detail.rstrip('.')}. {remedy}"})


def _excerpt(content: bytes) -> str:
    return repr(content.decode("utf-8", "replace").strip()[:_EXCERPT_CHARS])
