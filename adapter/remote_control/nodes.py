"""What an adapter is to Celery's commands: one node, as a worker would be, for each of Pod's queues that it reads.

active      jobs that have begun: each is listed by the adapter in whose hands it is, one between two steps by the
speaker (roster.py)
scheduled   jobs of which nothing runs, and steps wait for their next attempts: by the speaker
reserved    jobs that wait for their first turn, and messages that are still on Pod's list: by the speaker
"""

import json
import os
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from redis.exceptions import ResponseError

from adapter.inspection.job_record import JobRecord
from adapter.redis import keys
from adapter.redis.connections import RedisClient
from adapter.remote_control.overview import LISTED, Overview, OverviewReader
from adapter.remote_control.roster import Place, Roster
from adapter.remote_control.tasks import (
    TaskInfo,
    TaskPlace,
    describe_active,
    describe_job,
    describe_message,
    describe_scheduled,
    describe_statement,
    number_in,
    task_name,
)
from adapter.remote_control.waiting_messages import MessageReader
from podjobs.contract.media_paths import MediaPaths
from podjobs.contract.statements import Statement
from podjobs.contract.workflows import WORKFLOWS, XAPI

NAMES = {"encoding": "encode", "transcripting": "transcript"}
"""Queue → what Pod's documentation calls the worker that reads it; others are called like their queue."""


class View:
    """What one command sees: the jobs are looked at once, when first asked for, however many nodes answer it."""

    def __init__(self, reader: OverviewReader) -> None:
        """Nothing is read yet."""
        self._reader = reader
        self._overviews: dict[int, Overview] = {}

    async def begun(self) -> Overview:
        """The jobs that have not ended, but those that wait are not named. Raises RedisError."""
        return await self._read(0)

    async def all(self) -> Overview:
        """The jobs that have not ended. Raises RedisError."""
        return await self._read(LISTED)

    async def _read(self, waiting_limit: int) -> Overview:
        for limit in (waiting_limit, LISTED):
            if limit in self._overviews:
                return self._overviews[limit]
        self._overviews[waiting_limit] = await self._reader.read(waiting_limit)
        return self._overviews[waiting_limit]


class Node(Protocol):
    """A worker, as Celery's commands see it. What is listed raises RedisError."""

    queue: str
    function: str
    """The name of the function that does its work."""
    tasks: Sequence[str]
    """Names of the tasks that it performs."""
    types: frozenset[str]
    """The types of its jobs; empty: it has none."""
    roster: Roster

    @property
    def place(self) -> Place:
        """Where it stands among the others."""

    async def active(self, view: View) -> list[TaskInfo]:
        """What is being done."""

    async def scheduled(self, view: View) -> list[dict[str, Any]]:
        """What waits for another attempt."""

    async def reserved(self, view: View) -> list[TaskInfo]:
        """What waits for its turn."""


class JobNode:
    """The node of a queue of jobs."""

    def __init__(self, queue: str, function: str, roster: Roster, messages: MessageReader, paths: MediaPaths) -> None:
        """Stand for a queue.

        Args:
            queue: its name.
            function: that does its work.
            roster: the nodes of the queue.
            messages: what is still on the list.
            paths: map keys back to Pod's paths.
        """
        self.queue = queue
        self.function = function
        self.roster = roster
        self.types = frozenset(one.type for one in WORKFLOWS.values() if one.function.queue == queue)
        self.tasks: Sequence[str] = sorted(task_name(type_) for type_ in self.types)
        self._messages = messages
        self._paths = paths

    @property
    def place(self) -> Place:
        """See Node."""
        return self.roster.place

    async def active(self, view: View) -> list[TaskInfo]:
        """See Node."""
        overview = await view.begun()
        ours = [record for record in overview.begun if self._is_active(record, overview)]
        return [self.describe(record, overview) for record in ours]

    async def scheduled(self, view: View) -> list[dict[str, Any]]:
        """See Node."""
        if not self.place.is_speaker:
            return []
        overview = await view.begun()
        ours = [record for record in overview.begun if record.type in self.types and _only_retries(record, overview)]
        return [
            describe_scheduled(self.describe(record, overview), overview.retries[record.id].next_at_s)
            for record in ours
        ]

    async def reserved(self, view: View) -> list[TaskInfo]:
        """See Node."""
        if not self.place.is_speaker:
            return []
        overview = await view.all()
        found = await self._messages.read(LISTED)
        place = TaskPlace(self.place.name, self.queue)
        waiting = [record for record in overview.waiting if record.type in self.types]
        # the oldest first: what is on the list came after all that was read from it
        jobs = [describe_job(record, place, self._paths) for record in waiting]
        messages = [describe_message(raw, size_bytes, place) for raw, size_bytes in found.oldest]
        total = sum(overview.counts.get(type_, 0) for type_ in self.types) + found.total
        return number_in([*jobs, *messages][:LISTED], total)

    def describe(self, record: JobRecord, overview: Overview) -> TaskInfo:
        """A job of this node that has begun, or has ended, as a task."""
        is_here = overview.holder(record.id) == self.roster.adapter_id
        place = TaskPlace(self.place.name, self.queue, os.getpid() if is_here else None)
        return describe_active(record, place, overview, self._paths)

    def _is_active(self, record: JobRecord, overview: Overview) -> bool:
        if record.type not in self.types or _only_retries(record, overview):
            return False
        holder = overview.holder(record.id)
        return holder == self.roster.adapter_id if holder in self.place.names else self.place.is_speaker


