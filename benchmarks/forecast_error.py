"""How far forecasts are off: the real adapter, a real Redis, and mixed jobs whose steps sleep (support/mixed_jobs.py).

A tenth of the jobs are there from the beginning, another tenth comes at once in the middle, the others by chance. Each
time a job has done another tenth of its work, it is noted when it is said to be ready; what came of it is known at the
end. Two errors are told:

    total       |predicted − actual| ready time, divided by the job's time from its request until it was ready
    remaining   the same, divided by the time that was left when it was asked
"""

import asyncio
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import redis

from adapter.inspection.forecast.forecasts import ready_times
from adapter.inspection.forecast.snapshot import Snapshot, read_snapshot
from adapter.redis import keys
from adapter.redis.connections import open_redis
from benchmarks.measure import Target, new_table
from support.jobs import encoding_message, transcription_message
from support.mixed_jobs import MixedFunctions, serving_mixed
from support.parts import new_adapter, running_redis
from support.processes import wait_for

SLOTS = {"ENCODING": "8", "TRANSCRIPTION": "2", "NOTIFICATION": "4"}
WARM_UP = 40
"""Jobs that come before, by chance: what is learned of steps, and of how often jobs come, is not what is measured."""
LOOK_S = 0.15
TIMEOUT_S = 900
FROM = 0.1
"""Progress from which on a forecast counts."""
MOST_ERROR = 0.2
TRANSCRIPTIONS = 0.3


@dataclass
class Course:
    """What was seen."""

    snapshots: list[Snapshot] = field(default_factory=list)
    ended_at: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """One job, asked about once."""

    progress: float
    total: float
    """Error, see above."""
    remaining: float
    length_s: float
    bias: float
    """As `total`, with a sign: above 0 where the job was said to be ready too late."""


def watch_jobs(folder: Path, jobs: int, per_s: float, seed: int = 1) -> Course:
    """Let jobs come and be done, and look on.

    Args:
        folder: for logs.
        jobs: how many.
        per_s: of those that come by chance.
        seed: of everything that is by chance.
    """
    with running_redis(folder, append_only=False) as port, serving_mixed(MixedFunctions(seed)) as urls:
        settings = urls | {f"PODJOBS_CONCURRENCY_{name}": slots for name, slots in SLOTS.items()}
        adapter = new_adapter(f"redis://127.0.0.1:{port}/0", settings, folder)
        with redis.Redis(port=port, decode_responses=True) as client:
            chance = random.Random(seed)
            adapter.start()
            try:
                adapter.wait()
                for number in range(WARM_UP):
                    _push(client, [f"warm-{number}"], 10_000 + number, chance)
                    time.sleep(chance.expovariate(per_s))
                _wait_ended(client, WARM_UP)
                return _watch(client, port, jobs, per_s, chance)
            finally:
                adapter.stop()


def _watch(client: "redis.Redis", port: int, jobs: int, per_s: float, chance: random.Random) -> Course:
    course = Course()
    stop = threading.Event()
    watcher = threading.Thread(target=lambda: asyncio.run(_look(port, course, stop)))
    watcher.start()
    try:
        names = [f"job-{number}" for number in range(jobs)]
        many = jobs // 10
        _push(client, names[:many], 1, chance)
        one_by_one = names[many:-many]
        for number, name in enumerate(one_by_one):
            time.sleep(chance.expovariate(per_s))
            _push(client, [name], 1000 + number, chance)
            if number == len(one_by_one) // 2:
                _push(client, names[-many:], 5000, chance)
        _wait_ended(client, jobs + WARM_UP)
    finally:
        stop.set()
        watcher.join()
    course.ended_at = {name: float(client.hget(keys.job(name), "ended_at") or 0) for name in names}
    return course


def _push(client: "redis.Redis", names: Sequence[str], first_video: int, chance: random.Random) -> None:
    for number, name in enumerate(names):
        video = first_video + number
        if chance.random() < TRANSCRIPTIONS:
            client.lpush("transcripting", transcription_message(name, video))
        else:
            client.lpush("encoding", encoding_message(name, video, f"/media/videos/{video}.mp4"))


def _wait_ended(client: "redis.Redis", count: int) -> None:
    wait_for(lambda: client.zcard(keys.JOBS) >= count and not client.scard(keys.LIVE), TIMEOUT_S)


async def _look(port: int, course: Course, stop: threading.Event) -> None:
    client = open_redis(f"redis://127.0.0.1:{port}/0", text=True)
    while not stop.is_set():
        course.snapshots.append(await read_snapshot(client))
        await asyncio.sleep(LOOK_S)
    await client.aclose()


def ask(course: Course) -> list[Question]:
    """Forecast each job at each tenth of its progress."""
    found = []
    reached: dict[str, int] = {}
    for snapshot in course.snapshots:
        asked = []
        for job in snapshot.jobs.values():
            progress = job.weight_done / job.weight_total if job.weight_total and job.outline else 0.0
            if int(progress * 10) > reached.get(job.id, 0) and progress >= FROM and course.ended_at.get(job.id):
                reached[job.id] = int(progress * 10)
                asked.append((job, progress))
        if not asked:
            continue
        times = ready_times(snapshot)
        for job, progress in asked:
            ended_at = course.ended_at[job.id]
            off_s = times[job.id] - ended_at
            total_s, left_s = ended_at - job.accepted_at_s, max(0.001, ended_at - snapshot.now_s)
            found.append(Question(progress, abs(off_s) / total_s, abs(off_s) / left_s, total_s, off_s / total_s))
    return found


def report(questions: Sequence[Question]) -> tuple[object, list[Target]]:
    """A table of the errors by progress, and the targets."""
    table = new_table(
        f"Forecasts, {len(questions)} questions", "progress", "questions", "error of the total, median", "90 %",
        "within 20 %", "signed, median", "error of what remains, median", "90 %",
    )  # fmt: skip
    for tenth in range(1, 10):
        _add_row(table, f"{tenth}0 %", [one for one in questions if int(one.progress * 10) == tenth])
    _add_row(table, "all", questions)
    share = within(questions)
    middle = median(one.total for one in questions)
    return table, [
        Target(f"half of the forecasts off by {MOST_ERROR:.0%} at most", f"{middle:.1%}", middle <= MOST_ERROR),
        Target(f"90 % of them off by {MOST_ERROR:.0%} at most", f"{share:.0%} of them are", share >= 0.9),  # noqa: PLR2004 - as it says
    ]


def within(questions: Sequence[Question]) -> float:
    """Which part of the forecasts is off by MOST_ERROR at most."""
    return sum(one.total <= MOST_ERROR for one in questions) / len(questions)


def _add_row(table: "object", name: str, questions: Sequence[Question]) -> None:
    if not questions:
        return
    totals = sorted(one.total for one in questions)
    remaining = sorted(one.remaining for one in questions)
    nine = int(len(totals) * 0.9)
    table.add_row(  # type: ignore[attr-defined]
        name, str(len(questions)), f"{median(totals):.1%}", f"{totals[nine]:.1%}", f"{within(questions):.0%}",
        f"{median(one.bias for one in questions):+.1%}", f"{median(remaining):.1%}", f"{remaining[nine]:.1%}",
    )  # fmt: skip
