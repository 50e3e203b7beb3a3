"""Redis, an LRS, the xapi function and the adapter, each a process of its own that can be killed and started again."""

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from adapter.redis import keys
from support.durable_lrs import read_counts
from support.lrs import LOGIN, PASSWORD
from support.parts import new_adapter, new_function, running_redis
from support.processes import REPOSITORY, Program, free_port

QUEUE = "xapi"
STAGED = "xapi-staged"
PUSH_BATCH = 1000
_LENGTHS = """
-- Both streams (KEYS) and all lists whose names match ARGV[1], at one moment: a message moves from one to the next.
local found = {}
for _, key in ipairs(KEYS) do
  found[#found + 1] = key
  found[#found + 1] = redis.call('XLEN', key)
end
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
  found[#found + 1] = key
  found[#found + 1] = redis.call('LLEN', key)
end
return found
"""


@dataclass(frozen=True)
class XapiStack:
    """What runs."""

    folder: Path
    redis: Any
    lrs: Program
    function: Program
    adapter: Program
    broker_url: str

    @property
    def parts(self) -> tuple[Program, ...]:
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
        lengths = self.redis.eval(_LENGTHS, 2, keys.STATEMENTS, keys.DEAD, f"{QUEUE}*")
        found = dict(zip(lengths[::2], map(int, lengths[1::2]), strict=True))
        return {key: count for key, count in found.items() if count and not key.startswith(STAGED)}


def store_of(folder: Path) -> Path:
    """Where the LRS of a stack keeps its statements."""
    return folder / "lrs.sqlite"


def new_lrs(folder: Path, latency_ms: float) -> Program:
    """An LRS that is not started yet."""
    port = free_port()
    argv = [sys.executable, "-m", "support.durable_lrs", "--port", str(port), "--store", str(store_of(folder))]
    argv += ["--latency-ms", str(latency_ms)]
    return Program("lrs", argv, {}, folder / "lrs.log", f"http://127.0.0.1:{port}/")


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
        given = dict(settings or {})
        login = {"XAPI_LRS_LOGIN": LOGIN, "XAPI_LRS_PWD": PASSWORD, "THREADS": "24"}
        function_settings = {"XAPI_LRS_URL": lrs_url or f"{lrs.page}statements", **login, **given}
        function = new_function("function", REPOSITORY / "functions/xapi/main.py", function_settings, folder)
        adapter = new_adapter(broker_url, {"PODJOBS_FUNCTION_URL_XAPI": function.page, **given}, folder)
        for part in (lrs, function, adapter):
            running.callback(part.stop)
            part.start()
            part.wait()
        yield XapiStack(folder, client, lrs, function, adapter, broker_url)
