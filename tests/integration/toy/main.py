"""A job type that the project does not have: a sum, added up in parallel. This folder, and the row in sum_job.py."""

from dataclasses import dataclass

from sum_job import SumJob

from podjobs.contract.actions import Actions, StepContext, choose_action, expect_job
from podjobs.contract.errors import PermanentError
from podjobs.contract.message_contracts import STEPS
from podjobs.contract.plans import Plan, Result, Stage, StepSpec
from podjobs.contract.workflows import workflow_of
from podjobs.entry.definition import FunctionDefinition, entry_points
from podjobs.settings import EndpointSettings


@dataclass(frozen=True)
class Context(StepContext[SumJob]):
    pass


def plan(context: Context) -> Plan:
    pairs = [context.job.numbers[start : start + 2] for start in range(0, len(context.job.numbers), 2)]
    if not pairs:
        raise PermanentError("There is nothing to add up. Name some numbers.")
    add = tuple(
        StepSpec(id=f"add-{place}", function="sum", action="add", params={"numbers": pair})
        for place, pair in enumerate(pairs)
    )
    total = StepSpec(id="total", function="sum", action="total", needs=("add",))
    last = workflow_of(context.job).notification_stage
    return Plan(stages=(Stage(name="add", steps=add), Stage(name="total", steps=(total,)), last))


def add(context: Context) -> Result:
    return Result(values={"sum": sum(context.step.params["numbers"])})


def total(context: Context) -> Result:
    return Result(log=(f"The sum is {sum(values['sum'] for values in context.step.results.values())}.",))


def report(context: Context) -> Result:
    return Result(log=(f"Reported: {context.step.failure.detail}",))


ACTIONS: Actions[Context] = {
    "plan": plan,
    "add": add,
    "total": total,
    "report": report,
    "discard": lambda _: Result(),
    "withdraw": lambda _: Result(),
}


class SumFunction:
    def handle(self, step):
        return choose_action(step, ACTIONS)(Context(expect_job(step, SumJob), step))


FUNCTION = FunctionDefinition("sum", STEPS, EndpointSettings, lambda _: (SumFunction(), 4))
__getattr__ = entry_points(FUNCTION)
