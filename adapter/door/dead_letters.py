"""Messages that cannot be processed become dead letters: nothing that Pod sends is lost."""

import base64

import structlog

from adapter.redis import keys
from adapter.redis.connections import RedisClient
from podjobs.contract.errors import Problem

logger = structlog.get_logger(__name__)


class DeadLetters:
    """Stores messages of any queue as dead letters."""

    def __init__(self, redis: RedisClient) -> None:
        """Use a client of the jobs' database that returns text."""
        self._redis = redis

    async def add(self, queue: str, raw: bytes, problem: Problem) -> None:
        """Store a message unchanged, with its problem.

        Args:
            queue: the broker's list it came from.
            raw: the message.
            problem: what is wrong with it.

        Raises:
            RedisError: it was not stored.
        """
        try:
            message = {"raw": raw.decode()}
        except UnicodeDecodeError:
            message = {"raw_base64": base64.b64encode(raw).decode()}
        await self._store({"kind": "message", "queue": queue, **message}, problem)

    async def add_beginning(self, queue: str, beginning: bytes, sha1: str, problem: Problem) -> None:
        """Store the beginning of a message that is kept elsewhere because of its length.

        Args:
            queue: the broker's list it came from.
            beginning: of the message.
            sha1: of all of it, hexadecimal.
            problem: says where it is kept.

        Raises:
            RedisError: it was not stored.
        """
        head = base64.b64encode(beginning).decode()
        await self._store({"kind": "message", "queue": queue, "head_base64": head, "sha1": sha1}, problem)

    async def _store(self, fields: dict[str, str], problem: Problem) -> None:
        await self._redis.xadd(keys.DEAD, {**fields, "problem": problem.model_dump_json()})
        logger.error(
            "A message cannot be processed. It has become a dead letter; `dead list` shows it.",
            queue=fields["queue"],
            reason=problem.detail,
        )
