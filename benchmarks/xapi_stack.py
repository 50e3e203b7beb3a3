"""Redis, an LRS, the function and the adapter, each a process of its own that can be killed and started again."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # stubs are not installed
import redis

from adapter.redis import keys
from benchmarks.adapter_stack import START_LIMIT_S, STOP_LIMIT_S, answers, free_port, serves, wait_for
from benchmarks.lrs import LOGIN, PASSWORD, read_counts

REPOSITORY = Path(__file__).parents[1]
QUEUE = "xapi"
STAGED = "xapi-staged"
PUSH_BATCH = 1000


@dataclass
class Part:
    """One program."""

    name: str
    argv: Sequence[str]
    settings: Mapping[str, str]
    folder: Path
    page: str
    """Answers when the program does its work."""
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it; `wait` tells when it works."""
        with (self.folder / f"{self.name}.log").open("ab") as log:
            # a group of its own: a server's workers are killed with it
            self.process = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, **self.settings},
                cwd=REPOSITORY, start_new_session=True,
            )  # fmt: skip

    def wait(self) -> None:
        """Wait until it works. Raises TimeoutError."""
        wait_for(lambda: serves(self.page), START_LIMIT_S)

    def kill(self) -> None:
        """End it and its children at once."""
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, 9)
            self.process.wait()

    def stop(self) -> None:
        """End it in order."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                self.kill()

    def rss_mib(self) -> float:
        """Its memory, with that of its children."""
        if not self.process:
            return 0.0
        root = psutil.Process(self.process.pid)
        return float(sum(one.memory_info().rss for one in [root, *root.children(recursive=True)])) / (1 << 20)


@dataclass(frozen=True)
class XapiStack:
    """What runs."""

    folder: Path
    redis: Any
    lrs: Part
    function: Part
    adapter: Part
    broker_url: str
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def parts(self) -> tuple[Part, ...]:
        """What may be killed."""
        return (self.adapter, self.function, self.lrs)

    @property
    def store(self) -> Path:
        """The LRS's file."""
        return store_of(self.folder)

    def stage(self, messages: Sequence[bytes]) -> None:
        """Put messages where nobody reads them yet."""
        for start in range(0, len(messages), PUSH_BATCH):
            self.redis.lpush(STAGED, *messages[start : start + PUSH_BATCH])

    def release(self) -> None:
        """Put all staged messages on the queue at once; it must be empty."""
        self.redis.rename(STAGED, QUEUE)

    def push(self, messages: Sequence[bytes]) -> None:
        """Put messages on the queue as Celery does."""
        for start in range(0, len(messages), PUSH_BATCH):
            self.redis.lpush(QUEUE, *messages[start : start + PUSH_BATCH])

    def accepted(self) -> int:
        """How many statements the LRS has."""
        return read_counts(self.store).get("statements", 0)

    def left(self) -> dict[str, int]:
        """What is not settled, by key; empty when all is."""
        lists = [key for key in self.redis.scan_iter(f"{QUEUE}*") if not key.startswith(STAGED)]
        found = {key: self.redis.llen(key) for key in lists}
        found |= {keys.STATEMENTS: self.redis.xlen(keys.STATEMENTS), keys.DEAD: self.redis.xlen(keys.DEAD)}
        return {key: count for key, count in found.items() if count}


def store_of(folder: Path) -> Path:
    """Where the LRS of a stack keeps its statements."""
    return folder / "lrs.sqlite"


@contextlib.contextmanager
def running_redis(folder: Path) -> Iterator[int]:
    """A Redis that keeps what it is given. Gives its port."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    argv = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes"]
    with (folder / "redis.log").open("wb") as log:
        process = subprocess.Popen([*argv, "--dir", str(folder)], stdout=log, stderr=log)
    try:
        with redis.Redis(port=port) as client:
            wait_for(lambda: answers(client), START_LIMIT_S)
        yield port
    finally:
        process.terminate()
        process.wait()


def new_lrs(folder: Path, latency_ms: float) -> Part:
    """An LRS that is not started yet."""
    port = free_port()
    argv = [sys.executable, "-m", "benchmarks.lrs", "--port", str(port), "--store", str(store_of(folder))]
    argv += ["--latency-ms", str(latency_ms)]
    return Part("lrs", argv, {}, folder, f"http://127.0.0.1:{port}/")


def new_function(folder: Path, lrs_url: str, settings: Mapping[str, str]) -> Part:
    """The xapi function, not started yet."""
    port = free_port()
    main = REPOSITORY / "functions" / "xapi" / "main.py"
    argv = [sys.executable, "-m", "functions_framework", "--target", "handle", "--source", str(main)]
    argv += ["--host", "127.0.0.1", "--port", str(port)]
    login = {"XAPI_LRS_URL": lrs_url, "XAPI_LRS_LOGIN": LOGIN, "XAPI_LRS_PWD": PASSWORD, "THREADS": "24"}
    return Part("function", argv, {**login, **settings}, folder, f"http://127.0.0.1:{port}/")


@contextlib.contextmanager
def running_stack(
    folder: Path, *, latency_ms: float, settings: Mapping[str, str] | None = None, lrs_url: str | None = None
) -> Iterator[XapiStack]:
    """Start everything, and stop it at the end.

    Args:
        folder: for files and logs.
        latency_ms: of the LRS.
        settings: of function and adapter, beside what they need.
        lrs_url: of another LRS than ours, with our login; ours runs all the same.
    """
    with contextlib.ExitStack() as running:
        redis_port = running.enter_context(running_redis(folder))
        client = running.enter_context(redis.Redis(port=redis_port, decode_responses=True))
        broker_url = f"redis://127.0.0.1:{redis_port}/0"
        lrs = new_lrs(folder, latency_ms)
        function = new_function(folder, lrs_url or f"{lrs.page}statements", settings or {})
        health_port = free_port()
        environment = {
            "ENCODING_TRANSCODING_CELERY_BROKER_URL": broker_url,
            "MEDIA_ROOT": "/media",
            "PODJOBS_FUNCTION_URL_ENCODING": "http://127.0.0.1:1/",
            "PODJOBS_FUNCTION_URL_NOTIFICATION": "http://127.0.0.1:1/",
            "PODJOBS_FUNCTION_URL_XAPI": function.page,
            "PODJOBS_HEALTH_PORT": str(health_port),
            **(settings or {}),
        }
        argv = [sys.executable, "-m", "adapter", "run"]
        adapter = Part("adapter", argv, environment, folder, f"http://127.0.0.1:{health_port}/readyz")
        for part in (lrs, function, adapter):
            running.callback(part.stop)
            part.start()
            part.wait()
        yield XapiStack(folder, client, lrs, function, adapter, broker_url, environment)
