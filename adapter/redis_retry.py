"""Retries of Redis commands: what must be stored is retried until Redis accepts it."""

import re
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from redis.exceptions import DataError, RedisError, ResponseError
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_exponential_jitter

from adapter.counts import REDIS_ERRORS

logger = structlog.get_logger(__name__)

Answer = TypeVar("Answer")

_SERVER_STATE = re.compile(r"(?:Error running script .*: -?)?(?!ERR|WRONGTYPE|NOSCRIPT|NOGROUP)[A-Z]{2,} ")
"""How errors begin that describe the server's state (OOM, MISCONF, READONLY, NOAUTH, …), not a fault in the command.

Redis 6 puts the script before it: «Error running script (call to f_…): @user_script:1: @user_script: 1: -READONLY …».
"""


def is_transient(error: BaseException) -> bool:
    """Whether the same command may succeed later, once the server has recovered."""
    if type(error) is ResponseError:  # each of its subclasses stands for a state of the server
        return bool(_SERVER_STATE.match(str(error)))
    return isinstance(error, RedisError) and not isinstance(error, DataError)


async def retry_until_redis_answers(operation: Callable[[], Awaitable[Answer]], purpose: str) -> Answer:
    """Repeat an operation until Redis accepts it.

    Waits for a server that is out of memory or read-only just as for one that is unavailable: as long as nobody gives
    up, nothing is lost.

    Args:
        operation: one command or script; safe to repeat.
        purpose: what the operation is for, for the log.

    Raises:
        RedisError: the command itself is wrong; see `is_transient`.
    """

    def log_retry(state: RetryCallState) -> None:
        REDIS_ERRORS.add("retry")
        error = state.outcome.exception() if state.outcome else None
        logger.warning("Redis did not accept a command. It will be retried.", purpose=purpose, error=str(error))

    async for attempt in AsyncRetrying(
        retry=retry_if_exception(is_transient),
        reraise=True,
        wait=wait_exponential_jitter(multiplier=0.1, max=2, jitter=0.2),
        before_sleep=log_retry,
    ):
        with attempt:
            return await operation()
    raise AssertionError("there is always another attempt")
