"""The RQ workers of this machine, as they are registered in Redis."""

import socket

import psutil
import redis
from rq import Queue
from rq.worker_registration import get_keys

REDIS_LIMIT_S = 2.0


def has_worker(rq_url: str, queue: str) -> bool:
    """Whether a worker that runs on this machine listens to a queue; False, too, while Redis does not answer.

    Those on other servers do not count, and neither do those that an earlier start has left in Redis.

    Args:
        rq_url: where the queues are.
        queue: the queue's name.
    """
    here = socket.gethostname()
    limits = {"socket_timeout": REDIS_LIMIT_S, "socket_connect_timeout": REDIS_LIMIT_S}
    try:
        with redis.Redis.from_url(rq_url, **limits) as connection:
            keys = get_keys(queue=Queue(queue, connection=connection))
            found = [connection.hmget(key, "hostname", "pid") for key in keys]
    except redis.RedisError:
        return False
    return any(
        host is not None and host.decode() == here and pid is not None and psutil.pid_exists(int(pid))
        for host, pid in found
    )
