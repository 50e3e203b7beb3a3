"""What operators see, and what that costs.

Commands, the page, the metrics and forecasts beside 10,000 jobs; what an idle adapter uses, alone and with a page open;
Celery's remote control while 100 jobs run; how far forecasts are off (forecast_error.py).
"""

import asyncio
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx

from adapter.inspection.forecast.explanation import explain
from adapter.inspection.forecast.forecasts import forecast_all
from adapter.redis import keys
from adapter.redis.connections import open_redis
from benchmarks import forecast_error
from benchmarks.adapter import measure_throughput
from benchmarks.adapter_stack import QUEUE, Stack, running_stack
from benchmarks.held_jobs import hold_jobs
from benchmarks.measure import Target, console, judge, new_table
from support.processes import Program, environment_with, wait_for

MOST_STATUS_S, MOST_PAGE_S, MOST_PAGE_KB, MOST_METRICS_MS = 0.3, 1.0, 100, 50
MOST_FORECAST_S, MOST_WHY_S = 1.0, 0.3
MOST_IDLE, MOST_OPEN = 0.01, 0.03
"""Of a core."""
MOST_INSPECT_S = 1.0
REPEAT = 7
LOOKS_S = 30
"""For which the processor time of an idle adapter is counted."""
RUNNING = 100
"""Jobs that run while Celery's remote control is asked."""
METRICS_ROUNDS, METRICS_STEPS = 5, 2_000
LEAST_RATIO = 0.95
"""What two runs of the same differ by."""
TIMEOUT_S = 300
PARTS = ("views", "idle", "inspect", "metrics", "forecast")


@dataclass(frozen=True)
class Wishes:
    """How much is measured."""

    jobs: int = 10_000
    forecasts: int = 200
    per_s: float = 1.6
    """Jobs that come by chance while forecasts are asked for."""
    seed: int = 1


def run(folder: Path, parts: Sequence[str], wishes: Wishes) -> int:
    """Measure some parts.

    Args:
        folder: where to work.
        parts: of PARTS.
        wishes: how much is measured.
    """
    work = folder / "operate"
    measured: dict[str, Callable[[Path, Wishes], list[Target]]] = {
        "views": measure_views,
        "idle": measure_idle,
        "inspect": measure_inspect,
        "metrics": measure_metrics,
        "forecast": measure_forecasts,
    }
    targets = []
    for part in parts:
        shutil.rmtree(work, ignore_errors=True)
        found = measured[part](work, wishes)
        for target in found:
            console.print(f"{part}: {target.promise}: {target.measured}")
        targets += found
    shutil.rmtree(work, ignore_errors=True)
    return judge(targets)


def measure_views(folder: Path, wishes: Wishes) -> list[Target]:
    """Commands, the page, the metrics and forecasts beside many jobs."""
    folder.mkdir(parents=True)
    with running_stack(folder, 8) as stack:
        stack.control(steps=1, hold=True)
        port = _port(stack)
        held = asyncio.run(hold_jobs(port, wishes.jobs))
        console.print(f"{wishes.jobs:,} jobs: {held}")
        url = _url(stack.adapter)
        job_id = stack.redis.srandmember(keys.LIVE)
        commands_s = {name: _command_s(port, *name.split()) for name in ("status", "jobs", f"why {job_id}")}
        page_s, page_kb = _page(url, "/")
        metrics_ms = _page(url, "/metrics")[0] * 1000
        all_s, why_s = asyncio.run(_forecasts(port, job_id))
        with httpx.stream("GET", f"{url}/events", timeout=LOOKS_S + 60) as events:
            events.raise_for_status()
            opened = _share_of_core(stack.adapter)
    table = new_table(f"Beside {wishes.jobs:,} jobs", "what", "measured")
    for name, seconds in commands_s.items():
        table.add_row(f"podjobs {name.partition(' ')[0]}, with the start of the program", f"{seconds:.2f} s")
    table.add_row("the page's first view", f"{page_s * 1000:.0f} ms, {page_kb:.0f} kB")
    table.add_row("/metrics", f"{metrics_ms:.0f} ms")
    table.add_row("forecasts of all jobs", f"{all_s:.2f} s")
    table.add_row("forecast of one job", f"{why_s:.2f} s")
    table.add_row("the adapter, with a page open", f"{opened:.1%} of a core")
    console.print(table)
    status_s = commands_s["status"]
    return [
        Target(f"podjobs status below {MOST_STATUS_S} s", f"{status_s:.2f} s", status_s < MOST_STATUS_S),
        Target(f"the page's first view below {MOST_PAGE_S:g} s", f"{page_s:.2f} s", page_s < MOST_PAGE_S),
        Target(f"and {MOST_PAGE_KB} kB", f"{page_kb:.0f} kB", page_kb <= MOST_PAGE_KB),
        Target(f"/metrics below {MOST_METRICS_MS} ms", f"{metrics_ms:.0f} ms", metrics_ms < MOST_METRICS_MS),
        Target(f"forecasts of all jobs below {MOST_FORECAST_S:g} s", f"{all_s:.2f} s", all_s < MOST_FORECAST_S),
        Target(f"forecast of one job below {MOST_WHY_S} s", f"{why_s:.2f} s", why_s < MOST_WHY_S),
    ]


