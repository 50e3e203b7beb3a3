"""Functions that perform mixed jobs by sleeping: short and long ones of two types, whose steps never take as planned.

Time is divided by SPEED: a step whose weight is 8 typically takes 80 ms.
"""

import asyncio
import math
import random
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web
from cloudevents.http import from_http

from podjobs.contract.jobs import RecoveryJob
from podjobs.contract.plans import Plan, Result, Stage, StepSpec
from podjobs.contract.steps import Step
from podjobs.contract.workflows import workflow_of
from support.serving import serving
from support.step_function import reply_event

SPEED = 100
CHUNK = (8.0, 40.0)
"""Weights of a video's chunks are between these, by its picture's size."""
MOST_CHUNKS = 60
TYPICAL_CHUNKS = 8
PART = 20.0
MOST_PARTS = 8
BIAS = {"plan": 3.0, "chunk": 1.2, "audio": 0.7, "package": 1.5, "images": 2.0, "publish": 4.0, "part": 0.8}
"""What steps take beside their weights, on the machines at hand."""
JOB_SPREAD = 0.2
STEP_SPREAD = 0.25
"""Standard deviations of the logarithms: of a job's steps from others', and of a job's steps from one another."""


class MixedFunctions:
    """Answers for encoding, transcription and notification."""

    def __init__(self, seed: int) -> None:
        """Nothing is served yet, see `serving_mixed`. What jobs are like follows from the seed and their targets."""
        self._seed = seed

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Perform a step."""
        step = Step.model_validate(from_http(dict(request.headers), await request.read()).data)
        if isinstance(step.job, RecoveryJob):
            return reply_event(Result())
        chance = random.Random(f"{self._seed} {step.job.type} {step.job.target}")
        pace = chance.lognormvariate(0, JOB_SPREAD)
        plan = _plan(step, chance)
        own = random.Random(f"{self._seed} {step.job.target} {step.step_id}")
        weight = step.params.get("weight", 1.0)
        takes = weight * BIAS.get(step.action, 2.0) * pace * own.lognormvariate(0, STEP_SPREAD)
        await asyncio.sleep(takes / SPEED)
        return reply_event(plan if step.action == "plan" else Result())


def _plan(step: Step, chance: random.Random) -> Plan:
    many = math.exp(chance.gauss(math.log(TYPICAL_CHUNKS), 0.9))
    notify = workflow_of(step.job).notification_stage
    if step.job.type == "transcription":
        parts = [_step("transcription", "part", PART, number) for number in range(min(MOST_PARTS, 1 + round(many / 6)))]
        return Plan(stages=(_stage("hear", *parts), _stage("write", _step("transcription", "captions", 2)), notify))
    count = max(1, min(MOST_CHUNKS, round(many)))
    weight = chance.uniform(*CHUNK)
    chunks = [_step("encoding", "chunk", weight, number) for number in range(count)]
    package = [_step("encoding", "package", max(0.5, count / 6), number) for number in range(3)]
    return Plan(
        stages=(
            _stage("encode", _step("encoding", "audio", max(1.0, count * 0.8)), *chunks),
            _stage("package", *package, _step("encoding", "images", 0.5)),
            _stage("publish", _step("encoding", "publish", 0.5)),
            notify,
        )
    )


def _stage(name: str, *steps: StepSpec) -> Stage:
    return Stage(name=name, steps=steps)


def _step(function: str, action: str, weight: float, number: int = 0) -> StepSpec:
    weight = round(weight, 3)
    return StepSpec(id=f"{action}-{number}", function=function, action=action, weight=weight, params={"weight": weight})


@contextmanager
def serving_mixed(functions: MixedFunctions) -> Iterator[dict[str, str]]:
    """Serve all functions; yields the adapter's settings that name their addresses."""
    application = web.Application(client_max_size=1 << 24)
    names = ("encoding", "transcription", "notification")
    application.add_routes([web.post(f"/{name}", functions.handle) for name in names])
    with serving(application) as url:
        yield {f"PODJOBS_FUNCTION_URL_{name.upper()}": f"{url}/{name}" for name in names}
