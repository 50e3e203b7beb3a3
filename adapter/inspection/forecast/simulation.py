"""Plays the queues of the functions forward: which job's stages are done when. Pure.

Turns are as in adapter/steps/lua/turns.lua. Where there are too many steps for that, see flow.py.
"""

import heapq
import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

SHARES = 1_000_000
LEAST_LEFT = 60.0
ARRIVAL = 0.001
"""As in turns.lua."""

Draw = Callable[[], float]
"""What a step takes beside what is expected: around 1."""


class Packets(NamedTuple):
    """Packets of a stage that are alike."""

    amount: int
    weight: float
    """Of each."""
    seconds: float
    """That each is expected to take."""
    draw: Draw


class SimulatedStage(NamedTuple):
    """A stage. Jobs that are alike share it."""

    weight: float
    """Of all of its packets."""
    packets: Sequence[tuple[int, Sequence[Packets]]]
    """For each lane's number those that are done there, in their order."""

    @classmethod
    def of(cls, packets: Iterable[tuple[int, Packets]]) -> "SimulatedStage":
        """Put packets together, each with its lane's number."""
        lanes: dict[int, list[Packets]] = {}
        for number, one in packets:
            lanes.setdefault(number, []).append(one)
        weight = sum(one.weight * one.amount for own in lanes.values() for one in own)
        return cls(weight, tuple(lanes.items()))


@dataclass(slots=True, eq=False)
class SimulatedJob:
    """A job, from now on."""

    name: str
    """Empty: one that may come, of which nobody asks."""
    stages: Sequence[SimulatedStage]
    """Those to come."""
    share: int = 1
    left: float = 0.0
    """The weight that is to be done when its next stage begins."""
    open: int = 0
    """Packets of the current stage that are not done."""
    stage: int = 0
    """How many of the stages have begun."""
    ready: "dict[int, deque[list[Any]]]" = field(default_factory=dict)
    """By lane, the packets whose turn has not come: how many of them, and what they are."""

    def __post_init__(self) -> None:
        """Add up what is to be done."""
        self.left = sum(stage.weight for stage in self.stages)


@dataclass(slots=True, eq=False)
class Lane:
    """A function."""

    number: int
    free: int
    """Slots; below 0 while more is done than may begin."""
    is_open: bool = True
    """Whether anything begins."""
    time: float = 0.0
    """Of the queue's clock."""
    shares: int = 0
    queue: list[tuple[float, int, SimulatedJob]] = field(default_factory=list)
    """Heap of the jobs with ready packets, by when they are due."""
    returning: deque[tuple[float, SimulatedJob]] = field(default_factory=deque)
    """What waits for a slot although it had its turn: how long it takes, and its job."""


class TurnSimulation:
    """One course of events."""

    def __init__(self, lanes: Sequence[Lane], now_s: float) -> None:
        """Begin at a time.

        Args:
            lanes: the functions, by their numbers.
            now_s: since the epoch.
        """
        self._lanes = lanes
        self._now_s = now_s
        self._events: list[tuple[float, int, Lane | None, SimulatedJob, float]] = []
        """When, what came first, where, whose, and how long it takes from then on; below 0: it is done."""
        self._number = 0
        self._wanted = 0
        self.done_at: dict[str, float] = {}
        """When each job is done, since the epoch."""

    def add_waiting(self, job: SimulatedJob, lane: Lane, packets: Iterable[Packets], due: float) -> None:
        """A job waits for a function's turn already.

        Args:
            job: it.
            lane: the function.
            packets: its ready ones.
            due: when its next turn is, on the lane's clock.
        """
        ready = job.ready[lane.number] = deque([one.amount, one] for one in packets)
        job.open += sum(count for count, _ in ready)
        lane.shares += job.share
        self._number += 1
        heapq.heappush(lane.queue, (due, self._number, job))

    def add_begun(self, job: SimulatedJob, lane: Lane, left_s: float) -> None:
        """A step of a job runs, and takes so much longer."""
        job.open += 1
        lane.free -= 1
        self._add_event(self._now_s + left_s, lane, job, -1.0)

    def add_retry(self, job: SimulatedJob, lane: Lane, after_s: float, takes_s: float) -> None:
        """A step of a job waits for its next attempt."""
        job.open += 1
        self._add_event(self._now_s + after_s, lane, job, takes_s)

    def add_arrival(self, job: SimulatedJob, after_s: float) -> None:
        """A job comes, or one that has no stage now goes on."""
        self._add_event(self._now_s + after_s, None, job, 0.0)

    def run(self, wanted: int, until: str = "") -> None:
        """Run until nothing more happens.

        Args:
            wanted: how many jobs have names: it ends when all of them are done.
            until: or when this one is.
        """
        for one in self._lanes:
            self._fill(one, self._now_s)
        events, done_at = self._events, self.done_at
        while events:
            at, _, lane, job, takes_s = heapq.heappop(events)
            if lane is None:
                self._advance(job, at)
                continue
            if takes_s >= 0:
                lane.returning.append((takes_s, job))
                self._fill(lane, at)
                continue
            lane.free += 1
            job.open -= 1
            if job.open == 0:
                self._advance(job, at)
                if len(done_at) >= wanted or (until and until in done_at):
                    return
            self._fill(lane, at)

    def _add_event(self, at: float, lane: Lane | None, job: SimulatedJob, takes_s: float) -> None:
        self._number += 1
        heapq.heappush(self._events, (at, self._number, lane, job, takes_s))

    def _advance(self, job: SimulatedJob, at: float) -> None:
        if job.stage == len(job.stages):
            if job.name:
                self.done_at[job.name] = at
            return
        stage = job.stages[job.stage]
        job.stage += 1
        share = job.share = choose_share(job.left)
        job.left -= stage.weight
        job.ready = {}
        for number, packets in stage.packets:
            job.ready[number] = deque([one.amount, one] for one in packets)
            job.open += sum(one.amount for one in packets)
        for number, packets in stage.packets:
            lane = self._lanes[number]
            lane.shares += share
            lane.time += ARRIVAL
            self._number += 1
            heapq.heappush(lane.queue, (lane.time + packets[0].weight * SHARES / share, self._number, job))
            if lane.free > 0:
                self._fill(lane, at)

    def _fill(self, lane: Lane, at: float) -> None:
        """Let begin what there are slots for."""
        if not lane.is_open:
            return
        queue = lane.queue
        while lane.free > 0:
            if lane.returning:
                takes_s, job = lane.returning.popleft()
            elif queue:
                takes_s, job = self._take(lane)
            else:
                return
            lane.free -= 1
            self._number += 1
            heapq.heappush(self._events, (at + takes_s, self._number, lane, job, -1.0))

    @staticmethod
    def _take(lane: Lane) -> tuple[float, SimulatedJob]:
        """Take what is due first: how long it takes, and its job."""
        queue = lane.queue
        due, number, job = queue[0]
        ready = job.ready[lane.number]
        first = ready[0]
        packets: Packets = first[1]
        lane.time += packets.weight * SHARES / max(1, lane.shares)
        first[0] -= 1
        if not first[0]:
            ready.popleft()
        if ready:
            due = max(lane.time, due) + ready[0][1].weight * SHARES / job.share
            heapq.heapreplace(queue, (due, number, job))
        else:
            heapq.heappop(queue)
            lane.shares -= job.share
            if not queue:
                lane.time = 0.0
        return packets.seconds * packets.draw(), job


def choose_share(left: float) -> int:
    """A job's share, by the weight that is left to do of it."""
    return max(1, math.floor(SHARES / math.sqrt(max(LEAST_LEFT, left))))
