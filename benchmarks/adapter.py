"""The adapter alone: steps a second, latency, memory and messages a second, with a function that does nothing."""

import json
import shutil
import threading
import time
from pathlib import Path
from statistics import median
from typing import Any

from adapter.redis import keys
from benchmarks.adapter_stack import QUEUE, Stack, running_stack
from benchmarks.measure import Target, console, judge, new_table
from benchmarks.scale import OVERHEAD_FILE
from support.processes import Program, wait_for

LEAST_STEPS_PER_S = 300
MOST_LATENCY_MS = 15
MOST_GROWTH = 1.20
CONCURRENCY = 8
IDLE_JOBS = 100
IDLE_PAUSE_S = 0.05
SETTLE_S = 2.0
TIMEOUT_S = 600
WARM_UP, IDLE, THROUGHPUT, WAITING = 1, 1_000, 10_000, 1_000_000
"""Video ids of the phases begin here; a second job for a video would supersede the first."""


def run(folder: Path, steps: int, waiting: int) -> int:
    """Measure the adapter.

    Args:
        folder: where to work; the overhead of a step is left there for `scale`.
        steps: length of the plan whose steps are counted.
        waiting: steps that wait while memory is measured.
    """
    work = folder / "adapter"
    shutil.rmtree(work, ignore_errors=True)
    with running_stack(work, CONCURRENCY) as stack:
        stack.control(steps=50)
        stack.wait_done(stack.push(WARM_UP)[0], TIMEOUT_S)
        latency_ms, overhead_ms = map(median, measure_latency(stack))
        steps_per_s, cpu_ms = measure_throughput(stack, steps)
        time.sleep(SETTLE_S)
        idle_mib = stack.adapter.rss_mib()
        messages_per_s, waiting_mib = measure_waiting(stack, waiting)
    shutil.rmtree(work)
    (folder / OVERHEAD_FILE).write_text(json.dumps({"overhead_ms": overhead_ms}), encoding="utf-8")
    table = new_table("The adapter, with a function that does nothing", "what", "measured")
    table.add_row("step ready → function entered, idle, median", f"{latency_ms:.1f} ms")
    table.add_row("a whole step, one after another, median", f"{overhead_ms:.1f} ms")
    table.add_row(f"steps through the function, {CONCURRENCY} at once", f"{steps_per_s:.0f}/s")
    table.add_row("the adapter's CPU for a step", f"{cpu_ms:.2f} ms")
    table.add_row("messages through the Celery door", f"{messages_per_s:.0f}/s")
    table.add_row("memory, nothing waits", f"{idle_mib:.1f} MiB")
    table.add_row(f"memory, {waiting:,} steps wait", f"{waiting_mib:.1f} MiB")
    console.print(table)
    growth = waiting_mib / idle_mib
    return judge(
        [
            Target(f"at least {LEAST_STEPS_PER_S} steps/s", f"{steps_per_s:.0f}/s", steps_per_s >= LEAST_STEPS_PER_S),
            Target(f"latency below {MOST_LATENCY_MS} ms", f"{latency_ms:.1f} ms", latency_ms < MOST_LATENCY_MS),
            Target(f"memory below × {MOST_GROWTH:.2f} with steps waiting", f"× {growth:.2f}", growth < MOST_GROWTH),
        ]
    )


def measure_latency(stack: Stack) -> tuple[list[float], list[float]]:
    """Run small jobs one at a time on an idle system.

    Returns:
        Milliseconds from when each step was ready until the function had it; milliseconds that each whole step took.
    """
    stack.control(steps=1)
    ready: dict[str, float] = {}
    stop = threading.Event()
    watcher = threading.Thread(target=_watch_bell, args=(stack, ready, stop))
    watcher.start()
    steps_ms = []
    try:
        for number in range(IDLE_JOBS):
            record = stack.wait_done(stack.push(IDLE + number)[0], TIMEOUT_S)
            taken_s = float(record["ended_at"]) - float(record["accepted_at"])
            steps_ms.append(taken_s * 1000 / 2)  # the plan and its one step
            time.sleep(IDLE_PAUSE_S)
    finally:
        stop.set()
        watcher.join()
    entered = stack.entered()
    latencies_ms = [(entered[name] - at_s) * 1000 for name, at_s in ready.items() if name in entered]
    if not latencies_ms:
        raise RuntimeError("No step was seen to become ready.")
    return latencies_ms, steps_ms


def _watch_bell(stack: Stack, ready: dict[str, float], stop: threading.Event) -> None:
    """Note when steps became ready: the time is in the ids of the bell's entries, which anybody may read."""
    bell = keys.turns_bell("encoding")
    last = "$"
    while not stop.is_set():
        answer: Any = stack.redis.xread({bell: last}, block=200)
        for _, rings in answer or ():
            for ring, fields in rings:
                last = ring
                plan = f"{fields['job']}/plan"
                step = f"{fields['job']}/chunk-00000" if plan in ready else plan
                ready[step] = int(ring.partition("-")[0]) / 1000


def measure_throughput(stack: Stack, steps: int) -> tuple[float, float]:
    """Run one job with a long plan.

    Returns:
        Steps a second; the adapter's CPU time for one, milliseconds.
    """
    stack.control(steps=steps)
    cpu_s = _cpu_s(stack.adapter)
    record = stack.wait_done(stack.push(THROUGHPUT)[0], TIMEOUT_S)
    taken_s = float(record["ended_at"]) - float(record["accepted_at"])
    return steps / taken_s, (_cpu_s(stack.adapter) - cpu_s) * 1000 / steps


def _cpu_s(program: Program) -> float:
    times = program.family()[0].cpu_times()
    return float(times.user + times.system)


def measure_waiting(stack: Stack, waiting: int) -> tuple[float, float]:
    """Let no step end and put jobs on the queue, whose first steps wait for their turn.

    Returns:
        Messages a second through the door; the adapter's memory while all wait, MiB.
    """
    stack.control(steps=1, hold=True)
    known = stack.redis.zcard(keys.JOBS)
    start_s = time.perf_counter()
    stack.push(WAITING, waiting)
    wait_for(lambda: stack.redis.zcard(keys.JOBS) >= known + waiting and not stack.redis.llen(QUEUE), TIMEOUT_S)
    taken_s = time.perf_counter() - start_s
    time.sleep(SETTLE_S)
    console.print(f"[dim]{stack.redis.hget(keys.turns_clock('encoding'), 'steps')} steps wait for their turn[/]")
    return waiting / taken_s, stack.adapter.rss_mib()
