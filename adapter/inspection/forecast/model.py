"""What the simulation needs to know of the jobs that there are, and of those that may come. Pure."""

import random
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from adapter.inspection.forecast.chances import Noise, expect_arrivals
from adapter.inspection.forecast.rates import pace_of
from adapter.inspection.forecast.simulation import Lane, Packets, SimulatedJob, TurnSimulation
from adapter.inspection.forecast.snapshot import FunctionQueue, LiveJob, Snapshot, StepInStream
from adapter.steps.outline import Outline, StageOutline, StepGroup, outline_stage, read_outline
from podjobs.contract.job_states import JobState
from podjobs.contract.plans import Stage
from podjobs.contract.workflows import NOTIFICATION, WORKFLOWS

PACKETS = 40_000
"""That are simulated at most, roughly: some four of them take a hundredth of a millisecond."""
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
        self.packets = sum(_step_count(snapshot, job) for job in snapshot.jobs.values())
        """How many steps there are, roughly."""
        self._grain = max(1.0, self.packets / PACKETS)

    def simulation(self, seed: int) -> TurnSimulation:
        """One course of events, ready to run."""
        snapshot = self._snapshot
        course = _Course(snapshot, self._names, self._grain, random.Random(seed))  # noqa: S311 - nothing secret
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


class _Course:
    """One course of events."""

    def __init__(self, snapshot: Snapshot, numbers: dict[str, int], grain: float, chance: random.Random) -> None:
        self._snapshot = snapshot
        self._numbers = numbers
        self._grain = grain
        self._chance = chance
        self._noises: dict[tuple[str, str], Noise] = {}
        self._lanes = [
            Lane(number, queue.slots, queue.pause is None and queue.slots > 0 and queue.workers != 0, queue.time)
            for number, queue in enumerate(snapshot.functions.values())
        ]
        self.simulation = TurnSimulation(self._lanes, snapshot.now_s)

    def add(self, job: LiveJob, steps: Sequence[StepInStream], dues: dict[str, float]) -> None:
        """Add a job that there is.

        Args:
            job: it.
            steps: those whose turn has come.
            dues: when it is due, in the queues of functions.
        """
        pace = pace_of(job.took_s, job.expected_s, job.attempts)
        stage, to_come = self._stages_of(job)
        left = sum(one.weight for one in to_come)
        simulated = SimulatedJob(job.id, left, deque(self._packets_of(one.groups, pace) for one in to_come), job.share)
        for name, count in job.ready.items():
            groups = stage.last_of(name, count) if stage else []
            known = sum(group.count for group in groups)
            if known < count:
                groups = [*groups, StepGroup(name, "", count - known, count - known)]
            lane = self._lanes[self._numbers[name]]
            due = dues.get(name, lane.time)
            self.simulation.add_waiting(simulated, lane, self._packets_of(groups, pace), due)
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
            stages = (_outline_of(WORKFLOWS[job_type].first_stage), *self._typical(job_type))
            # the share of a job that comes is that of its first step
            job = SimulatedJob("", 1.0, deque(self._packets_of(stage.groups, 1.0) for stage in stages))
            job.stages.rotate(0)
            self.simulation.add_arrival(job, after_s)

    def _stages_of(self, job: LiveJob) -> tuple[StageOutline | None, Sequence[StageOutline]]:
        """The current stage of a job, and those to come."""
        workflow = WORKFLOWS.get(job.type)
        if workflow is None:
            return None, ()
        if job.state in {JobState.QUEUED, JobState.RUNNING}:
            outline = read_outline(job.outline) if job.outline else ()
            position = len(outline) - job.stages_left - 1
            if position >= 0 and outline[position].name == job.stage:
                return outline[position], outline[position + 1 :]
            first = _outline_of(workflow.first_stage)
            return first, self._typical(job.type)
        stages = [_outline_of(stage) for stage in workflow.failure_stages]
        if job.state != JobState.FAILING or not job.stages_left:
            return None, ()
        return stages[-1 - job.stages_left], stages[len(stages) - job.stages_left :]

    def _typical(self, job_type: str) -> Outline:
        """What a job of a type may be planned as: as one of the newest."""
        plans = self._snapshot.plans.get(job_type)
        if plans:
            return read_outline(self._chance.choice(plans))
        function = WORKFLOWS[job_type].function.name
        work = StageOutline("", (StepGroup(function, "", 1, UNKNOWN_WORK),))
        return (work, StageOutline("", (StepGroup(NOTIFICATION.name, job_type, 1, 1.0),)))

    def _packets_of(self, groups: Iterable[StepGroup], pace: float) -> list[Packets]:
        return list(self._packets(groups, pace))

    def _packets(self, groups: Iterable[StepGroup], pace: float) -> Iterator[Packets]:
        for group in groups:
            if group.function not in self._numbers:
                continue
            count = max(1, round(group.count / self._grain))
            weight = group.weight / count
            seconds = weight * self._snapshot.rates.of(group.function, group.action).seconds * pace
            lane = self._lanes[self._numbers[group.function]]
            yield Packets(lane, count, weight, seconds, self._noise(group.function, group.action).draw)

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


def _outline_of(stage: Stage) -> StageOutline:
    name, groups = outline_stage(stage)
    return StageOutline(str(name), tuple(StepGroup(*group) for group in groups))  # type: ignore[attr-defined]
