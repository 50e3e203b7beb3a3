"""The model of turns in `benchmarks` chooses the steps that the real script chooses."""

import random

from benchmarks.turn_queue import TurnQueue, choose_share
from podjobs.contract.plans import Plan, Result, Stage, StepSpec


def plan_of(weights):
    steps = (
        StepSpec(id=f"s{number:03d}", function="encoding", action="chunk", weight=weight)
        for number, weight in enumerate(weights)
    )
    last = StepSpec(id="last", function="encoding", action="publish", weight=2.5)
    return Plan(stages=(Stage(name="encode", steps=tuple(steps)), Stage(name="publish", steps=(last,))))


async def test_turn_queue_takes_the_steps_that_the_script_takes(records, take, make_job):
    chance = random.Random(3)
    plans = {f"job-{n}": plan_of([round(chance.uniform(0.1, 80), 3) for _ in range(chance.randint(1, 40))])
             for n in range(12)}  # fmt: skip
    model = TurnQueue()
    stages = {}
    arriving = list(plans)
    real, modelled = [], []
    while arriving or model:
        if arriving and chance.random() < 0.2:
            name = arriving.pop(0)
            await records.accept([make_job(name, int(name[4:]) + 1)])
            model.enter(name, choose_share(1.0), [("plan", 1.0)])
            stages[name] = None
        if not model:
            continue
        (step,) = await take(count=1)
        real.append((step.job_id, step.spec.id))
        name, chosen = model.take()
        modelled.append((name, chosen))
        assert modelled[-1] == real[-1], f"after {len(real)} steps"
        await records.commit(step, plans[name] if chosen == "plan" else Result())
        if chosen == "plan":
            stages[name] = [[(spec.id, spec.weight) for spec in stage.steps] for stage in plans[name].stages]
            open_steps = 0
        else:
            stages[name][0] = [one for one in stages[name][0] if one[0] != chosen]
            open_steps = len(stages[name][0])
            if not open_steps:
                stages[name].pop(0)
        if not open_steps and stages[name]:
            left_s = sum(weight for stage in stages[name] for _, weight in stage)
            model.enter(name, choose_share(left_s), stages[name][0])
    assert len(real) > 150
