"""Operators steer a real adapter: it is paused, and drained."""

import asyncio
import json

from adapter.redis import keys
from adapter.redis.connections import open_redis
from adapter.steering.steering import Steering
from adapter.steps.records import Records
from local.client import request_encoding
from support.processes import wait_for


def steer(url, change):
    async def steered():
        redis = open_redis(url, text=True)
        try:
            return await change(Steering(redis, Records(redis, 1000)))
        finally:
            await redis.aclose()

    return asyncio.run(steered())


def test_adapter_that_is_drained_takes_nothing_more_and_says_so_and_another_goes_on(start, client, redis_url):
    first = start(PODJOBS_LEASE_S="1").wait()
    (about,) = steer(redis_url, lambda steering: steering.adapters())
    assert (about.state, about.queues, set(about.slots)) == ("running", ["encoding"], {"encoding", "notification"})
    assert not steer(redis_url, lambda steering: steering.drain("no-such-adapter"))
    assert steer(redis_url, lambda steering: steering.drain(about.id))
    first.wait_for(lambda: "can be stopped" in first.get("readyz").text)
    wait_for(lambda: json.loads(client.get(keys.about(about.id)))["state"] == "drained", 5)
    request_encoding(redis_url, 7, "/media/7.mp4")
    assert client.llen("encoding") == 1
    second = start(PODJOBS_LEASE_S="1").wait()
    wait_for(lambda: client.llen("encoding") == 0, 5)
    second.wait_for(lambda: second.get("status").json()["functions"]["encoding"]["on_hold_here"] == 1)
    assert first.stop() == 0
    assert [one.state for one in steer(redis_url, lambda steering: steering.adapters())] == ["running"]
    assert client.hlen(keys.DRAINS) == 0


def test_function_that_is_paused_is_not_asked_by_an_adapter_that_runs(start, client, redis_url):
    adapter = start().wait()
    steer(redis_url, lambda steering: steering.pause("encoding", "anna"))
    job_id = request_encoding(redis_url, 7, "/media/7.mp4")
    wait_for(lambda: client.exists(keys.job(job_id)), 5)
    assert client.xlen(keys.steps("encoding")) == 0
    steer(redis_url, lambda steering: steering.resume("encoding"))
    adapter.wait_for(lambda: adapter.get("status").json()["functions"]["encoding"]["on_hold_here"] == 1)
