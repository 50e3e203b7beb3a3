"""A real redis-server for all tests of the adapter, emptied before each, and what they build on it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
import redis

from adapter.redis import keys
from adapter.redis.connections import open_redis
from adapter.redis.streams import Streams
from adapter.steps.records import ClaimedStep, RecordLimits, Records, claimed_step
from support.jobs import encoding_job

ROOT = Path(__file__).parents[3]
WINDOW = 4
TTL_S = 1000


@pytest.fixture(scope="session")
def redis_port(tmp_path_factory):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    argv = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    folder = tmp_path_factory.mktemp("redis")
    process = subprocess.Popen([*argv, "--dir", str(folder)], stdout=subprocess.DEVNULL)
    client = redis.Redis(port=port)
    deadline = time.monotonic() + 10
    while True:
        try:
            client.ping()
            break
        except redis.ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    client.close()
    yield port
    process.terminate()
    process.wait()


@pytest.fixture
def redis_url(redis_port):
    with redis.Redis(port=redis_port) as client:
        client.flushall()
    return f"redis://127.0.0.1:{redis_port}/0"


@pytest.fixture
async def jobs_redis(redis_url):
    client = open_redis(redis_url, text=True)
    yield client
    await client.aclose()


@pytest.fixture
async def broker(redis_url):
    client = open_redis(redis_url, text=False)
    yield client
    await client.aclose()


@pytest.fixture
def records(jobs_redis):
    return Records(jobs_redis, RecordLimits(WINDOW, TTL_S))


@pytest.fixture
def make_job():
    def make(job_id="job-1", video_id=7):
        return encoding_job(job_id, video_id, f"/media/videos/{video_id}.mp4")

    return make


@pytest.fixture
async def make_streams(jobs_redis):
    """Streams of an adapter that lives."""

    async def make(adapter_id="one", *, alive=True):
        streams = Streams(jobs_redis, adapter_id)
        for function in ("encoding", "notification"):
            await streams.ensure_group(keys.steps(function))
        if alive:
            await jobs_redis.set(keys.heartbeat(adapter_id), "")
        return streams

    return make


@pytest.fixture
async def streams(make_streams):
    return await make_streams()


@pytest.fixture
def take(streams):
    """Read all new entries of a function's stream, as claimed steps."""

    async def take_all(function="encoding", of=None) -> list[ClaimedStep]:
        entries = await (of or streams).read(keys.steps(function), 1000)
        return [claimed_step(function, entry_id, fields, 1) for entry_id, fields in entries]

    return take_all


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
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("POD", "MEDIA", "XAPI"))}
    return inherited | {
        "PYTHONPATH": f"{ROOT}:{ROOT}/layers/podjobs/python",
        "ENCODING_TRANSCODING_CELERY_BROKER_URL": redis_url,
        "MEDIA_ROOT": "/media",
        "PODJOBS_FUNCTION_URL_ENCODING": "http://127.0.0.1:1/",
        "PODJOBS_FUNCTION_URL_NOTIFICATION": "http://127.0.0.1:1/",
        "PODJOBS_HEALTH_PORT": "0",
        "PODJOBS_LEASE_S": "2",
        "COLUMNS": "200",
    }


class RunningAdapter:
    """The process, and its pages."""

    def __init__(self, environment, log):
        self.log = log
        argv = [sys.executable, "-m", "adapter", "run"]
        with log.open("wb") as output:
            self.process = subprocess.Popen(argv, env=environment, cwd=ROOT, stderr=output, stdout=output)
        self.url = ""

    def lines(self):
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def get(self, page):
        if not self.url:
            self.wait_for(lambda: "The adapter starts." in self.log.read_text())
            self.url = self.lines()[0]["health"].removesuffix("/status")
        return httpx.get(f"{self.url}/{page}")

    def wait_for(self, condition, timeout_s=10):
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline, self.log.read_text()
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)

    def wait_ready(self):
        self.wait_for(lambda: self.get("readyz").status_code == 200)
        return self

    def stop(self, timeout_s=10):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout_s)


@pytest.fixture
def start(environment, tmp_path):
    running = []

    def start_one(**settings):
        running.append(RunningAdapter(environment | settings, tmp_path / f"adapter-{len(running)}.log"))
        return running[-1]

    yield start_one
    for adapter in running:
        adapter.process.kill()
        adapter.process.wait()


@pytest.fixture
def client(redis_url):
    with redis.Redis.from_url(redis_url, decode_responses=True) as connected:
        yield connected


@pytest.fixture
def command(environment):
    """Run one of the operator's commands."""

    def run(*arguments):
        argv = [sys.executable, "-m", "adapter", *arguments]
        return subprocess.run(argv, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)

    return run
