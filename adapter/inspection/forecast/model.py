"""What the simulation needs to know of the jobs that there are, and of those that may come. Pure."""

import functools
import json
import random
from collections.abc import Sequence
from typing import NamedTuple

from adapter.inspection.forecast.chances import Noise, expect_arrivals
from adapter.inspection.forecast.flow import FlowSimulation
from adapter.inspection.forecast.rates import pace_of
from adapter.inspection.forecast.simulation import Lane, Packets, SimulatedJob, SimulatedStage, TurnSimulation
from adapter.inspection.forecast.snapshot import FunctionQueue, LiveJob, Snapshot, StepInStream
from adapter.steps.outline import StageOutline, StepGroup, read_outline, write_outline
from podjobs.contract.job_states import JobState
from podjobs.contract.workflows import FETCH, FETCH_STAGE, NOTIFICATION, WORKFLOWS

STEPS = 30_000
"""More than these are not played one by one: each takes some five millionths of a second."""
PACES = 20
"""Paces of jobs are told apart by a twentieth."""
UNKNOWN_WORK = 60.0
"""Weight of a job that is not planned, as long as no plan of its type was seen."""
HOLD_S = (1.0, 60.0)
"""A step on hold is delivered again after as long as it has been so already, between these."""


class Model:
    """Builds one course of events after another."""

    def __init__(self, snapshot: Snapshot) -> None:
        """Read a snapshot."""
        self._snapshot = snapshot
        self._names = {name: number for number, name in enumerate(snapshot.functions)}
        self._steps: dict[str, list[StepInStream]] = {}
        for queue in snapshot.functions.values():
            for step in queue.steps:
                self._steps.setdefault(step.job_id, []).append(step)
        self._dues = {(name, job): due for name, queue in snapshot.functions.items() for job, due in queue.turns}
        self.steps = sum(_step_count(snapshot, job) for job in snapshot.jobs.values())
        """How many steps there are, roughly."""

    def simulation(self, seed: int) -> TurnSimulation | FlowSimulation:
        """One course of events, ready to run."""
        snapshot = self._snapshot
        kind = TurnSimulation if self.steps <= STEPS else FlowSimulation
        course = _Course(snapshot, self._names, kind, random.Random(seed))  # noqa: S311 - nothing secret
        for job in snapshot.jobs.values():
            dues = {name: self._dues[name, job.id] for name in job.ready if (name, job.id) in self._dues}
            course.add(job, self._steps.get(job.id, ()), dues)
        course.add_arrivals()
        return course.simulation


