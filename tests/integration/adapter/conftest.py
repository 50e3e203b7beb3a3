"""A real redis-server for all tests of the adapter, emptied before each, and what they build on it."""

import asyncio
import json
import subprocess
import sys

import pytest
import redis
from aiohttp import web

from adapter.cancellation import cancel_and_wait
from adapter.redis import keys
from adapter.redis.connections import open_redis
from adapter.redis.heartbeat import Heartbeat
from adapter.redis.streams import Streams
from adapter.steps.entries import ClaimedStep, parse_entry
from adapter.steps.records import Records
from support.jobs import encoding_job
from support.parts import adapter_settings, new_adapter, running_redis
from support.processes import REPOSITORY, environment_with
from support.redis_cluster import running_redis_cluster

TTL_S = 1000
BEATING_LEASE_S = 0.3
"""Shorter than the shortest lease of a test."""


@pytest.fixture(scope="session")
def redis_port(tmp_path_factory):
    with running_redis(tmp_path_factory.mktemp("redis"), append_only=False) as port:
        yield port


@pytest.fixture
def redis_url(redis_port):
    with redis.Redis(port=redis_port) as client:
        client.flushall()
    return f"redis://127.0.0.1:{redis_port}/0"


@pytest.fixture
def jobs_url(redis_url):
    """The jobs' database. Tests of what is in it alone have it in a cluster, too: steps and statements."""
    return redis_url


@pytest.fixture
async def jobs_redis(jobs_url):
    client = open_redis(jobs_url, text=True)
    yield client
    await client.aclose()


@pytest.fixture(scope="session")
def redis_cluster(tmp_path_factory):
    with running_redis_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
async def broker(redis_url):
    client = open_redis(redis_url, text=False)
    yield client
    await client.aclose()


@pytest.fixture
def records(jobs_redis):
    return Records(jobs_redis, TTL_S)


@pytest.fixture
def make_job():
    def make(job_id="job-1", video_id=7):
        return encoding_job(job_id, video_id, f"/media/videos/{video_id}.mp4")

    return make


@pytest.fixture
async def make_streams(jobs_redis):
    """Streams of an adapter; its heart beats while it lives."""
    beating = []

    async def make(adapter_id="one", *, alive=True):
        streams = Streams(jobs_redis, adapter_id)
        for function in ("encoding", "notification"):
            await streams.ensure_group(keys.steps(function))
        if alive:
            heartbeat = Heartbeat(jobs_redis, streams, (), BEATING_LEASE_S)
            await heartbeat.beat()
            beating.append(asyncio.create_task(heartbeat.run()))
        return streams

    yield make
    await cancel_and_wait(beating)


@pytest.fixture
async def streams(make_streams):
    return await make_streams()


@pytest.fixture
def take(records, streams):
    """Take the steps of a function whose turn it is, as claimed steps; as many as there are, if no number is given."""

    async def take_steps(function="encoding", of=None, count=1000) -> list[ClaimedStep]:
        entries, _ = await records.take(function, (of or streams).adapter_id, count)
        return [parse_entry(function, entry_id, fields, 1) for entry_id, fields in entries]

    return take_steps


@pytest.fixture
async def job_hash(jobs_redis):
    async def read(job_id="job-1"):
        return await jobs_redis.hgetall(keys.job(job_id))

    return read


@pytest.fixture
async def dead(jobs_redis):
    async def read():
        entries = await jobs_redis.xrange(keys.DEAD)
        return [{**fields, "problem": json.loads(fields["problem"])} for _, fields in entries]

    return read


@pytest.fixture
def environment(redis_url):
    return environment_with(adapter_settings(redis_url) | {"COLUMNS": "200"})


@pytest.fixture
def start(redis_url, tmp_path):
    running = []

    def start_one(**settings):
        adapter = new_adapter(redis_url, {"PODJOBS_LEASE_S": "2"} | settings, tmp_path, f"adapter-{len(running)}")
        adapter.start()
        running.append(adapter)
        return adapter

    yield start_one
    for adapter in running:
        adapter.kill()


@pytest.fixture
def client(jobs_url, request):
    is_in_cluster = jobs_url.startswith("redis+cluster:")
    url = request.getfixturevalue("redis_cluster").owner().url if is_in_cluster else jobs_url
    with redis.Redis.from_url(url, decode_responses=True) as connected:
        yield connected


@pytest.fixture
def command(environment):
    """Run one of the operator's commands."""

    def run(*arguments):
        argv = [sys.executable, "-m", "adapter", *arguments]
        return subprocess.run(
            argv, env=environment, cwd=REPOSITORY, capture_output=True, text=True, timeout=30, check=False
        )

    return run


@pytest.fixture
async def serve():
    """Serve a stand-in for a function; it learns its address."""
    runners = []

    async def start(fake):
        app = web.Application(client_max_size=1 << 24)
        app.router.add_post("/", fake.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        return fake

    yield start
    for runner in runners:
        await runner.cleanup()
