"""RQ's jobs as these workers read them: one message for one handler, and nothing else.

Whoever can write to Redis can give a worker jobs. RQ would import and call whatever a job names: its function, its
callbacks, its web hooks; and with RQ's default serializer, reading a job would be enough. Here only the listed fields
are read, in JSON, and none of them is ever imported.
"""

import json
import zlib
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from redis import Redis
from rq import Queue
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from rq.timeouts import BaseDeathPenalty
from rq.utils import utcparse
from typing_extensions import override

from podjobs.contract.bounds import REQUEST_BYTES
from podjobs.contract.requests import DEFAULT_TIMEOUT_S
from podjobs.contract.rq_jobs import HANDLER, RESULT_TTL_S

LONGEST_TIMEOUT_S = 24 * 3600
DATA_BYTES = REQUEST_BYTES + (1 << 16)
"""Of a job: the message, and the names around it."""
_DATES = ("created_at", "enqueued_at", "started_at", "ended_at", "last_heartbeat")
_TEXTS = ("origin", "worker_name", "description")


class JobRefusedError(Exception):
    """A job is not one of ours; the message says why."""


class StepJob(Job):
    """A job of a function's queue."""

    def __init__(self, id: str | None = None, connection: Redis | None = None, serializer: Any = None) -> None:  # noqa: A002, ARG002 - RQ calls it so
        """Create it; always in JSON, whichever serializer RQ would take."""
        super().__init__(id, connection, JSONSerializer)

    @property  # type: ignore[misc]  # RQ's can be set
    @override
    def func_name(self) -> str:
        """What RQ shows as the job's function, without looking into it."""
        return HANDLER

    @property
    def message(self) -> Any:
        """What the handler is to be given.

        Raises:
            JobRefusedError: the job is for another handler, or is not JSON.
        """
        try:
            function, instance, args, kwargs = json.loads(_inflate(self.data))
        except (ValueError, TypeError, RecursionError, zlib.error) as error:
            raise JobRefusedError(f"The job is not written as JSON, the only form that is read: {error}.") from error
        if function != HANDLER:
            raise JobRefusedError(f"The job is for {str(function)[:100]!r}, but this worker performs {HANDLER!r} only.")
        if instance is not None or kwargs or not isinstance(args, list) or len(args) != 1:
            raise JobRefusedError(f"The job does not have one argument, the message for {HANDLER!r}.")
        return args[0]

    @override
    def restore(self, raw_data: Mapping[bytes, bytes]) -> None:
        """Read the fields that are known here; what is wrong with one of them concerns no other."""
        texts = {name.decode("utf-8", "replace"): value for name, value in raw_data.items()}
        self._data = texts.get("data", b"")
        for name in _TEXTS:
            setattr(self, name, texts[name].decode("utf-8", "replace") if texts.get(name) else None)
        self.origin = self.origin or ""
        for name in _DATES:
            with suppress(ValueError):
                setattr(self, name, _date(texts.get(name)))
        with suppress(ValueError):
            self._status = JobStatus(texts.get("status", b"").decode("utf-8", "replace"))
        self.timeout = _seconds(texts.get("timeout"))
        self.result_ttl = self.failure_ttl = RESULT_TTL_S

    @override
    def to_dict(self, include_meta: bool = True, include_result: bool = True) -> dict[str, Any]:
        """What is stored of a job that has ended: its message, which may be long, was stored by whoever asked."""
        message, self._data = self._data, b""
        try:
            stored = super().to_dict(include_meta, include_result)
        finally:
            self._data = message
        del stored["data"]
        return stored


class StepQueue(Queue):
    """A function's queue."""

    @override
    def enqueue_dependents(self, *_: Any, **__: Any) -> None:
        """Nothing: no job waits for another, whatever Redis says."""


class NoDeathPenalty(BaseDeathPenalty):
    """In place of RQ's alarm, which raises an error wherever the process happens to be; horses are killed instead."""

    @override
    def setup_death_penalty(self) -> None:
        """Nothing."""

    @override
    def cancel_death_penalty(self) -> None:
        """Nothing."""


def _date(text: bytes | None) -> datetime | None:
    return utcparse(text.decode("ascii")) if text else None


def _seconds(text: bytes | None) -> int:
    """A time-out; what is not one, or is too long, is replaced."""
    with suppress(ValueError):
        seconds = int(text or b"")
        if 0 < seconds <= LONGEST_TIMEOUT_S:
            return seconds
    return DEFAULT_TIMEOUT_S


def _inflate(data: bytes) -> bytes:
    """What a job holds, as RQ compresses it. Raises ValueError if that is more than a request may take."""
    inflater = zlib.decompressobj()
    try:
        inflated = inflater.decompress(data, DATA_BYTES)
    except zlib.error:
        inflated = data  # RQ does not insist
    if inflater.unconsumed_tail or len(inflated) > DATA_BYTES:
        raise ValueError(f"it takes more than {DATA_BYTES} bytes")
    return inflated
