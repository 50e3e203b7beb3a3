"""Functions on AWS Lambda: what its runtime calls for every invocation, one at a time.

    awslambdaric main.handle_invocation     the command of an image (layers/podjobs/bin/start lambda)

An environment lives as long as Lambda likes: it is frozen between invocations, and ended when one fails or takes too
long, with all that it has started.

Source: AWS, «Define Lambda function handler in Python», «Lambda execution environment».
"""

import json
import os
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

import structlog

from podjobs.contract.errors import Problem
from podjobs.contract.lambda_answers import COLD_START, PAYLOAD_BYTES
from podjobs.contract.message_contracts import ReplyT, RequestT
from podjobs.entry.answers import write_answer
from podjobs.entry.endpoint import Endpoint, Failure
from podjobs.entry.messages import message_handler
from podjobs.settings import EndpointSettings

logger = structlog.get_logger(__name__)

LONGEST_S = 900
"""The highest Timeout that a function can have."""

InvocationHandler = Callable[[Any, "InvocationContext"], dict[str, Any]]


class InvocationContext(Protocol):
    """What the runtime says about an invocation."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function's time-out."""


def invocation_handler(endpoint: Endpoint[RequestT, ReplyT], settings: EndpointSettings) -> InvocationHandler:
    """Create what Lambda's runtime calls."""
    answer = message_handler(endpoint, settings)
    start_s = _process_age_s()
    logger.info("The function takes requests.", start_s=round(start_s, 3), memory_mb=_memory_mb())
    cold = [f"{start_s:.3f}"]

    def handle_invocation(message: Any, context: InvocationContext) -> dict[str, Any]:
        with structlog.contextvars.bound_contextvars(request_id=context.aws_request_id):
            if cold:
                _advise_of_time_out(message, context)
            found = answer(message)
            # as the runtime writes it: in ASCII, with escapes
            if (size_bytes := len(json.dumps(found))) > PAYLOAD_BYTES:
                found = _too_large(size_bytes)
        if cold:
            found["headers"][COLD_START] = cold.pop()
        return found

    return handle_invocation


def _too_large(size_bytes: int) -> dict[str, Any]:
    detail = f"The reply takes {size_bytes} bytes, but Lambda returns at most {PAYLOAD_BYTES}."
    logger.error("A reply cannot be returned.", reason=detail)
    problem = Problem(title="The reply is too large.", status=HTTPStatus.UNPROCESSABLE_ENTITY, detail=detail)
    return write_answer(Failure(problem)).as_message()


def _advise_of_time_out(message: Any, context: InvocationContext) -> None:
    """Say, once, if Lambda would end what the adapter waits for: the time-out of a deployment is easily forgotten."""
    data = message.get("data") if isinstance(message, dict) else None
    limit_s = data.get("timeout_s") if isinstance(data, dict) else None
    left_s = context.get_remaining_time_in_millis() / 1000
    if isinstance(limit_s, int) and left_s + 1 < min(limit_s, LONGEST_S):
        logger.warning(
            "The function's Timeout is shorter than what its requests may take. Raise it.",
            timeout_s=round(left_s),
            needed_s=min(limit_s, LONGEST_S),
        )


def _memory_mb() -> int:
    return int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE") or 0)


def _process_age_s() -> float:
    """Seconds since this process was started. Source: proc(5), /proc/[pid]/stat, field 22."""
    ticks = int(Path("/proc/self/stat").read_text(errors="replace").rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
