"""The queues of the functions played forward as flows, where there are too many steps to play them one by one. Pure.

Each job with something to do for a function flows at its share of the function's slots: generalized processor sharing,
of which the turns are the discrete form. So there is one event for each stage of a job and function, however many steps
it has. What that neglects is bounded: no stage is done before all of its steps would be if they had the slots alone.
"""

import heapq
import math
from collections.abc import Sequence

from adapter.inspection.forecast.simulation import SHARES, Lane, Packets, SimulatedJob, choose_share

_DONE, _COMES = -1, -2
"""In place of a stream's number: a part is done; a job begins its next stage."""


class _Stream:
    """What flows through one function."""

    __slots__ = ("changed_at", "clock", "load", "parts", "slots", "version")

    def __init__(self, slots: int, now_s: float) -> None:
        self.slots = slots
        self.clock = 0.0
        """A job's share times what this has advanced is the weight that was done of it."""
        self.load = 0.0
        """Sum of the shares, each times the seconds for a weight of 1."""
        self.parts: list[tuple[float, int, float, float, SimulatedJob]] = []
        """Heap: when on the clock each part is done; its part of the load; when it can be done at the soonest."""
        self.changed_at = now_s
        self.version = 0

    def advance(self, at: float) -> None:
        """Let time pass."""
        if self.load > 0:
            self.clock += (at - self.changed_at) * self.slots / self.load
        self.changed_at = at

    def next_at(self) -> float:
        """When the next part is done."""
        return self.changed_at + max(0.0, self.parts[0][0] - self.clock) * self.load / self.slots


class FlowSimulation:
    """One course of events. As TurnSimulation."""

    def __init__(self, lanes: Sequence[Lane], now_s: float) -> None:
        """Begin at a time.

        Args:
            lanes: the functions, by their numbers.
            now_s: since the epoch.
        """
        self._streams = [_Stream(lane.free if lane.is_open else 0, now_s) for lane in lanes]
        self._now_s = now_s
        self._events: list[tuple[float, int, int, int, SimulatedJob | None]] = []
        """When, what came first, which stream, as of which of its versions, whose."""
        self._number = 0
        self.done_at: dict[str, float] = {}
        """When each job is done, since the epoch."""

    def add_waiting(self, job: SimulatedJob, lane: Lane, packets: Sequence[Packets], due: float) -> None:
        """A job waits for a function's turn already. Arguments as in TurnSimulation."""
        due_at = (due - lane.time) / SHARES - packets[0].weight / job.share
        self._flow(job, lane.number, packets, self._now_s, max(0.0, due_at))

    def add_begun(self, job: SimulatedJob, lane: Lane, left_s: float) -> None:  # noqa: ARG002 - as TurnSimulation
        """A step of a job runs, and takes so much longer."""
        job.open += 1
        self._add_event(self._now_s + left_s, _DONE, 0, job)

    def add_retry(self, job: SimulatedJob, lane: Lane, after_s: float, takes_s: float) -> None:
        """A step of a job waits for its next attempt."""
        if self._streams[lane.number].slots > 0:
            self.add_begun(job, lane, after_s + takes_s)
        else:
            job.open += 1

    def add_arrival(self, job: SimulatedJob, after_s: float) -> None:
        """A job comes, or one that has no stage now goes on."""
        self._add_event(self._now_s + after_s, _COMES, 0, job)

    def run(self, wanted: int, until: str = "") -> None:
        """Run until nothing more happens. Arguments as in TurnSimulation."""
        for number in range(len(self._streams)):
            self._schedule(number)
        while self._events:
            at, _, number, version, job = heapq.heappop(self._events)
            if number >= 0:
                if version == self._streams[number].version:
                    self._finish_part(number, at)
                continue
            if job is None:
                continue
            if number == _DONE:
                job.open -= 1
            if job.open == 0:
                self._advance(job, at)
                if len(self.done_at) >= wanted or (until and until in self.done_at):
                    return

    def _finish_part(self, number: int, at: float) -> None:
        """The part of a stream that is done first is done."""
        stream = self._streams[number]
        stream.advance(at)
        _, _, load, soonest_at, job = heapq.heappop(stream.parts)
        stream.load = max(0.0, stream.load - load) if stream.parts else 0.0
        self._schedule(number)
        self._add_event(max(at, soonest_at), _DONE, 0, job)

    def _advance(self, job: SimulatedJob, at: float) -> None:
        if job.stage == len(job.stages):
            if job.name:
                self.done_at[job.name] = at
            return
        stage = job.stages[job.stage]
        job.stage += 1
        job.share = choose_share(job.left)
        job.left -= stage.weight
        for number, packets in stage.packets:
            self._streams[number].advance(at)
            self._flow(job, number, packets, at, 0.0)
            self._schedule(number)

    def _flow(self, job: SimulatedJob, number: int, packets: Sequence[Packets], at: float, due: float) -> None:
        """A part of a job begins to flow; its turn comes when the clock has advanced by `due`."""
        stream = self._streams[number]
        job.open += 1
        weight = sum(one.weight * one.amount for one in packets)
        seconds = sum(one.seconds * one.amount for one in packets)
        longest_s = max(one.seconds for one in packets)
        alone_s = max(longest_s, seconds / stream.slots) if stream.slots > 0 else math.inf
        load = job.share * seconds / weight
        stream.load += load
        self._number += 1
        done = stream.clock + due + weight / job.share
        heapq.heappush(stream.parts, (done, self._number, load, at + alone_s, job))

    def _schedule(self, number: int) -> None:
        stream = self._streams[number]
        stream.version += 1
        if stream.parts and stream.slots > 0:
            self._add_event(stream.next_at(), number, stream.version, None)

    def _add_event(self, at: float, number: int, version: int, job: SimulatedJob | None) -> None:
        self._number += 1
        heapq.heappush(self._events, (at, self._number, number, version, job))
