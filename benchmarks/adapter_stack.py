"""The real adapter between a real Redis and a function that does nothing, each a process of its own."""

import base64
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # stubs are not installed
import redis

from adapter.redis import keys

QUEUE = "encoding"
TASK = "pod.video_encode_transcript.encoding_tasks.start_encoding_task"
MEDIA_ROOT = "/media"
FUNCTION_THREADS = 16
START_LIMIT_S = 30
STOP_LIMIT_S = 10
PUSH_BATCH = 1000


@dataclass(frozen=True)
class Stack:
    """What runs."""

    folder: Path
    redis: Any
    adapter: psutil.Process

    def control(self, *, steps: int, hold: bool = False) -> None:
        """Tell the function how many steps a plan has, and whether steps end."""
        (self.folder / "steps").write_text(str(steps), encoding="utf-8")
        if hold:
            (self.folder / "hold").touch()
        else:
            (self.folder / "hold").unlink(missing_ok=True)

    def push(self, first_video_id: int, count: int = 1) -> list[str]:
        """Put messages on the queue as Celery does.

        Returns:
            The ids of the jobs.
        """
        job_ids = [str(uuid.uuid4()) for _ in range(count)]
        for start in range(0, count, PUSH_BATCH):
            part = job_ids[start : start + PUSH_BATCH]
            messages = [celery_message(job_id, first_video_id + start + index) for index, job_id in enumerate(part)]
            self.redis.lpush(QUEUE, *messages)
        return job_ids

    def wait_done(self, job_id: str, limit_s: float) -> dict[str, str]:
        """Wait for the end of a job and return its record.

        Raises:
            RuntimeError: it failed.
        """
        wait_for(lambda: self.redis.hget(keys.job(job_id), "state") in {"done", "failed", "superseded"}, limit_s)
        record: dict[str, str] = self.redis.hgetall(keys.job(job_id))
        if record["state"] != "done":
            raise RuntimeError(f"The job ended {record['state']}: {record.get('error')}")
        return record

    def entered(self) -> dict[str, float]:
        """When each step came into the function, seconds since the epoch; by `<job>/<step>`."""
        lines = (self.folder / "entered").read_text(encoding="utf-8").splitlines()
        return {name: float(at) for name, _, at in (line.partition(" ") for line in lines)}

    def rss_mib(self) -> float:
        """The adapter's memory, with that of its children."""
        family = [self.adapter, *self.adapter.children(recursive=True)]
        return float(sum(process.memory_info().rss for process in family)) / (1 << 20)


def celery_message(job_id: str, video_id: int) -> str:
    """A message as kombu writes it. Source: docs/contract-pod.md and tests/data/pod-4.1-messages."""
    path = f"{MEDIA_ROOT}/videos/{video_id}.mp4"
    embed = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    body = json.dumps([[video_id, path, 0, 0], {"json_dressing": None, "dressing_input": ""}, embed])
    headers = {"lang": "py", "task": TASK, "id": job_id, "retries": 0, "eta": None, "expires": None, "root_id": job_id}
    properties = {
        "correlation_id": job_id,
        "delivery_mode": 2,
        "delivery_info": {"exchange": "", "routing_key": QUEUE},
        "priority": 0,
        "body_encoding": "base64",
        "delivery_tag": str(uuid.uuid4()),
    }
    message = {
        "body": base64.b64encode(body.encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": headers,
        "properties": properties,
    }
    return json.dumps(message)


def wait_for(condition: Callable[[], Any], limit_s: float) -> None:
    """Wait until something holds.

    Raises:
        TimeoutError: it took too long.
    """
    end_s = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end_s:
            raise TimeoutError(f"Nothing came within {limit_s:g} s.")
        time.sleep(0.01)


@contextlib.contextmanager
def running_stack(folder: Path, concurrency: int) -> Iterator[Stack]:
    """Start everything, and stop it at the end.

    Args:
        folder: for files and logs.
        concurrency: steps the adapter has in the function at once.
    """
    folder.mkdir(parents=True, exist_ok=True)
    redis_port, function_port, health_port = (free_port() for _ in range(3))
    with contextlib.ExitStack() as running:
        broker = ["redis-server", "--port", str(redis_port), "--bind", "127.0.0.1", "--save", ""]
        broker += ["--appendonly", "yes", "--dir", str(folder)]
        running.enter_context(_process(broker, folder / "redis.log", {}))
        client = redis.Redis(port=redis_port, decode_responses=True)
        running.callback(client.close)
        wait_for(lambda: answers(client), START_LIMIT_S)
        main = Path(__file__).parent / "noop_function" / "main.py"
        function = [sys.executable, "-m", "functions_framework", "--target", "handle", "--source", str(main)]
        settings = {"BENCHMARK_FOLDER": str(folder), "THREADS": str(FUNCTION_THREADS)}
        running.enter_context(_process([*function, "--port", str(function_port)], folder / "function.log", settings))
        function_url = f"http://127.0.0.1:{function_port}"
        wait_for(lambda: serves(f"{function_url}/encoding"), START_LIMIT_S)
        settings = {
            "ENCODING_TRANSCODING_CELERY_BROKER_URL": f"redis://127.0.0.1:{redis_port}/0",
            "MEDIA_ROOT": MEDIA_ROOT,
            "PODJOBS_FUNCTION_URL_ENCODING": f"{function_url}/encoding",
            "PODJOBS_FUNCTION_URL_NOTIFICATION": f"{function_url}/notification",
            "PODJOBS_CONCURRENCY_ENCODING": str(concurrency),
            "PODJOBS_HEALTH_PORT": str(health_port),
        }
        adapter = [sys.executable, "-m", "adapter", "run"]
        process = running.enter_context(_process(adapter, folder / "adapter.log", settings))
        # Called first at the end: what is held could not be stopped in time.
        running.callback((folder / "hold").unlink, missing_ok=True)
        yield Stack(folder, client, psutil.Process(process.pid))


@contextlib.contextmanager
def _process(argv: Sequence[str], log: Path, settings: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env={**os.environ, **settings}
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(client: Any) -> bool:
    """Tell whether a Redis is there."""
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def serves(url: str) -> bool:
    """Tell whether something answers at an address."""
    try:
        with urllib.request.urlopen(url, timeout=1) as response:  # noqa: S310 - our own address
            return bool(response.status)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def free_port() -> int:
    """Find a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
