"""What clients are told of their tasks: read from the job records."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adapter.door.runner.translation import is_of_client
from adapter.redis import keys
from adapter.redis.connections import RedisClient
from adapter.steps.script import problem_detail
from podjobs.contract.job_states import JobState
from podjobs.contract.redaction import redact
from podjobs.contract.workflows import NOTIFY

RUNNING, COMPLETED, FAILED, WARNING = "running", "completed", "failed", "warning"
"""The states of a task, as clients know them. Never `pending`: a client would send the task again and again."""
LISTED = 200
"""So many of the newest tasks of a client are listed, and those that have not ended."""
LOOKED_AT = 2000
_FIELDS = ("type", "target", "params", "state", "stage", "undelivered", "accepted_at", "ended_at", "error")


@dataclass(frozen=True, slots=True)
class Task:
    """A job, as its client sees it."""

    id: str
    fields: dict[str, str]
    """Of its record, those of _FIELDS that it has."""

    @property
    def status(self) -> str:
        """Its state. While its client is being notified it is completed: what was made can be fetched."""
        state = self.fields.get("state", "")
        if state == JobState.DONE or (state == JobState.RUNNING and self.fields.get("stage") == NOTIFY):
            return COMPLETED
        if state in {JobState.QUEUED, JobState.RUNNING}:
            return RUNNING
        return WARNING if self.fields.get("undelivered") else FAILED

    @property
    def has_results(self) -> bool:
        """Whether there is anything to fetch."""
        return self.status in {COMPLETED, WARNING}

    @property
    def dialect(self) -> str:
        """Which dialect its client speaks."""
        params = json.loads(self.fields.get("params") or "{}")
        return str(params.get("reply_to", {}).get("dialect", ""))

    @property
    def reason(self) -> str:
        """Why it has failed; empty: it has not."""
        return redact(problem_detail(self.fields.get("error", "")))

    def describe(self) -> dict[str, Any]:
        """As JSON."""
        shown: dict[str, Any] = {"task_id": self.id, "status": self.status, "task_type": self.fields.get("type", "")}
        times = {"created_at": self.fields.get("accepted_at"), "ended_at": self.fields.get("ended_at")}
        shown |= {name: float(text) for name, text in times.items() if text}
        return shown | ({"error_message": self.reason} if self.reason else {})


class Tasks:
    """All tasks of all clients. All methods raise RedisError."""

    def __init__(self, redis: RedisClient) -> None:
        """Use a client of the jobs' database that returns text."""
        self._redis = redis

    async def find(self, task_id: str, client: str) -> Task | None:
        """Look up a task; None: this client has none of that name."""
        found = await self._read([task_id]) if ":" not in task_id else []
        return next((task for task in found if is_of_client(task.fields["target"], client)), None)

    async def listed(self, client: str) -> list[Task]:
        """The tasks of a client: those that have not ended, and the newest others."""
        newest = await self._redis.zrevrange(keys.JOBS, 0, LOOKED_AT - 1)
        live = await self._redis.smembers(keys.client_jobs(client))
        found = await self._read([*live, *(job_id for job_id in newest if job_id not in live)])
        own = [task for task in found if is_of_client(task.fields["target"], client)]
        return own[: max(LISTED, len(live))]

    async def _read(self, ids: Sequence[str]) -> list[Task]:
        async with self._redis.pipeline(transaction=False) as pipeline:
            for task_id in ids:
                pipeline.hmget(keys.job(task_id), _FIELDS)
            answers = await pipeline.execute()
        records = [
            {name: value for name, value in zip(_FIELDS, answer, strict=True) if value is not None}
            for answer in answers
        ]
        return [Task(task_id, fields) for task_id, fields in zip(ids, records, strict=True) if "target" in fields]
