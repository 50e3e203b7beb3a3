"""The dead letters: steps, messages and statements that could not be processed."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

from adapter.redis import keys
from adapter.redis.connections import RedisClient
from adapter.steps.script import problem_detail

PAGE = 200


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A step, a message or a statement that could not be processed."""

    id: str
    fields: dict[str, str]
    """The entry, see keys.py."""

    @property
    def kind(self) -> str:
        """`job`, `message` or `statement`."""
        return self.fields.get("kind", "")

    @property
    def since_s(self) -> float:
        """When it became a dead letter: seconds since the epoch."""
        return int(self.id.partition("-")[0]) / 1000

    @property
    def reason(self) -> str:
        """Why."""
        return problem_detail(self.fields.get("problem", ""))

    @property
    def what(self) -> str:
        """A short description."""
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


class DeadLetterReader:
    """Reads the dead letters, and deletes those an operator chooses."""

    def __init__(self, redis: RedisClient) -> None:
        """Use a client of the jobs' database that returns text."""
        self._redis = redis

    async def newest(self, limit: int, kind: str | None = None) -> list[DeadLetter]:
        """List dead letters, newest first.

        Args:
            limit: how many at most.
            kind: only those of this kind; None: all.
        """
        found: list[DeadLetter] = []
        async for page in self._pages(kind):
            found += page
            if len(found) >= limit:
                break
        return found[:limit]

    async def ids(self, kind: str) -> list[str]:
        """The ids of all dead letters of a kind, oldest first."""
        ids = [letter.id async for page in self._pages(kind) for letter in page]
        return ids[::-1]

    async def _pages(self, kind: str | None) -> AsyncIterator[list[DeadLetter]]:
        before = "+"
        while page := await self._redis.xrevrange(keys.DEAD, max=before, count=PAGE):
            yield [letter for letter in (DeadLetter(*row) for row in page) if kind in {None, letter.kind}]
            before = f"({page[-1][0]}"

    async def get(self, letter_id: str) -> DeadLetter | None:
        """Look up a dead letter; None if it does not exist."""
        found = await self._redis.xrange(keys.DEAD, min=letter_id, max=letter_id)
        return DeadLetter(*found[0]) if found else None

    async def delete(self, letter_id: str) -> bool:
        """Delete a dead letter for good. False if it does not exist."""
        return bool(await self._redis.xdel(keys.DEAD, letter_id))
