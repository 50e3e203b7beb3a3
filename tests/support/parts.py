"""Redis, functions and the adapter, as tests and benchmarks run them one by one."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx
import redis

from local.workers import has_worker
from support.processes import REPOSITORY, START_TIMEOUT_S, Program, free_port, serves, wait_for

NOWHERE = "http://127.0.0.1:1/"
"""The address of a function that nobody runs."""


@contextlib.contextmanager
def running_redis(
    folder: Path, *, port: int = 0, append_only: bool = True, settings: Mapping[str, str] | None = None
) -> Iterator[int]:
    """Run a redis-server.

    Args:
        folder: for its data and its log; made if need be.
        port: where it listens; 0: a free one.
        append_only: it keeps what it is given, as the one of scripts/up does.
        settings: more environment variables.

    Yields:
        Its port.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    argv = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    argv += ["--appendonly", "yes" if append_only else "no", "--appendfsync", "always"]
    with (folder / "redis.log").open("wb") as log:
        environment = {**os.environ, **(settings or {})}
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
    try:
        with redis.Redis(port=port) as client:
            wait_for(lambda: _answers(client), START_TIMEOUT_S)
        yield port
    finally:
        process.terminate()
        process.wait()


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def new_function(name: str, main: Path, settings: Mapping[str, str], folder: Path) -> Program:
    """A function under functions-framework, not started yet.

    Args:
        name: of the program.
        main: its main.py.
        settings: its environment.
        folder: for the log.
    """
    port = free_port()
    argv = [sys.executable, "-m", "functions_framework", "--target", "handle", "--source", str(main)]
    argv += ["--host", "127.0.0.1", "--port", str(port)]
    return Program(name, argv, dict(settings), folder / f"{name}.log", f"http://127.0.0.1:{port}/")


@contextlib.contextmanager
def running_functions(settings: Mapping[str, Mapping[str, str]], folder: Path) -> Iterator[dict[str, Program]]:
    """Functions of ours under functions-framework, until the end of the block.

    Args:
        settings: function → its environment.
        folder: for their logs.
    """
    programs = {
        name: new_function(name, REPOSITORY / "functions" / name / "main.py", given, folder)
        for name, given in settings.items()
    }
    try:
        for program in programs.values():
            program.start()
        for program in programs.values():
            program.wait()
        yield programs
    finally:
        for program in programs.values():
            program.kill()


@dataclass
class WorkerPool(Program):
    """A server's RQ workers of one function."""

    queue: str = ""
    redis_url: str = ""

    def wait(self) -> Self:
        """Wait until one of its workers listens."""
        self.wait_for(lambda: has_worker(self.redis_url, self.queue), START_TIMEOUT_S)
        return self


def new_worker_pool(
    queue: str, main: Path, settings: Mapping[str, str], folder: Path, redis_url: str, workers: int, name: str = ""
) -> WorkerPool:  # fmt: skip
    """A pool of RQ workers, not started yet.

    Args:
        queue: that they listen to.
        main: the function's main.py.
        settings: its environment.
        folder: for the log.
        redis_url: where the queue is.
        workers: how many there are.
        name: of the program and its log; empty: the queue's.
    """
    argv = [sys.executable, "-m", "podjobs.entry.rq", "--source", str(main), "--queue", queue]
    argv += ["--concurrency", str(workers)]
    given = {**settings, "PODJOBS_RQ_URL": redis_url}
    name = name or f"{queue}-workers"
    return WorkerPool(name, argv, given, folder / f"{name}.log", queue=queue, redis_url=redis_url)


@dataclass
class Adapter(Program):
    """The adapter, with its pages."""

    @property
    def url(self) -> str:
        """Where its pages are."""
        return self.page.removesuffix("/readyz")

    def get(self, page: str) -> httpx.Response:
        """Ask for a page; waits until the adapter listens."""
        self.wait_for(lambda: serves(f"{self.url}/healthz"))
        return httpx.get(f"{self.url}/{page}")

    def lines(self) -> list[dict[str, Any]]:
        """The lines of its log."""
        return [json.loads(line) for line in self.said().splitlines()]


def new_adapter(broker_url: str, settings: Mapping[str, str], folder: Path, name: str = "adapter") -> Adapter:
    """The adapter, not started yet.

    Args:
        broker_url: the Redis with Pod's queues.
        settings: beside `adapter_settings`.
        folder: for the log.
        name: of the program and its log.
    """
    given = adapter_settings(broker_url) | {"PODJOBS_HEALTH_PORT": str(free_port())} | dict(settings)
    page = f"http://127.0.0.1:{given['PODJOBS_HEALTH_PORT']}/readyz"
    return Adapter(name, [sys.executable, "-m", "adapter", "run"], given, folder / f"{name}.log", page)


def adapter_settings(broker_url: str) -> dict[str, str]:
    """The settings that the adapter needs; its functions are nowhere."""
    return {
        "ENCODING_TRANSCODING_CELERY_BROKER_URL": broker_url,
        "MEDIA_ROOT": "/media",
        "PODJOBS_FUNCTION_URL_ENCODING": NOWHERE,
        "PODJOBS_FUNCTION_URL_NOTIFICATION": NOWHERE,
    }