def measure_idle(folder: Path, _: Wishes) -> list[Target]:
    """The processor time of an adapter that has nothing to do, alone and with a page open."""
    folder.mkdir(parents=True)
    with running_stack(folder, 8) as stack:
        stack.control(steps=3)
        stack.wait_done(stack.push(1)[0], TIMEOUT_S)
        time.sleep(2)
        idle = _share_of_core(stack.adapter)
        with httpx.stream("GET", f"{_url(stack.adapter)}/events", timeout=LOOKS_S + 60) as events:
            events.raise_for_status()
            opened = _share_of_core(stack.adapter)
    return [
        Target(f"idle: below {MOST_IDLE:.0%} of a core", f"{idle:.2%}", idle < MOST_IDLE),
        Target(f"with a page open: below {MOST_OPEN:.0%}", f"{opened:.2%}", opened < MOST_OPEN),
    ]


def measure_inspect(folder: Path, _: Wishes) -> list[Target]:
    """How soon an adapter answers Celery's remote control while many jobs run."""
    import celery  # noqa: PLC0415 - only here

    folder.mkdir(parents=True)
    with running_stack(folder, RUNNING) as stack:
        stack.control(steps=1, hold=True)
        stack.push(1, RUNNING)
        wait_for(lambda: stack.redis.hlen(keys.running(QUEUE)) >= RUNNING, TIMEOUT_S)
        app = celery.Celery(broker=f"redis://127.0.0.1:{_port(stack)}/0")
        times_s = []
        for _number in range(REPEAT):
            begun_s = time.perf_counter()
            answers = app.control.broadcast("active", reply=True, timeout=10, limit=1)
            times_s.append(time.perf_counter() - begun_s)
        active = len(next(iter(answers[0].values())))
    taken_s = median(times_s)
    return [
        Target(
            f"`inspect active` is answered within {MOST_INSPECT_S:g} s", f"{taken_s:.2f} s", taken_s < MOST_INSPECT_S
        ),
        Target(f"and names {RUNNING} jobs", f"{active}", active == RUNNING),
    ]


def measure_metrics(folder: Path, _: Wishes) -> list[Target]:
    """Steps a second and the adapter's processor time for one, with metrics and without, in turn."""
    found: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    for number in range(METRICS_ROUNDS):
        for is_on in (True, False) if number % 2 else (False, True):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            with running_stack(folder, 8, more={"PODJOBS_METRICS": str(is_on).lower()}) as stack:
                stack.control(steps=50)
                stack.wait_done(stack.push(1)[0], TIMEOUT_S)
                found[is_on].append(measure_throughput(stack, METRICS_STEPS))
    table = new_table(f"{METRICS_STEPS:,} steps, medians of {METRICS_ROUNDS}", "metrics", "steps/s", "CPU for a step")
    for is_on, runs in found.items():
        per_s, cpu_ms = map(median, zip(*runs, strict=True))
        table.add_row("on" if is_on else "off", f"{per_s:.0f}", f"{cpu_ms:.2f} ms")
    console.print(table)
    ratio = median(per_s for per_s, _ in found[True]) / median(per_s for per_s, _ in found[False])
    return [Target(f"steps/s with metrics at least × {LEAST_RATIO}", f"× {ratio:.2f}", ratio >= LEAST_RATIO)]


def measure_forecasts(folder: Path, wishes: Wishes) -> list[Target]:
    """How far forecasts are off."""
    folder.mkdir(parents=True)
    course = forecast_error.watch_jobs(folder, wishes.forecasts, wishes.per_s, wishes.seed)
    table, targets = forecast_error.report(forecast_error.ask(course))
    console.print(table)
    return targets


def _port(stack: Stack) -> int:
    return int(stack.redis.connection_pool.connection_kwargs["port"])


def _url(adapter: Program) -> str:
    return adapter.page.removesuffix("/readyz")


def _command_s(port: int, *arguments: str) -> float:
    """How long one of the operator's commands takes."""
    settings = {"ENCODING_TRANSCODING_CELERY_BROKER_URL": f"redis://127.0.0.1:{port}/0"}
    environment = environment_with(settings | {"PYTHONDONTWRITEBYTECODE": ""})  # compiled once, as in images
    argv = [sys.executable, "-m", "adapter", *arguments, "--json"]
    times_s = []
    for _ in range(REPEAT):
        begun_s = time.perf_counter()
        ended = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
        times_s.append(time.perf_counter() - begun_s)
    if not ended.stdout.startswith("{"):
        raise RuntimeError(f"podjobs {' '.join(arguments)} ended with {ended.returncode}: {ended.stderr[-2000:]}")
    json.loads(ended.stdout.splitlines()[0])
    return median(times_s)


def _page(url: str, path: str) -> tuple[float, float]:
    """How long a page takes, and how long it is: seconds, kB as it travels without compression."""
    times_s = []
    for _ in range(REPEAT):
        begun_s = time.perf_counter()
        answer = httpx.get(f"{url}{path}", timeout=60)
        times_s.append(time.perf_counter() - begun_s)
        answer.raise_for_status()
    return median(times_s), len(answer.content) / 1000


async def _forecasts(port: int, job_id: str) -> tuple[float, float]:
    """How long the forecasts of all jobs take, and that of one."""
    client = open_redis(f"redis://127.0.0.1:{port}/0", text=True)
    all_s, one_s = [], []
    for _ in range(REPEAT):
        begun_s = time.perf_counter()
        await forecast_all(client)
        all_s.append(time.perf_counter() - begun_s)
        begun_s = time.perf_counter()
        await explain(client, job_id)
        one_s.append(time.perf_counter() - begun_s)
    await client.aclose()
    return median(all_s), median(one_s)


def _share_of_core(program: Program) -> float:
    """The processor time of a program for a while, as a share of one core."""
    process = program.family()[0]
    before = process.cpu_times()
    time.sleep(LOOKS_S)
    after = process.cpu_times()
    return float(after.user + after.system - before.user - before.system) / LOOKS_S
