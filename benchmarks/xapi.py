"""xAPI statements: Pod's way and ours side by side, and memory."""

import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import redis

from adapter.redis import keys
from benchmarks.measure import Target, console, judge, new_table
from support.durable_lrs import read_counts, read_times
from support.parts import running_redis
from support.processes import Program, wait_for
from support.statements import messages_of
from support.xapi_stack import QUEUE, XapiStack, new_lrs, running_stack, store_of

LATENCY_MS = 20
LEAST_RATIO = 30
LEAST_PER_S = 1_000
LEAST_DOOR_PER_S = 2_000
MOST_GROWTH = 1.10
POD_STATEMENTS = 400
WARM_UP = 2_000
HELD = 20_000
"""Statements whose bytes in Redis are measured."""
PORTION = 20_000
TIMEOUT_S = 900


@dataclass(frozen=True)
class Amounts:
    """How many statements."""

    timed: int
    steady: int
    """Pass while memory is watched."""


@dataclass(frozen=True)
class Ours:
    """What was measured of adapter and function."""

    per_s: float
    door_per_s: float
    held_bytes: float
    """Redis memory of a statement in the stream."""
    queued_bytes: float
    """Redis memory of a message on Pod's list."""
    memory_mib: dict[str, tuple[float, float]]
    """By process: after the first portion, and after the last."""


def run(folder: Path, amounts: Amounts) -> int:
    """Measure.

    Args:
        folder: where to work.
        amounts: of statements.
    """
    work = folder / "xapi"
    shutil.rmtree(work, ignore_errors=True)
    pod_per_s = measure_pod(work / "pod")
    ours = measure_ours(work / "ours", amounts.timed, amounts.steady)
    shutil.rmtree(work)
    _print(pod_per_s, ours, amounts)
    ratio = ours.per_s / pod_per_s
    growth = max(after / before for before, after in ours.memory_mib.values())
    return judge(
        [
            Target(f"at least × {LEAST_RATIO} Pod's statements/s", f"× {ratio:.0f}", ratio >= LEAST_RATIO),
            Target(f"at least {LEAST_PER_S:,}/s end to end", f"{ours.per_s:,.0f}/s", ours.per_s >= LEAST_PER_S),
            Target(
                f"at least {LEAST_DOOR_PER_S:,}/s through the door",
                f"{ours.door_per_s:,.0f}/s",
                ours.door_per_s >= LEAST_DOOR_PER_S,
            ),
            Target(
                f"memory below × {MOST_GROWTH:.2f} over {amounts.steady:,}", f"× {growth:.2f}", growth < MOST_GROWTH
            ),
        ]
    )


def measure_pod(folder: Path) -> float:
    """Statements a second of a Celery worker with one process, which posts each by itself."""
    with running_redis(folder) as redis_port:
        lrs = new_lrs(folder, LATENCY_MS)
        lrs.start()
        lrs.wait()
        settings = {
            "XAPI_CELERY_BROKER_URL": f"redis://127.0.0.1:{redis_port}/0",
            "XAPI_LRS_URL": f"{lrs.page}statements",
        }
        argv = [sys.executable, "-m", "celery", "-A", "benchmarks.pod_xapi_worker", "worker", "--concurrency", "1"]
        worker = Program("celery", [*argv, "--queues", QUEUE], settings, folder / "celery.log")
        worker.start()
        try:
            with redis.Redis(port=redis_port) as client:
                client.lpush(QUEUE, *messages_of(0, POD_STATEMENTS))
            worker.wait_for(lambda: read_counts(store_of(folder)).get("statements", 0) >= POD_STATEMENTS, TIMEOUT_S)
        finally:
            worker.stop()
            lrs.stop()
        first_s, last_s = read_times(store_of(folder))
    return (POD_STATEMENTS - 1) / (last_s - first_s)


def measure_ours(folder: Path, statements: int, steady: int) -> Ours:
    """The speed of adapter and function, and their memory while many statements pass."""
    with running_stack(folder, latency_ms=LATENCY_MS) as stack:
        _pass(stack, 0, WARM_UP)
        done = WARM_UP
        took_s = _pass(stack, done, statements)
        done += statements
        door_per_s, held_bytes, queued_bytes = _measure_held(stack, done)
        done += HELD
        console.print(f"[dim]watching memory while {steady:,} statements pass …[/]")
        before: dict[str, float] = {}
        for portion in range(max(steady // PORTION, 2)):
            _pass(stack, done, PORTION)
            done += PORTION
            if portion == 0:
                before = _memory(stack)
        after = _memory(stack)
    memory = {name: (before[name], after[name]) for name in before}
    return Ours(statements / took_s, door_per_s, held_bytes, queued_bytes, memory)


def _pass(stack: XapiStack, done: int, count: int) -> float:
    """Let statements pass; seconds from their being on the queue until the LRS has taken all."""
    stack.stage(messages_of(done, count))
    start_s = time.perf_counter()
    stack.release()
    wait_for(lambda: stack.accepted() >= done + count, TIMEOUT_S)
    took_s = time.perf_counter() - start_s
    wait_for(lambda: not stack.left(), TIMEOUT_S)
    return took_s


def _measure_held(stack: XapiStack, done: int) -> tuple[float, float, float]:
    """Statements through the door a second while the function is away; bytes of one in the stream, and on the list."""
    stack.function.kill()
    empty_bytes = _redis_bytes(stack)
    stack.stage(messages_of(done, HELD))
    queued_bytes = _redis_bytes(stack) - empty_bytes
    start_s = time.perf_counter()
    stack.release()
    wait_for(lambda: stack.redis.xlen(keys.STATEMENTS) >= HELD and not stack.redis.exists(QUEUE), TIMEOUT_S)
    took_s = time.perf_counter() - start_s
    held_bytes = _redis_bytes(stack) - empty_bytes
    stack.function.start()
    stack.function.wait()
    wait_for(lambda: not stack.left(), TIMEOUT_S)
    return HELD / took_s, held_bytes / HELD, queued_bytes / HELD


def _redis_bytes(stack: XapiStack) -> int:
    return int(stack.redis.info("memory")["used_memory_dataset"])


def _memory(stack: XapiStack) -> dict[str, float]:
    return {part.name: part.rss_mib() for part in (stack.adapter, stack.function)}


def _print(pod_per_s: float, ours: Ours, amounts: Amounts) -> None:
    table = new_table(f"xAPI statements, at an LRS latency of {LATENCY_MS} ms", "what", "measured")
    table.add_row(f"Pod's way: one Celery process, one request a statement ({POD_STATEMENTS})", f"{pod_per_s:.0f}/s")
    table.add_row(f"ours: on Pod's queue → accepted by the LRS ({amounts.timed:,})", f"{ours.per_s:,.0f}/s")
    table.add_row("ours: from Pod's queue into the stream", f"{ours.door_per_s:,.0f}/s")
    table.add_row("Redis memory of a message on Pod's queue", f"{ours.queued_bytes:,.0f} bytes")
    table.add_row("Redis memory of a statement in the stream", f"{ours.held_bytes:,.0f} bytes")
    for name, (before, after) in ours.memory_mib.items():
        row = f"memory of the {name}, after {PORTION:,} and after {amounts.steady:,} statements"
        table.add_row(row, f"{before:.1f}, {after:.1f} MiB")
    console.print(table)