def _step_count(snapshot: Snapshot, job: LiveJob) -> int:
    """How many steps are left of a job, roughly."""
    count = sum(job.ready.values()) + 1
    if job.outline:
        to_come = read_outline(job.outline)
        return count + sum(group.count for stage in to_come[len(to_come) - job.stages_left :] for group in stage.groups)
    plans = snapshot.plans.get(job.type)
    if not plans:
        return count + 1
    return count + sum(group.count for stage in read_outline(plans[len(plans) // 2]) for group in stage.groups)


class _ToCome(NamedTuple):
    """The stages of an outline from a position on."""

    outline: str
    """As text."""
    position: int = 0


_NOTHING = _ToCome("[]")


class _Course:
    """One course of events."""

    def __init__(
        self,
        snapshot: Snapshot,
        numbers: dict[str, int],
        kind: type[TurnSimulation] | type[FlowSimulation],
        chance: random.Random,
    ) -> None:
        self._snapshot = snapshot
        self._numbers = numbers
        self._chance = chance
        self._noises: dict[tuple[str, str], Noise] = {}
        self._stages: dict[tuple[_ToCome, float], Sequence[SimulatedStage]] = {}
        self._lanes = [
            Lane(number, queue.slots, queue.pause is None and queue.slots > 0 and queue.workers != 0, queue.time)
            for number, queue in enumerate(snapshot.functions.values())
        ]
        self.simulation = kind(self._lanes, snapshot.now_s)

    def add(self, job: LiveJob, steps: Sequence[StepInStream], dues: dict[str, float]) -> None:
        """Add a job that there is.

        Args:
            job: it.
            steps: those whose turn has come.
            dues: when it is due, in the queues of functions.
        """
        pace = round(pace_of(job.took_s, job.expected_s, job.attempts) * PACES) / PACES
        stage, to_come = self._stages_of(job)
        simulated = SimulatedJob(job.id, self._simulated(to_come, pace), job.share)
        for name, count in job.ready.items():
            groups = stage.last_of(name, count) if stage else []
            known = sum(group.count for group in groups)
            if known < count:
                groups = [*groups, StepGroup(name, "", count - known, count - known)]
            lane = self._lanes[self._numbers[name]]
            packets = [self._packets(group, pace) for group in groups]
            self.simulation.add_waiting(simulated, lane, packets, dues.get(name, lane.time))
        for step in steps:
            self._add_step(simulated, step, pace)
        if simulated.open == 0:  # between two changes
            self.simulation.add_arrival(simulated, 0.0)

    def add_arrivals(self) -> None:
        """Add jobs that may come."""
        snapshot = self._snapshot
        for after_s, job_type in expect_arrivals(snapshot.arrivals, snapshot.now_s, self._chance):
            if job_type not in WORKFLOWS:
                continue
            (plan,) = _first_stage(job_type).groups
            first = SimulatedStage.of([(self._numbers[plan.function], self._packets(plan, 1.0))])
            job = SimulatedJob("", [first, *self._simulated(self._typical(job_type), 1.0)])
            self.simulation.add_arrival(job, after_s)

    def _stages_of(self, job: LiveJob) -> tuple[StageOutline | None, "_ToCome"]:
        """The current stage of a job, and those to come."""
        if job.type not in WORKFLOWS:
            return None, _NOTHING
        if job.state in {JobState.QUEUED, JobState.RUNNING}:
            outline = read_outline(job.outline) if job.outline else ()
            position = len(outline) - job.stages_left - 1
            if position >= 0 and outline[position].name == job.stage:
                return outline[position], _ToCome(job.outline, position + 1)
            if job.stage == FETCH:
                return read_outline(_FETCHING)[0], _behind_fetch(job.type, self._typical(job.type).outline)
            return _first_stage(job.type), self._typical(job.type)
        if job.state != JobState.FAILING or not job.stages_left:
            return None, _NOTHING
        text = _failure_stages(job.type)
        stages = read_outline(text)
        return stages[-1 - job.stages_left], _ToCome(text, len(stages) - job.stages_left)

    def _typical(self, job_type: str) -> "_ToCome":
        """What a job of a type may be planned as: as one of the newest."""
        plans = self._snapshot.plans.get(job_type)
        return _ToCome(self._chance.choice(plans) if plans else _unknown_plan(job_type))

    def _simulated(self, to_come: "_ToCome", pace: float) -> Sequence[SimulatedStage]:
        """Stages to come of a job of that pace; jobs that are alike share them."""
        found = self._stages.get((to_come, pace))
        if found is None:
            stages = read_outline(to_come.outline)[to_come.position :]
            known = [[group for group in stage.groups if group.function in self._numbers] for stage in stages]
            found = self._stages[to_come, pace] = [
                SimulatedStage.of((self._numbers[group.function], self._packets(group, pace)) for group in groups)
                for groups in known
                if groups
            ]
        return found

    def _packets(self, group: StepGroup, pace: float) -> Packets:
        weight = group.weight / group.count
        seconds = weight * self._snapshot.rates.of(group.function, group.action).seconds * pace
        return Packets(group.count, weight, seconds, self._noise(group.function, group.action).draw)

    def _add_step(self, job: SimulatedJob, step: StepInStream, pace: float) -> None:
        lane = self._lanes[self._numbers[step.function]]
        expected_s = step.weight * self._snapshot.rates.of(step.function, step.action).seconds * pace
        noise = self._noise(step.function, step.action)
        if step.is_waiting:
            queue = self._snapshot.functions[step.function]
            self.simulation.add_retry(job, lane, next_attempt_s(step, queue), expected_s * noise.draw())
        elif step.since_s is None:
            hold_s = min(HOLD_S[1], max(HOLD_S[0], step.idle_s)) if step.is_on_hold else 0.0
            self.simulation.add_begun(job, lane, hold_s + expected_s * noise.draw())
        else:
            run_s = max(0.0, self._snapshot.now_s - step.since_s)
            self.simulation.add_begun(job, lane, noise.left_s(expected_s, run_s, self._chance))

    def _noise(self, function: str, action: str) -> Noise:
        found = self._noises.get((function, action))
        if found is None:
            spread = self._snapshot.rates.of(function, action).spread
            found = self._noises[function, action] = Noise(spread, self._chance)
        return found


def next_attempt_s(step: StepInStream, queue: FunctionQueue) -> float:
    """Seconds until the next attempt of a step that nobody works on."""
    base_s, factor, cap_s = queue.retries
    if step.owner != "waiting" or step.attempts < 1:
        return 0.0
    wait_s = min(cap_s, base_s * factor ** min(step.attempts - 1, 64))
    return max(0.0, wait_s - step.idle_s)


@functools.cache
def _first_stage(job_type: str) -> StageOutline:
    return read_outline(write_outline([WORKFLOWS[job_type].first_stage]))[0]


_FETCHING = write_outline([FETCH_STAGE])


def _behind_fetch(job_type: str, typical: str) -> _ToCome:
    """What comes once a job's files are fetched: it is planned, and then as others of its type."""
    first = json.loads(write_outline([WORKFLOWS[job_type].first_stage]))
    return _ToCome(json.dumps([*first, *json.loads(typical)], separators=(",", ":")))


@functools.cache
def _failure_stages(job_type: str) -> str:
    return write_outline(WORKFLOWS[job_type].failure_stages)


@functools.cache
def _unknown_plan(job_type: str) -> str:
    work = ["work", [[WORKFLOWS[job_type].function.name, "", 1, UNKNOWN_WORK]]]
    return json.dumps([work, ["notify", [[NOTIFICATION.name, job_type, 1, 1.0]]]])
