"""What an hour of lecture uses and costs, from what its steps cost. Pure.

The steps are those that the real code plans for a video of that length (`planned_steps`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.price_list import (
    FREE_EPHEMERAL_MB,
    LEAST_MEMORY_MB,
    MB_OF_A_GB,
    MB_OF_A_VCPU,
    MOST_MEMORY_MB,
    PriceList,
)
from benchmarks.step_costs import ActionCost, StepUse, media_seconds
from podjobs.contract.plans import Stage

SPARE = 1.25
"""Memory and disk beyond what was measured: pictures differ."""
MEMORY_SIZES_MB = (1024, 1280, MB_OF_A_VCPU, 2 * MB_OF_A_VCPU, 3 * MB_OF_A_VCPU, 4 * MB_OF_A_VCPU, MOST_MEMORY_MB)
LONGEST_STEP_S = 900
"""Lambda stops a function after 15 minutes."""
SAME_PRICE = 1.05
"""Prices that differ by less count as the same."""
MB = 1 << 20


@dataclass(frozen=True)
class JobStep:
    """A step of a job, and what it uses."""

    stage: str
    name: str
    """Function and action."""
    media_s: float
    use: StepUse
    parallel: float

    def duration_s(self, memory_mb: int) -> float:
        """How long it takes in a function with so much memory, and so the processors that belong to it."""
        return self.use.duration_s(memory_mb / MB_OF_A_VCPU, self.parallel)


def job_steps(stages: Sequence[Stage], length_s: float, costs: Mapping[str, ActionCost]) -> list[JobStep]:
    """Put a price tag on every step of a plan.

    Args:
        stages: as planned. Steps of functions that were not measured, such as the notification, are left out.
        length_s: of the video.
        costs: by function and action.
    """
    steps = []
    for stage in stages:
        for spec in stage.steps:
            name = f"{spec.function}/{spec.action}"
            if name in costs:
                media_s = media_seconds(spec, length_s)
                steps.append(JobStep(stage.name, name, media_s, costs[name].use(media_s), costs[name].parallel))
    return steps


@dataclass(frozen=True)
class Size:
    """A function's memory, and what a job costs with it."""

    memory_mb: int
    seconds: float
    """Of all its steps together."""
    price: float
    """In US dollars, without requests."""
    ready_s: float
    """Of the job, if all steps of a stage run at once."""
    longest_s: float
    """Of a single step."""

    @property
    def gb_s(self) -> float:
        """Of all steps together."""
        return self.seconds * self.memory_mb / MB_OF_A_GB


def size_of(steps: Sequence[JobStep], memory_mb: int, ephemeral_mb: int, prices: PriceList) -> Size:
    """Compute what a job costs with a memory size."""
    durations_s = [step.duration_s(memory_mb) for step in steps]
    by_stage: dict[str, float] = {}
    for step, duration_s in zip(steps, durations_s, strict=True):
        by_stage[step.stage] = max(by_stage.get(step.stage, 0.0), duration_s)
    seconds = sum(durations_s)
    price = prices.functions.duration_price(memory_mb, seconds, ephemeral_mb)
    return Size(memory_mb, seconds, price, sum(by_stage.values()), max(durations_s))


def needed_memory_mb(steps: Sequence[JobStep]) -> int:
    """What the hungriest step needs, with some to spare."""
    return max(LEAST_MEMORY_MB, round(max(step.use.memory_bytes for step in steps) * SPARE / MB))


def needed_ephemeral_mb(steps: Sequence[JobStep]) -> int:
    """The disk that the step with the largest files needs, in whole halves of a GB."""
    needed_mb = max(step.use.scratch_bytes for step in steps) * SPARE / MB
    return FREE_EPHEMERAL_MB * max(1, -(-int(needed_mb) // FREE_EPHEMERAL_MB))


def choose_size(sizes: Sequence[Size], needed_mb: int) -> Size:
    """Choose the fastest of those that cost the same as the cheapest.

    Args:
        sizes: at least one has the memory that is needed.
        needed_mb: the memory that the steps need.
    """
    enough = [size for size in sizes if size.memory_mb >= needed_mb]
    cheapest = min(size.price for size in enough)
    return min((size for size in enough if size.price <= cheapest * SAME_PRICE), key=lambda size: size.ready_s)


def longest_video_s(cost: ActionCost, memory_mb: int) -> float:
    """The length of the video whose step of this kind takes as long as Lambda permits; infinite if none does."""
    growing_s = cost.per_media_s.duration_s(memory_mb / MB_OF_A_VCPU, cost.parallel)
    fixed_s = cost.fixed.duration_s(memory_mb / MB_OF_A_VCPU, cost.parallel)
    return (LONGEST_STEP_S - fixed_s) / growing_s if growing_s > 0 else float("inf")


def total(steps: Sequence[JobStep]) -> StepUse:
    """What all steps use; of memory and disk, the largest."""
    return StepUse(
        cpu_s=sum(step.use.cpu_s for step in steps),
        waits_s=sum(step.use.waits_s for step in steps),
        memory_bytes=max(step.use.memory_bytes for step in steps),
        scratch_bytes=max(step.use.scratch_bytes for step in steps),
        reads=sum(step.use.reads for step in steps),
        writes=sum(step.use.writes for step in steps),
        downloaded_bytes=sum(step.use.downloaded_bytes for step in steps),
        uploaded_bytes=sum(step.use.uploaded_bytes for step in steps),
    )
