"""The queues played forward, with times that can be computed by hand."""

import pytest

from adapter.inspection.forecast.simulation import (
    Lane,
    Packets,
    SimulatedJob,
    SimulatedStage,
    TurnSimulation,
    choose_share,
)


def steps(lane, amount, seconds, weight=1.0):
    return lane.number, Packets(amount, weight, seconds, lambda: 1.0)


def job(name, *stages):
    return SimulatedJob(name, [SimulatedStage.of(stage) for stage in stages])


def run(lanes, jobs, now_s=100.0):
    simulation = TurnSimulation(lanes, now_s)
    for at_s, one in jobs:
        simulation.add_arrival(one, at_s)
    simulation.run(len(jobs))
    return simulation.done_at


def test_job_alone_is_done_when_its_stages_are_one_after_another():
    lane, other = Lane(0, 4), Lane(1, 1)
    alone = job("a", [steps(lane, 10, 6.0)], [steps(lane, 2, 1.0), steps(other, 2, 5.0)])
    # 10 steps in 4 slots: 3 rounds of 6 s; then 2 × 5 s in the only slot of the other function
    assert run([lane, other], [(0, alone)]) == {"a": 128}


def test_jobs_that_are_alike_share_the_slots():
    lane = Lane(0, 2)
    done = run([lane], [(0, job("a", [steps(lane, 10, 1.0)])), (0, job("b", [steps(lane, 10, 1.0)]))])
    assert sorted(done.values()) == [109, 110]  # 20 steps, two at a time, in turn


def test_job_that_comes_later_is_simulated_from_then_on():
    lane = Lane(0, 1)
    assert run([lane], [(0, job("a", [steps(lane, 1, 3.0)])), (10, job("b", [steps(lane, 1, 3.0)]))]) == {
        "a": 103,
        "b": 113,
    }


def test_nothing_is_known_of_a_function_that_is_closed():
    lane, other = Lane(0, 4, is_open=False), Lane(1, 1)
    done = run([lane, other], [(0, job("a", [steps(lane, 1, 1.0)])), (0, job("b", [steps(other, 1, 1.0)]))])
    assert done == {"b": 101}


def test_running_steps_and_retries_keep_or_take_slots():
    lane = Lane(0, 2)
    simulation = TurnSimulation([lane], 100)
    first, second = job("a"), job("b")
    simulation.add_begun(first, lane, 7.0)
    simulation.add_begun(first, lane, 3.0)
    simulation.add_retry(second, lane, after_s=1.0, takes_s=5.0)
    simulation.run(2)
    # the retry may begin at 101 and gets the slot that is free at 103
    assert simulation.done_at == {"a": 107, "b": 108}


def test_run_ends_with_the_job_that_is_asked_for():
    lane = Lane(0, 1)
    simulation = TurnSimulation([lane], 0)
    for name in "abc":
        simulation.add_arrival(job(name, [steps(lane, 1, 1.0)]), 0)
    simulation.run(3, "b")
    assert simulation.done_at == {"a": 1, "b": 2}


@pytest.mark.parametrize(("left", "share"), [(0, 129_099), (60, 129_099), (10_000, 10_000)])
def test_share_falls_with_the_root_of_what_is_left(left, share):
    assert choose_share(left) == share
