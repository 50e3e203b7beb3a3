"""Which errors of Redis pass by themselves."""

import pytest
from redis import exceptions

from adapter.redis.redis_retry import until_redis_answers, will_pass


@pytest.mark.parametrize(
    ("error", "passes"),
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
    ],
)
def test_will_pass(error, passes):
    assert will_pass(error) is passes


async def test_until_redis_answers_repeats_what_will_pass():
    errors = [exceptions.ConnectionError("refused"), exceptions.OutOfMemoryError("full")]

    async def store():
        if errors:
            raise errors.pop(0)
        return "stored"

    assert await until_redis_answers(store, "store") == "stored"


async def test_until_redis_answers_raises_what_will_not_pass():
    async def store():
        raise exceptions.ResponseError("WRONGTYPE")

    with pytest.raises(exceptions.ResponseError):
        await until_redis_answers(store, "store")
