"""A day's videos through a model of the engine: turns, stages, an adapter with a limit, and a fleet that is scaled."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import simpy

from benchmarks.instances import Fleet
from benchmarks.scalers import LambdaPool, Scaler
from benchmarks.turn_queue import TurnQueue, choose_share
from benchmarks.university_day import Video

OVERHEAD_S = 0.015
"""What the adapter adds to a step, by its own target."""
SETTLING_S = 900.0
"""After the day, until all instances of scalers are gone."""


@dataclass(frozen=True)
class PlannedStep:
    """A step as it is scheduled: its weight says whose turn it is, its duration how long it takes."""

    weight: float
    duration_s: float


@dataclass(frozen=True)
class PlannedVideo:
    """A video and the stages of its job; the first one is the plan."""

    video: Video
    stages: tuple[tuple[PlannedStep, ...], ...]


@dataclass(frozen=True)
class Farm:
    """A way to have instances."""

    name: str
    slots: int
    """Steps that an instance performs at once, each on a processor of its own."""
    cold_s: float
    most: int
    """Instances."""
    scaler: Scaler | None = None
    """None: there are always as many as there may be."""
    pool: LambdaPool | None = None
    """Instead of a scaler."""


@dataclass
class Day:
    """What came out."""

    ready_s: dict[str, float] = field(default_factory=dict)
    """By video: from its arrival until it was published."""
    history: list[tuple[float, int]] = field(default_factory=list)
    """(time, instances from then on)."""
    end_s: float = 0.0
    """When the last video was ready."""
    performed: int = 0
    """Steps."""
    work_s: float = 0.0
    """Of all steps together."""
    most_busy: int = 0
    """Steps at once in one instance."""
    cold_starts: int = 0


class Engine:
    """The adapter: it takes steps in their turns while it has slots, and begins the next stage when one is done."""

    def __init__(self, environment: simpy.Environment, fleet: Fleet, limit: int, pool: LambdaPool | None) -> None:
        """Prepare.

        Args:
            environment: the clock.
            fleet: performs steps.
            limit: steps that may be in flight.
            pool: of Lambda; None: somebody else scales the fleet.
        """
        self._environment, self._fleet, self._limit, self._pool = environment, fleet, limit, pool
        self._turns: TurnQueue[tuple[PlannedStep, simpy.Event]] = TurnQueue()
        self._in_flight = 0
        self.day = Day()

    def accept(self, planned: PlannedVideo) -> Generator[simpy.Event, Any, None]:
        """A job from its arrival to its end."""
        yield self._environment.timeout(planned.video.arrives_s)
        weights = [sum(step.weight for step in stage) for stage in planned.stages]
        left_s = weights[0]  # until it is planned, nobody knows
        for number, stage in enumerate(planned.stages):
            events = [self._environment.event() for _ in stage]
            entries = [((step, event), step.weight) for step, event in zip(stage, events, strict=True)]
            self._turns.enter(planned.video.name, choose_share(left_s), entries)
            self._take()
            yield self._environment.all_of(events)
            left_s = sum(weights[number + 1 :])
        self.day.ready_s[planned.video.name] = self._environment.now - planned.video.arrives_s
        self.day.end_s = self._environment.now

    def _take(self) -> None:
        while self._turns and self._in_flight < self._limit:
            _, (step, event) = self._turns.take()
            self._in_flight += 1
            self.day.work_s += step.duration_s
            event.callbacks.append(self._ended)
            self._fleet.submit(step.duration_s + OVERHEAD_S, event)
        self._invoke()

    def _invoke(self) -> None:
        """Lambda starts an environment for every step that finds none."""
        if self._pool is None:
            return
        starting = sum(not instance.ready for instance in self._fleet.instances)
        wanted = min(len(self._fleet.waiting) - starting, self._pool.most - len(self._fleet.instances))
        self._fleet.start(self._pool.room(self._environment.now, max(0, wanted)))

    def _ended(self, _: simpy.Event) -> None:
        self._in_flight -= 1
        self._take()

    def look_after_pool(self, pool: LambdaPool) -> Generator[simpy.Event, Any, None]:
        """Try again what was throttled, and let environments go that are not used."""
        while True:
            yield self._environment.timeout(pool.interval_s)
            self._invoke()
            now_s = self._environment.now
            idle = [one for one in self._fleet.instances if one.ready and not one.busy]
            self._fleet.stop(sum(now_s - one.idle_since_s >= pool.idle_s for one in idle))


def simulate(videos: Sequence[PlannedVideo], farm: Farm, day_s: float) -> Day:
    """Let a day pass, until the last video is ready and every instance that goes is gone.

    Args:
        videos: of the day.
        farm: what performs the steps.
        day_s: its least length.
    """
    environment = simpy.Environment()
    fleet = Fleet(environment, farm.slots, farm.cold_s)
    engine = Engine(environment, fleet, farm.most * farm.slots, farm.pool)
    jobs = [environment.process(engine.accept(video)) for video in videos]
    if farm.scaler is not None:
        environment.process(_scale(environment, fleet, farm.scaler))
    elif farm.pool is not None:
        environment.process(engine.look_after_pool(farm.pool))
    else:
        fleet.start(farm.most, warm=True)
    environment.run(until=environment.all_of(jobs) if jobs else day_s)
    environment.run(until=max(day_s, environment.now) + SETTLING_S)
    day = engine.day
    day.history, day.performed, day.most_busy = fleet.history, fleet.performed, fleet.most_busy
    day.cold_starts = sum(max(0, after - before) for (_, before), (_, after) in pairwise(day.history))
    return day


def _scale(environment: simpy.Environment, fleet: Fleet, scaler: Scaler) -> Generator[simpy.Event, Any, None]:
    while True:
        yield environment.timeout(scaler.interval_s)
        fleet.scale_to(scaler.decide(environment.now, fleet.in_flight, len(fleet.staying)))


def simulate_workers(videos: Sequence[tuple[Video, float]], workers: int) -> Day:
    """Pod's own way: a queue, and workers that encode one video at a time.

    Args:
        videos: in the order in which they come; each with the seconds that a worker needs.
        workers: how many.
    """
    day = Day()
    free_s = [0.0] * workers
    for video, duration_s in videos:
        first = min(range(workers), key=free_s.__getitem__)
        free_s[first] = max(free_s[first], video.arrives_s) + duration_s
        day.ready_s[video.name] = free_s[first] - video.arrives_s
        day.work_s += duration_s
        day.performed += 1
    day.end_s = max(free_s, default=0.0)
    day.history = [(0.0, workers)]
    return day
