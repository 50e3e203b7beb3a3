"""What the job records tell an operator: jobs, their logs, and what could not be done."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

from adapter.redis import keys
from adapter.redis.connections import RedisClient
from adapter.steps.records import problem_detail

PAGE = 200


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job as it stands."""

    id: str
    fields: dict[str, str]
    """The hash, see keys.py."""

    @property
    def state(self) -> str:
        """One of the states in keys.py."""
        return self.fields.get("state", "")

    @property
    def progress(self) -> float:
        """Between 0 and 1."""
        if self.state == "done":
            return 1.0
        total = float(self.fields.get("weight_total") or 0)
        return min(1.0, float(self.fields.get("weight_done") or 0) / total) if total else 0.0

    @property
    def reason(self) -> str:
        """Why it failed, or why it does not get on; empty when all is well."""
        return problem_detail(self.fields.get("error") or self.fields.get("trouble") or "")


@dataclass(frozen=True, slots=True)
class DeadEntry:
    """A step or a message that could not be done."""

    id: str
    fields: dict[str, str]
    """The entry, see keys.py."""

    @property
    def kind(self) -> str:
        """`job`, `message` or `statement`."""
        return self.fields.get("kind", "")

    @property
    def reason(self) -> str:
        """Why."""
        return problem_detail(self.fields.get("problem", ""))

    @property
    def what(self) -> str:
        """What it is, in a few words."""
        match self.kind:
            case "job":
                return self.fields.get("job", "")
            case "statement":
                return f"statement {_statement_id(self.fields.get('statement', ''))}"
            case _:
                return f"message of {self.fields.get('queue')}"


def _statement_id(text: str) -> str:
    try:
        return str(json.loads(text)["id"])
    except (ValueError, KeyError, TypeError):
        return "without an id"


class Archive:
    """Reads the records; removes dead entries at an operator's word."""

    def __init__(self, redis: RedisClient) -> None:
        """Use a client whose answers are text."""
        self._redis = redis

    async def jobs(self, states: frozenset[str], limit: int) -> list[JobRecord]:
        """List jobs, the newest first.

        Args:
            states: only these; empty: all.
            limit: how many at most.
        """
        found: list[JobRecord] = []
        async for job_id in self._newest_ids():
            fields = await self._redis.hgetall(keys.job(job_id))
            if fields and (not states or fields.get("state") in states):
                found.append(JobRecord(job_id, fields))
            if len(found) == limit:
                break
        return found

    async def _newest_ids(self) -> AsyncIterator[str]:
        start = 0
        while ids := await self._redis.zrevrange(keys.JOBS, start, start + PAGE - 1):
            for job_id in ids:
                yield job_id
            start += PAGE

    async def job(self, job_id: str) -> JobRecord | None:
        """Look a job up; None when it is not known (any more)."""
        fields = await self._redis.hgetall(keys.job(job_id))
        return JobRecord(job_id, fields) if fields else None

    async def log(self, job_id: str) -> list[str]:
        """The sentences of a job's log, the oldest first."""
        return list(await self._redis.lrange(keys.job_log(job_id), 0, -1))

    async def dead(self, limit: int, kind: str | None = None) -> list[DeadEntry]:
        """List what could not be done, the newest first.

        Args:
            limit: how many at most.
            kind: only these; None: all.
        """
        found: list[DeadEntry] = []
        async for page in self._dead_pages(kind):
            found += page
            if len(found) >= limit:
                break
        return found[:limit]

    async def dead_ids(self, kind: str) -> list[str]:
        """The ids of all entries of a kind, the oldest first."""
        ids = [entry.id async for page in self._dead_pages(kind) for entry in page]
        return ids[::-1]

    async def _dead_pages(self, kind: str | None) -> AsyncIterator[list[DeadEntry]]:
        before = "+"
        while page := await self._redis.xrevrange(keys.DEAD, max=before, count=PAGE):
            yield [entry for entry in (DeadEntry(*row) for row in page) if kind in {None, entry.kind}]
            before = f"({page[-1][0]}"

    async def dead_entry(self, entry_id: str) -> DeadEntry | None:
        """Look an entry up; None when it is not there."""
        found = await self._redis.xrange(keys.DEAD, min=entry_id, max=entry_id)
        return DeadEntry(*found[0]) if found else None

    async def drop_dead(self, entry_id: str) -> bool:
        """Remove an entry for good. False when it is not there."""
        return bool(await self._redis.xdel(keys.DEAD, entry_id))
