"""What a start costs: from the process to the first answer, for every deployable and every way to reach it."""

import asyncio
import functools
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import redis
from pydantic import BaseModel

from adapter.delivery.rq.delivery import RqDelivery
from adapter.redis.connections import open_redis
from benchmarks.measure import Target, console, judge, new_table
from benchmarks.start_requests import Case, running_cases
from podjobs.contract.requests import Request
from podjobs.events import STRUCTURED_CONTENT_TYPE
from support.deployables import DEPLOYABLES, Deployable
from support.parts import adapter_settings, running_redis
from support.processes import REPOSITORY, Program, environment_with, free_port, serves

MOST_IMPORT_S = 0.4
MOST_IMPORT_WITH_SPEECH_S = 1.0
PROBE = REPOSITORY / "benchmarks" / "start_probe" / "probe.py"
POLL_S = 0.002
TIMEOUT_S = 60
COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}
"""Modules are compiled once, as they are in images."""
UNCOUNTED = 1
"""Starts that only compile, and bring files into memory."""


@dataclass(frozen=True)
class Start:
    """One start of one deployable. Seconds since its process was started; NaN: there is no such stage."""

    begun_s: float
    """Python, and what serves the function, are loaded."""
    imported_s: float
    built_s: float
    """Settings are read and checked, backends connected."""
    well_s: float
    """It said that it is well."""
    answered_s: float
    """It answered a real request."""
    import_cpu_s: float
    """Processor time of the import, which other programs on the machine hardly change."""
    cpu_s: float
    """Processor time until the last answer, of all its processes."""
    rss_mib: float

    @property
    def import_s(self) -> float:
        """How long the import took."""
        return self.imported_s - self.begun_s

    @classmethod
    def median(cls, starts: "Sequence[Start]") -> "Start":
        """The medians of all that is measured, each by itself."""
        return cls(*map(statistics.median, zip(*map(astuple, starts), strict=True)))


def run(folder: Path, repeat: int, *, locked: bool) -> int:
    """Start everything so often, and print medians.

    Args:
        folder: where to work.
        repeat: starts that are counted.
        locked: with what each deployable's lock contains, as in images, not with all that is installed here.
    """
    work = folder / "start"
    shutil.rmtree(work / "runs", ignore_errors=True)
    (work / "runs").mkdir(parents=True)
    rows: list[tuple[str, str, Start]] = []
    with running_cases(work / "runs" / "media") as cases, running_redis(work / "runs" / "redis") as redis_port:
        ways: dict[str, Callable[[str, Path, Case], Start]] = {
            "http": over_http,
            "message": as_message,
            "rq": functools.partial(over_rq, redis_port),
        }
        for deployable in DEPLOYABLES:
            python = locked_python(deployable, work) if locked else sys.executable
            where = work / "runs" / deployable.name
            where.mkdir()
            if deployable.name in cases:
                for way, start in ways.items():
                    starts = [start(python, where, cases[deployable.name]) for _ in range(repeat + UNCOUNTED)]
                    rows.append((deployable.name, way, Start.median(starts[UNCOUNTED:])))
            else:
                starts = [of_adapter(python, where, redis_port) for _ in range(repeat + UNCOUNTED)]
                rows.append((deployable.name, "", Start.median(starts[UNCOUNTED:])))
        _print(rows, {name: case.what for name, case in cases.items()})
    return judge([_target(name, way, start) for name, way, start in rows if not math.isnan(start.import_s)])


def locked_python(deployable: Deployable, folder: Path) -> str:
    """An interpreter with what a lock contains, and nothing else. Kept for the next time."""
    lock = deployable.folder / "requirements.lock"
    home = folder / "environments" / deployable.name
    python, installed = home / "bin" / "python", home / "requirements.lock"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        pip: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--require-hashes", "-r", lock], check=True)
        shutil.copyfile(lock, installed)
    return str(python)


def over_http(python: str, where: Path, case: Case) -> Start:
    """Start a function under functions-framework, ask how it is, then send a request."""
    port = free_port()
    argv = [python, "-m", "functions_framework", "--target", "handle", "--source", str(PROBE)]
    argv += ["--host", "127.0.0.1", "--port", str(port)]
    page = f"http://127.0.0.1:{port}/"
    headers = {"Content-Type": STRUCTURED_CONTENT_TYPE}
    request = urllib.request.Request(page, json.dumps(case.message).encode(), headers)

    def answered() -> None:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310 - likewise
            response.read()

    return _watch(Program(where.name, argv, dict(case.settings), where / "log", page), answered)


def of_adapter(python: str, where: Path, redis_port: int) -> Start:
    """Start the adapter, and wait until it is ready."""
    port = free_port()
    settings = adapter_settings(f"redis://127.0.0.1:{redis_port}/0") | {"PODJOBS_HEALTH_PORT": str(port)}
    page = f"http://127.0.0.1:{port}/readyz"
    return _watch(Program(where.name, [python, str(PROBE)], settings, where / "log", page))


def _watch(program: Program, first_request: Callable[[], None] | None = None) -> Start:
    notes = _new_notes(program.log.parent)
    program.settings |= _probe_settings(program.name, notes)
    began_s = time.monotonic()
    program.start()
    try:
        while not serves(program.page):
            if not program.is_running or time.monotonic() - began_s > TIMEOUT_S:
                raise RuntimeError(f"The start of {program.name} failed.\n{program.said()}")
            time.sleep(POLL_S)
        well_s = time.monotonic() - began_s
        answered_s = math.nan
        if first_request:
            first_request()
            answered_s = time.monotonic() - began_s
        cpu_s = _cpu_s(program)
        return _start_of(_read_notes(notes, began_s), well_s, answered_s, cpu_s, program.rss_mib())
    finally:
        program.kill()


