"""The queues played forward as flows, with times that can be computed by hand, and beside the turns."""

import random

import pytest

from adapter.inspection.forecast.flow import FlowSimulation
from adapter.inspection.forecast.simulation import Lane, Packets, SimulatedJob, SimulatedStage, TurnSimulation


def steps(lane, amount, seconds, weight=1.0):
    return lane.number, Packets(amount, weight, seconds, lambda: 1.0)


def job(name, *stages):
    return SimulatedJob(name, [SimulatedStage.of(stage) for stage in stages])


def run(kind, lanes, jobs, now_s=100.0):
    simulation = kind(lanes, now_s)
    for at_s, one in jobs:
        simulation.add_arrival(one, at_s)
    simulation.run(len(jobs))
    return simulation.done_at


def test_job_alone_flows_through_its_stages_one_after_another():
    lane, other = Lane(0, 4), Lane(1, 1)
    alone = job("a", [steps(lane, 10, 6.0)], [steps(lane, 2, 1.0), steps(other, 2, 5.0)])
    # 60 s in 4 slots; then 2 × 5 s in the only slot of the other function
    assert run(FlowSimulation, [lane, other], [(0, alone)]) == {"a": pytest.approx(100 + 15 + 10)}


def test_no_stage_is_done_before_its_longest_step():
    lane = Lane(0, 8)
    assert run(FlowSimulation, [lane], [(0, job("a", [steps(lane, 2, 9.0)]))]) == {"a": pytest.approx(109)}


def test_jobs_flow_at_their_shares():
    lane = Lane(0, 2)
    long, short = job("long", [steps(lane, 100, 90.0, 90.0)]), job("short", [steps(lane, 10, 10.0, 10.0)])
    done = run(FlowSimulation, [lane], [(0, long), (0, short)])
    # of 9,000 and 100: shares as 1 to √90, until 100 s of the short one are done
    assert done["short"] == pytest.approx(100 + 100 * (1 + 1 / 90**0.5) / 2, rel=0.001)
    assert done["long"] == pytest.approx(100 + 9100 / 2)


def test_nothing_flows_through_a_function_that_is_closed():
    lane, other = Lane(0, 4, is_open=False), Lane(1, 1)
    jobs = [(0, job("a", [steps(lane, 1, 1.0)])), (0, job("b", [steps(other, 1, 1.0)]))]
    done = run(FlowSimulation, [lane, other], jobs)
    assert done == {"b": pytest.approx(101)}


def test_flows_are_done_when_turns_would_be():
    def jobs(lane):
        chance = random.Random(1)
        return [
            (chance.uniform(0, 500), job(f"job-{number}", [steps(lane, chance.choice((5, 20, 80)), 10.0, 10.0)]))
            for number in range(100)
        ]

    def played(kind):
        lane = Lane(0, 8)
        return run(kind, [lane], jobs(lane), 0)

    turns, flows = played(TurnSimulation), played(FlowSimulation)
    assert turns.keys() == flows.keys()
    off = [abs(flows[name] - turns[name]) / turns[name] for name in turns]
    assert sum(off) / len(off) < 0.1
