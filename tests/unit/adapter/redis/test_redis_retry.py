"""Which of Redis's errors are transient, and what is done about them."""

import pytest
from redis import exceptions
from redis.exceptions import ResponseError

from adapter.redis.redis_retry import is_transient, retry_until_redis_answers


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (exceptions.ConnectionError("refused"), True),
        (exceptions.TimeoutError("late"), True),
        (exceptions.BusyLoadingError("loading"), True),
        (exceptions.ReadOnlyError("replica"), True),
        (exceptions.OutOfMemoryError("used memory > maxmemory"), True),
        (exceptions.ResponseError("MISCONF Redis is configured to save"), True),
        (exceptions.ResponseError("NOREPLICAS Not enough good replicas to write."), True),
        (exceptions.ResponseError("user_script:12: attempt to index nil"), False),
        (exceptions.ResponseError("WRONGTYPE Operation against a key"), False),
        (exceptions.ResponseError("NOGROUP No such key"), False),
        (exceptions.DataError("Invalid input"), False),
        (ValueError("ours"), False),
        (
            ResponseError(
                "Error running script (call to f_1): @user_script:1: "
                "@user_script: 1: -READONLY You can't write against a read only replica."
            ),
            True,
        ),
        (
            ResponseError(
                "Error running script (call to f_1): @user_script:1: "
                "@user_script: 1: Wrong number of args calling Redis command"
            ),
            False,
        ),
        (
            ResponseError(
                "Error running script (call to f_1): @user_script:1: "
                "@user_script: 1: WRONGTYPE Operation against a key holding the wrong kind of value"
            ),
            False,
        ),
        (ResponseError("NOREPLICAS Not enough good replicas to write. script: 1, on @user_script:1."), True),
        (ResponseError("UNBLOCKED force unblock from blocking operation, instance state changed"), True),
    ],
)
def test_is_transient(error, transient):
    assert is_transient(error) is transient


async def test_retry_until_redis_answers_repeats_what_is_transient():
    errors = [exceptions.ConnectionError("refused"), exceptions.OutOfMemoryError("full")]

    async def store():
        if errors:
            raise errors.pop(0)
        return "stored"

    assert await retry_until_redis_answers(store, "store") == "stored"


async def test_retry_until_redis_answers_raises_what_is_not():
    async def store():
        raise exceptions.ResponseError("WRONGTYPE")

    with pytest.raises(exceptions.ResponseError):
        await retry_until_redis_answers(store, "store")
