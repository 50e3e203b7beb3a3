"""Forecasts take turns as the model does that is held against the real script."""

from adapter.inspection.forecast.simulation import Lane, Packets, SimulatedJob, SimulatedStage, TurnSimulation
from benchmarks.turn_queue import TurnQueue, choose_share


def test_turns_are_those_of_the_queue_that_is_held_against_the_script():
    weights = {"a": [80.0] * 12, "b": [8.0, 2.0, 2.0], "c": [30.0] * 5}
    queue = TurnQueue()
    for name, own in weights.items():
        queue.enter(name, choose_share(sum(own)), [(number, weight) for number, weight in enumerate(own)])
    expected = [queue.take()[0] for _ in range(20)]
    lane = Lane(0, 1)
    simulation = TurnSimulation([lane], 0)
    order = []
    for name, own in weights.items():
        stage = [(0, Packets(1, weight, 1.0, lambda name=name: order.append(name) or 1.0)) for weight in own]
        simulation.add_arrival(SimulatedJob(name, [SimulatedStage.of(stage)]), 0)
    # the slot is taken by a job that came before, so that all of them are there when the first turn comes
    simulation.add_begun(SimulatedJob("", []), lane, 1.0)
    simulation.run(3)
    assert order == expected
