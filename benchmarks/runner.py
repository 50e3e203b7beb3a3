"""The runner API: submissions a second, how long answers take, and a whole job beside the same one through Celery."""

import asyncio
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import aiohttp
import psutil

from benchmarks.measure import Target, console, judge, new_table
from local.client import JobRecords, StandInControl, request_encoding
from local.configuration import configure
from local.media import place
from local.ports import POD, RUNNER, choose_ports
from local.runner_client import RunnerDemonstration
from local.stack import Stack
from podjobs.contract.job_states import JobState
from support.parts import NOWHERE, Adapter
from support.runner_requests import v4_task
from support.runner_stack import TOKENS, running_runner_stack
from support.source import make_source

LEAST_PER_S = 200
MOST_ANSWER_MS = 100
MOST_RATIO = 1.1
NOBODY = {f"PODJOBS_FUNCTION_URL_{name}": NOWHERE for name in ("ENCODING", "TRANSCRIPTION", "NOTIFICATION")}
CLIENTS = 8
"""Requests at once."""
READY_S = 120.0
POLL_S = 0.1


def run(folder: Path, seconds: int, repeat: int, submissions: int, video: Path | None = None) -> int:
    """Measure the runner API.

    Args:
        folder: where to work.
        seconds: length of the video.
        repeat: how often it is encoded through each door.
        submissions: how many tasks are handed over.
        video: in place of the one of that length that is made.
    """
    work = folder / "runner"
    shutil.rmtree(work, ignore_errors=True)
    taken = measure_submissions(work / "submissions", submissions)
    celery_s, runner_s = (0.0, 0.0)
    if repeat:
        celery_s, runner_s = measure_jobs(work / "jobs", video or make_source(folder, seconds), repeat)
    shutil.rmtree(work)
    table = new_table("The runner API", "what", "measured")
    table.add_row(f"tasks handed over, {CLIENTS} at once", f"{taken.per_s:.0f}/s")
    table.add_row("an answer, median", f"{median(taken.answers_ms):.1f} ms")
    table.add_row("an answer, 99 %", f"{taken.slow_ms:.1f} ms")
    table.add_row("the adapter's CPU for a task that is handed over", f"{taken.cpu_ms:.2f} ms")
    targets = [
        Target(f"at least {LEAST_PER_S} submissions/s", f"{taken.per_s:.0f}/s", taken.per_s >= LEAST_PER_S),
        Target(f"answers within {MOST_ANSWER_MS} ms (99 %)", f"{taken.slow_ms:.1f} ms", taken.slow_ms < MOST_ANSWER_MS),
    ]
    if repeat:
        ratio = runner_s / celery_s
        what = video.name if video else f"{seconds} s of video"
        table.add_row(f"{what} through Celery, until Pod has it", f"{celery_s:.1f} s")
        table.add_row(f"{what} through the runner API, until Pod has it", f"{runner_s:.1f} s")
        targets.append(Target(f"at most × {MOST_RATIO} of Celery's wall time", f"× {ratio:.3f}", ratio <= MOST_RATIO))
    console.print(table)
    return judge(targets)


@dataclass(frozen=True)
class Submissions:
    """Tasks that were handed over."""

    per_s: float
    answers_ms: list[float]
    cpu_ms: float
    """The adapter's CPU time for each."""

    @property
    def slow_ms(self) -> float:
        """What 99 % of the answers took at most."""
        return sorted(self.answers_ms)[int(len(self.answers_ms) * 0.99)]


def measure_submissions(folder: Path, count: int) -> Submissions:
    """Hand tasks over that nobody performs."""
    with running_runner_stack(folder, settings=NOBODY) as stack:
        asyncio.run(_submit(stack.url, CLIENTS * 4, "warm-up"))
        begun, cpu_s = time.perf_counter(), _cpu_s(stack.adapter)
        answers_ms = asyncio.run(_submit(stack.url, count, "measured"))
        per_s = count / (time.perf_counter() - begun)
        return Submissions(per_s, answers_ms, (_cpu_s(stack.adapter) - cpu_s) * 1000 / count)


def _cpu_s(adapter: Adapter) -> float:
    times = psutil.Process(adapter.process.pid if adapter.process else 0).cpu_times()
    return float(times.user + times.system)


async def _submit(url: str, count: int, name: str) -> list[float]:
    numbers, answers_ms = iter(range(count)), list[float]()
    headers = {"Authorization": f"Bearer {TOKENS['four']}"}
    async with aiohttp.ClientSession(headers=headers) as session:

        async def submit() -> None:
            for number in numbers:
                place = "http://127.0.0.1:1"
                body = v4_task(source_url=f"{place}/media/{name}-{number}.mp4", notify_url=f"{place}/notify")
                begun = time.perf_counter()
                async with session.post(f"{url}/task/execute", json=body) as answer:
                    answer.raise_for_status()
                    await answer.read()
                answers_ms.append((time.perf_counter() - begun) * 1000)

        await asyncio.gather(*(submit() for _ in range(CLIENTS)))
    return answers_ms


def measure_jobs(folder: Path, video: Path, repeat: int) -> tuple[float, float]:
    """Encode a video through both doors in turn.

    Returns:
        Median of the seconds from the request until Pod has the result, through Celery and through the runner API.
    """
    celery_s, runner_s = list[float](), list[float]()
    with _running(folder) as (stack, client):
        for turn in range(repeat):
            celery_s.append(_by_celery(stack, video, turn + 1))
            runner_s.append(_by_runner(stack, client, video, folder / f"fetched-{turn}"))
            console.print(f"[dim]Celery: {celery_s[-1]:.1f} s, the runner API: {runner_s[-1]:.1f} s[/]")
    return median(celery_s), median(runner_s)


@contextmanager
def _running(folder: Path) -> Iterator[tuple[Stack, RunnerDemonstration]]:
    """The stack as `scripts/run` runs it, with both doors."""
    media = folder / "media"
    media.mkdir(parents=True)
    ports = choose_ports({}, with_runner=True)
    client = RunnerDemonstration(ports[RUNNER])
    configuration = configure(folder / "stack", {"MEDIA_ROOT": str(media), **client.settings}, ports)
    configuration.state_dir.mkdir()
    with (folder / "stack.log").open("w", buffering=1, encoding="utf-8") as log, client.serving():
        stack = Stack(configuration, lambda line: print(line.decode("utf-8", "replace"), end="", file=log))
        try:
            stack.start()
            stack.wait_until_ready(READY_S)
            yield stack, client
        finally:
            stack.stop()


def _by_celery(stack: Stack, video: Path, number: int) -> float:
    source = place(video, stack.configuration)
    StandInControl(stack.configuration.ports[POD]).announce(number)
    begun = time.perf_counter()
    path = f"{stack.configuration.environment['MEDIA_ROOT']}/{source}"
    _wait(stack, request_encoding(stack.configuration.broker_url, number, path))
    return time.perf_counter() - begun


def _by_runner(stack: Stack, client: RunnerDemonstration, video: Path, folder: Path) -> float:
    begun = time.perf_counter()
    task_id = client.request("encoding", video, folder)
    _wait(stack, task_id)
    if reason := client.outcome(task_id):
        raise RuntimeError(reason)
    return time.perf_counter() - begun


def _wait(stack: Stack, job_id: str) -> None:
    """Wait for the end of a job. Raises RuntimeError if it has failed."""
    records = JobRecords(stack.configuration.jobs_url)
    while not (progress := records.progress(job_id)).ended:
        time.sleep(POLL_S)
    records.close()
    if progress.state != JobState.DONE:
        raise RuntimeError(f"The job ended as {progress.state}: {progress.error}")
