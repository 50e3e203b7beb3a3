"""Waiting for Redis: what must be stored is tried until Redis takes it."""

import re
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from redis.exceptions import DataError, RedisError, ResponseError
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_exponential_jitter

logger = structlog.get_logger(__name__)

Answer = TypeVar("Answer")


_STATE_OF_THE_SERVER = re.compile(r"(?!ERR|WRONGTYPE|NOSCRIPT|NOGROUP)[A-Z]{2,} ")
"""How errors begin that tell of the server (OOM, MISCONF, READONLY, NOAUTH, …), not of the command."""


def will_pass(error: BaseException) -> bool:
    """Tell whether the same command may succeed later, when the server is well again."""
    if type(error) is ResponseError:  # its subclasses each name a state of the server
        return bool(_STATE_OF_THE_SERVER.match(str(error)))
    return isinstance(error, RedisError) and not isinstance(error, DataError)


async def until_redis_answers(operation: Callable[[], Awaitable[Answer]], purpose: str) -> Answer:
    """Repeat an operation until Redis takes it.

    A full memory or a read-only replica is waited for as much as a server that is away: what we hold is not lost as
    long as nobody gives up on it.

    Args:
        operation: one command or script; safe to repeat.
        purpose: what is waited for, for the log.

    Raises:
        RedisError: the command itself is wrong; see `will_pass`.
    """

    def tell(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        logger.warning("Redis does not take what it is given. Trying again.", purpose=purpose, error=str(error))

    async for attempt in AsyncRetrying(
        retry=retry_if_exception(will_pass),
        reraise=True,
        wait=wait_exponential_jitter(multiplier=0.1, max=2, jitter=0.2),
        before_sleep=tell,
    ):
        with attempt:
            return await operation()
    raise AssertionError("there is always another attempt")