def _only_retries(record: JobRecord, overview: Overview) -> bool:
    return record.id in overview.retries and record.id not in overview.running


class StatementNode:
    """The node of the queue of xAPI statements."""

    queue = XAPI.queue
    function = XAPI.name
    tasks: Sequence[str] = ("pod.xapi.xapi_tasks.send_xapi_statement_task",)
    types: frozenset[str] = frozenset()

    def __init__(
        self, roster: Roster, messages: MessageReader, jobs: RedisClient, claimed: Callable[[], Sequence[str]]
    ) -> None:
        """Stand for the queue.

        Args:
            roster: the nodes of the queue.
            messages: what is still on the list.
            jobs: the database of the statements; a client that returns text.
            claimed: ids of the statements that this adapter delivers.
        """
        self.roster = roster
        self._messages = messages
        self._jobs = jobs
        self._claimed = claimed

    @property
    def place(self) -> Place:
        """See Node."""
        return self.roster.place

    async def active(self, view: View) -> list[TaskInfo]:  # noqa: ARG002 - statements are no jobs
        """See Node."""
        claimed = self._claimed()
        async with self._jobs.pipeline(transaction=False) as pipeline:
            for entry_id in claimed[:LISTED]:
                pipeline.xrange(keys.STATEMENTS, min=entry_id, max=entry_id)
            answers = await pipeline.execute() if claimed else []
        place = TaskPlace(self.place.name, self.queue, os.getpid())
        return number_in([_describe(row[0][0], row[0][1], place) for row in answers if row], len(claimed))

    async def scheduled(self, view: View) -> list[dict[str, Any]]:  # noqa: ARG002 - as Node has it
        """See Node. Statements that failed are tried again in batches, at no time of their own."""
        return []

    async def reserved(self, view: View) -> list[TaskInfo]:  # noqa: ARG002 - statements are no jobs
        """See Node."""
        if not self.place.is_speaker:
            return []
        place = TaskPlace(self.place.name, self.queue)
        taken = await self._taken()
        entries = await self._jobs.xrange(keys.STATEMENTS, count=LISTED + len(taken))
        held = [_describe(entry_id, fields, place) for entry_id, fields in entries if entry_id not in taken]
        found = await self._messages.read(LISTED)
        messages = [describe_message(raw, size_bytes, place) for raw, size_bytes in found.oldest]
        total = max(0, await self._jobs.xlen(keys.STATEMENTS) - len(taken)) + found.total
        return number_in([*held, *messages][:LISTED], total)

    async def _taken(self) -> set[str]:
        """Ids of the statements that adapters deliver."""
        try:
            rows = await self._jobs.xpending_range(keys.STATEMENTS, keys.GROUP, min="-", max="+", count=10 * LISTED)
        except ResponseError as error:
            if not str(error).startswith("NOGROUP"):  # there has never been a statement
                raise
            return set()
        return {row["message_id"] for row in rows if row["consumer"] in self.place.names}


def _describe(entry_id: str, fields: dict[str, str], place: TaskPlace) -> TaskInfo:
    statement: Statement | None
    try:
        statement = json.loads(fields.get("statement", ""))
    except ValueError:
        statement = None
    return describe_statement(entry_id, statement, place)
