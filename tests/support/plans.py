"""Plans of jobs, as tests of what becomes of their steps need them."""

from typing import Any

from podjobs.contract.errors import Problem
from podjobs.contract.plans import Plan, Stage, StepSpec

BROKEN = Problem(title="Broken.", status=422, detail="It is broken.")


def spec(step_id: str, function: str = "encoding", action: str = "chunk", **more: Any) -> StepSpec:
    """A step."""
    return StepSpec(id=step_id, function=function, action=action, **more)


def plan(*stages: tuple[str, list[StepSpec]], **more: Any) -> Plan:
    """A plan of stages, each a name and its steps."""
    return Plan(stages=tuple(Stage(name=name, steps=tuple(steps)) for name, steps in stages), **more)


NOTIFY = ("notify", [spec("notify", "notification", "encoding")])


async def accept_planned(records: Any, take: Any, job: Any, reply: Plan) -> None:
    """Accept a job and commit its plan."""
    await records.accept([job])
    (step,) = await take()
    assert step.spec.id == "plan"
    await records.commit(step, reply)


async def fail_for_good(records: Any, take: Any) -> str:
    """Fail a job, its report and its notification. Returns what became of it."""
    for function in ("encoding", "encoding", "notification"):
        (step,) = await take(function)
        outcome = await records.fail(step, BROKEN)
    return str(outcome)