def as_message(python: str, where: Path, case: Case) -> Start:
    """Have a function answer a request without HTTP, in a process of its own.

    Raises:
        RuntimeError: it did not; the message contains its answer, or its log.
    """
    notes, message = _new_notes(where), where / "message.json"
    message.write_text(json.dumps(case.message), encoding="utf-8")
    settings = dict(case.settings) | _probe_settings(where.name, notes) | {"START_MESSAGE": str(message)}
    began_s = time.monotonic()
    done = subprocess.run(
        [python, str(PROBE)], env=environment_with(settings), capture_output=True, check=False, timeout=TIMEOUT_S
    )
    if done.returncode or json.loads(done.stdout)["statusCode"] != 200:  # noqa: PLR2004 - HTTP's
        raise RuntimeError(f"The start of {where.name} failed.\n{done.stdout.decode()}{done.stderr.decode()}")
    answer, stages = json.loads(done.stdout), _read_notes(notes, began_s)
    return _start_of(stages, math.nan, stages["answered"][0], answer["cpuS"], answer["rssMib"])


def over_rq(redis_port: int, python: str, where: Path, case: Case) -> Start:
    """Start a worker while a request waits in its queue; of its stages, only the answer is seen."""
    url = f"redis://127.0.0.1:{redis_port}/0"
    with redis.Redis.from_url(url) as client:
        client.flushall()  # the same request had an answer before
    source = REPOSITORY / "functions" / where.name / "main.py"
    argv = [python, "-m", "podjobs.entry.rq", "--source", str(source), "--concurrency", "1"]
    worker = Program(where.name, argv, dict(case.settings) | COMPILED | {"PODJOBS_RQ_URL": url}, where / "log")
    try:
        answered_s = asyncio.run(_answered_over_rq(worker, url, case))
        cpu_s = _cpu_s(worker)
        return _start_of({}, math.nan, answered_s, cpu_s, worker.rss_mib())
    finally:
        worker.kill()


async def _answered_over_rq(worker: Program, url: str, case: Case) -> float:
    client = open_redis(url, text=True)
    delivery = RqDelivery[Request, BaseModel](f"rq:{worker.name}", case.contract, "benchmark", 10, client)
    try:
        answer = asyncio.create_task(delivery.deliver(case.request))
        while not await client.exists(f"rq:queue:{worker.name}"):  # noqa: ASYNC110 - it happens in Redis
            await asyncio.sleep(POLL_S)
        began_s = time.monotonic()
        worker.start()
        await asyncio.wait_for(answer, TIMEOUT_S)
        return time.monotonic() - began_s
    finally:
        await delivery.close()


def _cpu_s(program: Program) -> float:
    """Of a program and its children, those that have ended included."""
    return float(sum(sum(process.cpu_times()[:4]) for process in program.family()))


def _new_notes(where: Path) -> Path:
    notes = where / "notes"
    notes.unlink(missing_ok=True)
    return notes


def _probe_settings(name: str, notes: Path) -> dict[str, str]:
    return COMPILED | {"DEPLOYABLE": name, "START_NOTES": str(notes)}


def _read_notes(notes: Path, began_s: float) -> dict[str, tuple[float, float]]:
    """When each stage was first reached: seconds since the process was started, and its processor time until then."""
    stages: dict[str, tuple[float, float]] = {}
    for line in notes.read_text(encoding="utf-8").splitlines():
        stage, at_s, cpu_s = line.split()
        stages.setdefault(stage, (float(at_s) - began_s, float(cpu_s)))
    return stages


def _start_of(
    stages: Mapping[str, tuple[float, float]], well_s: float, answered_s: float, cpu_s: float, rss_mib: float
) -> Start:
    unseen = (math.nan, math.nan)
    begun, imported, built = (stages.get(stage, unseen) for stage in ("begun", "imported", "built"))
    return Start(begun[0], imported[0], built[0], well_s, answered_s, imported[1] - begun[1], cpu_s, rss_mib)


def _target(name: str, way: str, start: Start) -> Target:
    limit_s = MOST_IMPORT_WITH_SPEECH_S if name == "transcription" else MOST_IMPORT_S
    promise = f"{' '.join(filter(None, (name, way)))}: import in at most {limit_s:g} s"
    return Target(promise, f"{start.import_s:.2f} s", start.import_s <= limit_s)


def _print(rows: Sequence[tuple[str, str, Start]], requests: Mapping[str, str]) -> None:
    columns = ("Python", "import", "its CPU", "build", "first health", "first answer", "CPU", "RSS MiB")
    table = new_table("Seconds, medians; health, answer and CPU since the process started", "deployable", *columns)
    for name, way, start in rows:
        built_s = start.built_s - start.imported_s
        times = (start.begun_s, start.import_s, start.import_cpu_s, built_s, start.well_s, start.answered_s)
        cells = ["–" if math.isnan(value) else f"{value:.2f}" for value in (*times, start.cpu_s)]
        table.add_row(f"{name} {way}", *cells, f"{start.rss_mib:.0f}")
    console.print(table)
    console.print("First answers: " + "; ".join(f"{name}: {what}" for name, what in requests.items()) + ".")
    console.print(f"{len(os.sched_getaffinity(0))} processors.")
