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
        fields = {"kind": "message", "queue": queue, **message, "problem": problem.model_dump_json()}
        await self._redis.xadd(keys.DEAD, fields)
        logger.error(
            "A message cannot be processed. It has become a dead letter; `dead list` shows it.",
            queue=queue,
            reason=problem.detail,
        )
