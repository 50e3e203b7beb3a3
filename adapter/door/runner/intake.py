"""The intake of tasks: what a client asks for becomes a job, before it is answered."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Collection
from typing import Any

import structlog
from pydantic import ValidationError
from redis.exceptions import RedisError

from adapter.counts import MESSAGES, REDIS_ERRORS
from adapter.door.runner.clients import Caller, is_allowed
from adapter.door.runner.requests import TaskRequest
from adapter.door.runner.translation import Translation
from adapter.steps.outcomes import Accepted
from adapter.steps.records import Records
from podjobs.contract.errors import list_faults
from podjobs.contract.redaction import redact
from podjobs.contract.workflows import WORKFLOWS

logger = structlog.get_logger(__name__)

PATIENCE_S = 6.0
"""How long a Redis that is away is waited for: the less patient client waits 10 s, and does not ask again."""
PAUSE_S = 0.2
DOOR = "runner"
"""In the place of a queue's name, for /metrics."""


class UnfitRequestError(Exception):
    """A request that does not become a job; the message says what to correct."""


class TaskIntake:
    """Stores tasks as jobs."""

    def __init__(self, records: Records, functions: Collection[str]) -> None:
        """Create it.

        Args:
            records: where jobs are stored.
            functions: names of the functions that are configured.
        """
        self._records = records
        self._functions = functions

    async def submit(self, caller: Caller, body: Any) -> str:
        """Store a task, unless one that does the same is in work.

        Args:
            caller: whose task it is.
            body: parsed JSON.

        Returns:
            The id of its job.

        Raises:
            UnfitRequestError: it does not become a job.
            RedisError: Redis is away; nothing was stored, or it was and a repeat finds it.
        """
        try:
            request = self._read(caller, body)
        except UnfitRequestError:
            MESSAGES.add(DOOR, "refused")
            raise
        translation = Translation(request, caller, str(uuid.uuid4()))
        job = translation.to_job()
        private = {"notify_url": request.notify_url, "token": caller.token}
        accepted = await _patiently(lambda: self._records.request(job, private))
        MESSAGES.add(DOOR, "stored")
        log = logger.bind(type=job.type, client=caller.name, dialect=translation.dialect, app=request.app_name)
        if accepted.outcome == "joined":
            log.info("A task is in work already.", job_id=accepted.other_id)
            return accepted.other_id
        log.info("A job was accepted.", job_id=job.id, source=redact(request.source_url), etab=request.etab_name)
        if accepted.other_id:
            log.info("An older job for the same request is superseded.", superseded=accepted.other_id)
        return job.id

    def _read(self, caller: Caller, body: Any) -> TaskRequest:
        try:
            request = TaskRequest.model_validate(body)
        except ValidationError as error:
            raise UnfitRequestError(f"The task is not valid: {list_faults(error)}.") from error
        if not is_allowed(request.notify_url, caller.client.notify_hosts, private=caller.client.private):
            raise UnfitRequestError(
                f"The client {caller.name!r} may not be called back at {redact(request.notify_url)}. Add the machine "
                "to its notify_hosts in PODJOBS_RUNNER_CLIENTS, with private if it is in the local network."
            )
        function = WORKFLOWS[request.task_type].function.name
        if function not in self._functions:
            raise UnfitRequestError(
                f"No function is configured for tasks of type {request.task_type!r}. Set "
                f"PODJOBS_FUNCTION_URL_{function.upper()}."
            )
        return request


async def _patiently(store: Callable[[], Awaitable[Accepted]]) -> Accepted:
    """Store something; while Redis is away, try again for some seconds. Raises RedisError."""
    end_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            return await store()
        except RedisError:
            REDIS_ERRORS.add("door")
            if time.monotonic() >= end_s:
                raise
            await asyncio.sleep(PAUSE_S)
