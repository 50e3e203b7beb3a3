"""RQ's jobs as the adapter writes them, and the answers that it reads. Pure.

Source: rq 2.10 to 2.12, `Job.to_dict` and `Result.serialize`.
"""

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from math import ceil
from typing import Any
from urllib.parse import urlsplit

from adapter.delivery import StepFailedError, StepRefusedError, delivery_problem
from podjobs.contract.bounds import REQUEST_BYTES, json_bytes
from podjobs.contract.requests import Request
from podjobs.contract.rq_jobs import HANDLER, QUEUE, RESULT_TTL_S, rq_job_id
from podjobs.events import Event, write_message

ADOPTED_ATTEMPTS = 3
"""So many attempts before this one may have left a job that is still of use."""
REASON_CHARS = 500
REASON_BYTES = 64 * 1024
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
_SUCCESSFUL = "1"
"""The `type` of a result. Source: rq.results.Result.Type."""


def check_rq_url(url: str) -> None:
    """Raise ValueError when a URL does not name a queue."""
    if not QUEUE.fullmatch(urlsplit(url).path):
        raise ValueError("must name a queue after rq:, as in rq:encoding; letters, digits, dashes and underscores")


@dataclass(frozen=True, slots=True)
class RqJob:
    """A job to be added to a queue."""

    id: str
    earlier: tuple[str, ...]
    """The jobs of earlier attempts, latest first: one that is still of use is taken in its place."""
    fields: dict[str, str | bytes | int]
    """Of its hash."""


def job_ids(request: Request) -> tuple[str, ...]:
    """The jobs of an attempt and of those before it, latest first.

    A step that is added anew, with the same id, has others: what was done for the first one is of no use for it.
    """
    subject = f"{request.subject}/{request.entry_id}" if request.entry_id else request.subject
    earliest = max(0, request.attempt - 1 - ADOPTED_ATTEMPTS)
    return tuple(rq_job_id(subject, attempt) for attempt in range(request.attempt, earliest, -1))


def write_job(event: Event, request: Request, queue: str, margin_s: float) -> RqJob:
    """Write a request as an RQ job.

    Args:
        event: carries the request.
        request: the request.
        queue: where it is to be added.
        margin_s: seconds beyond the request's own time limit after which its worker stops it.

    Raises:
        StepRefusedError: it is longer than a function reads.
    """
    message = write_message(event)
    size_bytes = json_bytes(message)
    if size_bytes > REQUEST_BYTES:
        detail = f"The request takes {size_bytes} bytes, but a function reads at most {REQUEST_BYTES}."
        raise StepRefusedError(delivery_problem(detail, HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
    now = datetime.now(UTC).strftime(_TIME)
    own, *earlier = job_ids(request)
    fields: dict[str, str | bytes | int] = {
        "created_at": now,
        "enqueued_at": now,
        "data": zlib.compress(json.dumps((HANDLER, None, (message,), {})).encode()),
        "origin": queue,
        "description": f"{request.subject}, attempt {request.attempt}",
        "timeout": ceil(request.timeout_s + margin_s),
        "result_ttl": RESULT_TTL_S,
        "failure_ttl": RESULT_TTL_S,
        "status": "queued",
    }
    return RqJob(own, tuple(earlier), fields)


def read_result(entry: Mapping[str, str]) -> Any:
    """Read what a worker has stored.

    Args:
        entry: of the stream of a job's results.

    Returns:
        The function's answer, as an object.

    Raises:
        StepFailedError: the worker could not have it performed, and says why.
    """
    if entry.get("type") != _SUCCESSFUL:
        raise failed(f"The worker {entry.get('worker_name', '')!r} did not perform it: {_read_reason(entry)}")
    try:
        return json.loads(base64.b64decode(entry.get("return_value", "")))
    except (ValueError, RecursionError) as error:
        raise failed("The worker's result is not JSON.") from error


def failed(detail: str, status: int = HTTPStatus.BAD_GATEWAY) -> StepFailedError:
    """An attempt that counts."""
    return StepFailedError(delivery_problem(detail, status))


def _read_reason(entry: Mapping[str, str]) -> str:
    """What a worker says of a failure: ours a sentence, RQ's own a traceback, whose last line is the error."""
    try:
        text = zlib.decompressobj().decompress(base64.b64decode(entry.get("exc_string", "")), REASON_BYTES)
    except (binascii.Error, ValueError, zlib.error):
        text = b""
    lines = text.decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:REASON_CHARS] if lines else "it does not say why."
