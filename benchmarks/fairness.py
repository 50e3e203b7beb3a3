"""A short video beside three of two hours: the real adapter and the steps of real plans, in which sleeping is the work.

What a step would take on one core is its weight (podjobs/encoding/steps.py); here it takes so much time divided by
SPEED. A round begins with three long jobs and a short one at the same moment; more short ones follow while the long
ones run.
"""

import random
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.adapter_stack import Stack, running_stack
from benchmarks.measure import Target, console, judge, new_table
from podjobs.contract.jobs import EncodingJob
from podjobs.contract.plans import Plan, Stage, StepSpec
from podjobs.contract.reply_to import Nobody
from podjobs.contract.workflows import workflow_of

SPEED = 60
LONG_JOBS = 3
LATER_JOBS = 3
"""Short jobs that come while the long ones run."""
MOST_WAIT_S = 3.0
"""Between two of them, at most."""
TIMEOUT_S = 600
LONG_CHUNKS = 120 * [80.0]
"""Weights of the chunks of two hours of 1080p in three renditions."""
SHORT_CHUNKS = [10.7, 2.7]
"""Of ten seconds: in chunks of 8 s."""
FACTOR = 2.0
ALONE, LONG, SHORT = 1, 100, 200
"""Video ids begin here."""


def run(folder: Path, rounds: int, slots: int, adapters: int) -> int:
    """Measure when short jobs are ready, alone and beside long ones.

    Args:
        folder: where to work.
        rounds: how often everything is done.
        slots: steps that are performed at once, by all adapters together.
        adapters: how many share them.
    """
    alone_s: list[float] = []
    together_s: list[float] = []
    later_s: list[float] = []
    for number in range(rounds):
        work = folder / "fairness"
        shutil.rmtree(work, ignore_errors=True)
        with running_stack(work, slots // adapters, adapters) as stack:
            alone_s += _run_alone(stack)
            together, later = _run_beside(stack, random.Random(number))
            together_s.append(together)
            later_s += later
        shutil.rmtree(work)
    return _report(alone_s, together_s, later_s)


def _plan(chunks: Sequence[float], seconds: float) -> Plan:
    """The plan of a video of that length, as `stages_of` writes it."""
    encode = [_step("audio", seconds / 25), *(_step("chunk", weight, number) for number, weight in enumerate(chunks))]
    package = [_step("package", max(0.2, seconds / 150), number) for number in range(3)]
    stages = (
        Stage(name="encode", steps=tuple(encode)),
        Stage(name="package", steps=(*package, _step("images", 0.5))),
        Stage(name="publish", steps=(_step("publish", 0.2),)),
    )
    notify = workflow_of(EncodingJob(id="job", target="1", reply_to=Nobody(), source="a", output_folder="b"))
    return Plan(stages=(*stages, notify.notification_stage))


def _step(action: str, weight: float, number: int = 0) -> StepSpec:
    params = {"takes_s": weight / SPEED}
    return StepSpec(id=f"{action}-{number:04d}", function="encoding", action=action, params=params, weight=weight)


LONG_PLAN = _plan(LONG_CHUNKS, 7200)
SHORT_PLAN = _plan(SHORT_CHUNKS, 10)


def _run_alone(stack: Stack) -> list[float]:
    taken_s = []
    for video in range(ALONE, ALONE + 3):
        stack.set_plan(video, SHORT_PLAN)
        taken_s.append(_ready_s(stack, stack.push(video)[0]))
    return taken_s


def _run_beside(stack: Stack, chance: random.Random) -> tuple[float, list[float]]:
    """When the short job that came with the long ones was ready, and when those that came later; in seconds."""
    for video in range(LONG, LONG + LONG_JOBS):
        stack.set_plan(video, LONG_PLAN)
    for video in range(SHORT, SHORT + 1 + LATER_JOBS):
        stack.set_plan(video, SHORT_PLAN)
    stack.push(LONG, LONG_JOBS)
    ids = stack.push(SHORT)
    for video in range(SHORT + 1, SHORT + 1 + LATER_JOBS):
        time.sleep(chance.uniform(0, MOST_WAIT_S))
        ids += stack.push(video)
    together_s, *later_s = (_ready_s(stack, job_id) for job_id in ids)
    return together_s, later_s


def _ready_s(stack: Stack, job_id: str) -> float:
    record = stack.wait_done(job_id, TIMEOUT_S)
    return float(record["ended_at"]) - float(record["accepted_at"])


def _report(alone_s: list[float], together_s: list[float], later_s: list[float]) -> int:
    table = new_table(f"A video of 10 s, time divided by {SPEED}", "", "jobs", "median", "longest")
    rows = {"alone": alone_s, "together with three of two hours": together_s, "while they run": later_s}
    for name, times_s in rows.items():
        table.add_row(name, str(len(times_s)), f"{median(times_s):.2f} s", f"{max(times_s):.2f} s")
    console.print(table)
    chunk_s, longest_s = (max(weights) / SPEED for weights in (LONG_CHUNKS, _weights(LONG_PLAN)))
    console.print(f"A chunk of a long one takes {chunk_s:.2f} s, its longest step, the sound, {longest_s:.2f} s.")
    twice_s = FACTOR * median(alone_s)
    targets = []
    for name, times_s in list(rows.items())[1:]:
        for what, time_s, step_s in (
            ("half of them within {} × their time alone and one chunk", median(times_s), chunk_s),
            ("all within {} × their time alone and the longest step", max(times_s), longest_s),
        ):
            limit_s = twice_s + step_s
            measured = f"{time_s:.2f} s, limit {limit_s:.2f} s"
            targets.append(Target(f"{name}: {what.format(f'{FACTOR:g}')}", measured, time_s <= limit_s))
    return judge(targets)


def _weights(plan: Plan) -> list[float]:
    return [step.weight for stage in plan.stages for step in stage.steps]
