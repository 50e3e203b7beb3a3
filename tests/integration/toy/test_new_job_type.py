"""A new type of job is one folder and one row: nothing else knows it, and it runs from end to end."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
import redis

from adapter.inspection.job_reader import JobReader
from adapter.redis.connections import open_redis
from adapter.steps.records import Records
from podjobs.contract.reply_to import Nobody
from podjobs.contract.workflows import WORKFLOWS
from support.processes import REPOSITORY

TOY = Path(__file__).with_name("main.py")
ADAPTER = [sys.executable, "-c", "import sum_job; from adapter.__main__ import adapter; adapter()", "run"]
FUNCTION = [sys.executable, "-c", "import sum_job; from functions_framework._cli import _cli; _cli()"]
"""Every process has the row, as it would if it stood in the table."""


@pytest.fixture(scope="module")
def toy():
    """The folder as a module; its row is in the table until the tests are over."""
    sys.path.insert(0, str(TOY.parent))
    import sum_job  # noqa: PLC0415 - its folder is on the path only now

    yield sum_job
    sys.path.remove(str(TOY.parent))
    del sys.modules["sum_job"], WORKFLOWS[sum_job.ROW.type]


@pytest.fixture(scope="module")
def stack(toy, tmp_path_factory):
    """Redis, the adapter that knows the row, the function in the folder, and the one that notifies."""
    folder = tmp_path_factory.mktemp("toy")
    ports = [free_port() for _ in range(4)]
    broker, of_sum, of_notification, health = ports
    redis_url = f"redis://127.0.0.1:{broker}/0"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("POD", "MEDIA", "XAPI"))}
    environment = inherited | {
        "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY}/layers/podjobs/python:{TOY.parent}",
        "ENCODING_TRANSCODING_CELERY_BROKER_URL": redis_url,
        "MEDIA_ROOT": str(folder),
        "POD_API_URL": "http://127.0.0.1:1/rest",
        "POD_API_TOKEN": "unused",
        "PODJOBS_FUNCTION_URL_ENCODING": "http://127.0.0.1:1/",
        "PODJOBS_FUNCTION_URL_NOTIFICATION": f"http://127.0.0.1:{of_notification}/",
        "PODJOBS_FUNCTION_URL_SUM": f"http://127.0.0.1:{of_sum}/",
        "PODJOBS_HEALTH_PORT": str(health),
    }
    notification = REPOSITORY / "functions" / "notification" / "main.py"
    commands = [
        ["redis-server", "--port", str(broker), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
        [*FUNCTION, "--target", "handle", "--source", str(TOY), "--port", str(of_sum)],
        [*FUNCTION, "--target", "handle", "--source", str(notification), "--port", str(of_notification)],
        ADAPTER,
    ]
    with (folder / "log").open("wb") as log:
        processes = [subprocess.Popen(argv, env=environment, cwd=folder, stdout=log, stderr=log) for argv in commands]
    try:
        wait_for(lambda: all(answers(f"http://127.0.0.1:{port}/") for port in (of_sum, of_notification)), folder)
        wait_for(lambda: answers(f"http://127.0.0.1:{health}/readyz"), folder)
        yield redis_url
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(10)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(url):
    try:
        return httpx.get(url).status_code == 200
    except httpx.HTTPError:
        return False


def wait_for(condition, folder, timeout_s=30):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, (folder / "log").read_text()
        time.sleep(0.05)


async def run_to_its_end(redis_url, job, timeout_s=20):
    """Accept a job as any door does. Returns its record and log when it has ended."""
    jobs_redis = open_redis(redis_url, text=True)
    try:
        await Records(jobs_redis, 100).accept([job])
        with redis.Redis.from_url(redis_url) as watcher:
            deadline = time.monotonic() + timeout_s
            while watcher.sismember("{podjobs}:live", job.id):
                assert time.monotonic() < deadline, watcher.hgetall(f"{{podjobs}}:job:{job.id}")
                await asyncio.sleep(0.02)
        reader = JobReader(jobs_redis)
        return await reader.job(job.id), await reader.log(job.id)
    finally:
        await jobs_redis.aclose()


async def test_new_job_type_is_planned_performed_in_parallel_and_done(stack, toy):
    job = toy.SumJob(id="sum-1", target="a", numbers=(1, 2, 3, 4, 5), reply_to=Nobody())
    record, log = await run_to_its_end(stack, job)
    assert (record.fields["type"], record.state, record.reason) == ("sum", "done", "")
    assert log == ["The sum is 15.", "There is nobody to notify."]


async def test_new_job_type_that_fails_is_reported_and_becomes_a_dead_letter(stack, toy):
    job = toy.SumJob(id="sum-2", target="b", numbers=(), reply_to=Nobody())
    record, log = await run_to_its_end(stack, job)
    assert (record.state, record.reason) == ("failed", "There is nothing to add up. Name some numbers.")
    assert log[1:] == ["Reported: There is nothing to add up. Name some numbers.", "There is nobody to notify."]
    with redis.Redis.from_url(stack, decode_responses=True) as client:
        ((_, dead),) = client.xrange("{podjobs}:dead")
    assert (dead["kind"], dead["type"], dead["job"]) == ("job", "sum", "sum-2")
