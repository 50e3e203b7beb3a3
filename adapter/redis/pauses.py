"""Whether operators have paused a function: its steps and statements stay where they are."""

from adapter.redis import keys
from adapter.redis.connections import RedisClient


async def is_paused(redis: RedisClient, function: str) -> bool:
    """Whether a function, or all of them, are paused. Raises RedisError.

    Args:
        redis: the jobs' database; returns text.
        function: its name.
    """
    return any(await redis.hmget(keys.PAUSED, [function, keys.ALL_FUNCTIONS]))
