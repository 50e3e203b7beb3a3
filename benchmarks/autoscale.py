"""A day of a university, simulated on the measured costs of steps: instances over time, times to ready, prices.

What is real: the steps (planned by the real code), their order (turn_queue.py, held against the Lua script), and what
they cost (`cost`). What is modelled: the scalers, by their published rules, and the chance that draws the day.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

from benchmarks.autoscale_picture import Curve, draw
from benchmarks.cost import COSTS_FILE
from benchmarks.instances import instance_hours
from benchmarks.lecture_cost import JobStep, job_steps, total
from benchmarks.measure import Target, console, judge, new_table
from benchmarks.planned_steps import encoding_stages
from benchmarks.price_list import MB_OF_A_VCPU, PriceList
from benchmarks.scalers import Keda, Knative, LambdaPool
from benchmarks.simulation import Day, Farm, PlannedStep, PlannedVideo, simulate, simulate_workers
from benchmarks.step_costs import DEFAULT_COSTS, ActionCost, read_costs
from benchmarks.university_day import CLASSES, DAY_S, Video, make_day

SLOTS = 2
"""Steps of an instance on Kubernetes, each with a processor of its own; as in knative/."""
POD_CPU_FACTOR = 2.35
"""Pod's commands use so many times our processor seconds: `encode`, docs/benchmarks.md."""
POD_BUSY = 181.1 / 98.0 / 2
"""The share of two processors that they keep busy, from the same table; assumed for any number."""
MEMORY_GB_OF_A_SLOT = 2
FUNCTION = "encoding"


@dataclass(frozen=True)
class Wishes:
    """What is simulated."""

    videos: int
    seed: int
    servers: int
    """Of the fixed farm."""
    cores: int
    """Of each of them."""
    most: int
    """Slots of each of the others, at most."""
    cold_s: float
    """From the decision for an instance to its first step, with Kubernetes."""
    lambda_cold_s: float
    """Likewise, with Lambda."""


@dataclass(frozen=True)
class Outcome:
    """A way, and what came out."""

    name: str
    day: Day
    slots: int
    """Of an instance."""
    hours: float
    """Of processors, that are paid for."""
    price: float
    """Of the day, in US dollars."""

    def curve(self) -> Curve:
        """Its slots over time."""
        return Curve(self.name, [(time_s, count * self.slots) for time_s, count in self.day.history])


def run(folder: Path, wishes: Wishes, prices: PriceList, picture: Path | None) -> int:
    """Simulate the day with every way to have instances.

    Args:
        folder: of what was measured; without a file there, the figures that come with the project are taken.
        wishes: what is simulated.
        prices: of processors.
        picture: a PNG that is written; None: none is.
    """
    measured = folder / COSTS_FILE
    costs, about = read_costs(measured if measured.exists() else DEFAULT_COSTS)
    console.print(f"Step costs: {about}.")
    videos = make_day(wishes.videos, wishes.seed)
    outcomes = simulate_all(videos, wishes, costs, prices)
    _print_day(videos, outcomes, costs)
    _print_ready(videos, outcomes)
    if picture is not None:
        draw([outcome.curve() for outcome in outcomes[:-1]], picture)  # Pod's workers have the same farm
    by_name = {outcome.name: outcome for outcome in outcomes}
    slower, fixed = by_name["Knative"], by_name["the farm, pod-functions"]
    p95 = {outcome.name: percentile(list(outcome.day.ready_s.values()), 95) for outcome in (slower, fixed)}
    hours = {outcome.name: outcome.hours for outcome in (slower, fixed)}
    return judge(
        [
            Target(
                "Knative: 95 % of the videos are ready sooner than on the fixed farm",
                " and ".join(f"{seconds / 60:.1f} min" for seconds in p95.values()),
                holds=p95[slower.name] < p95[fixed.name],
            ),
            Target(
                "with fewer processor hours",
                " and ".join(f"{value:,.0f}" for value in hours.values()),
                holds=hours[slower.name] < hours[fixed.name],
            ),
        ]
    )


def simulate_all(
    videos: Sequence[Video], wishes: Wishes, costs: Mapping[str, ActionCost], prices: PriceList
) -> list[Outcome]:
    """Every way, on the same videos.

    Args:
        videos: of the day.
        wishes: what is simulated.
        costs: of steps.
        prices: of processors.
    """
    planned = [plan_video(video, costs) for video in videos]
    most = wishes.most // SLOTS
    farms = [
        Farm("Knative", SLOTS, wishes.cold_s, most, scaler=Knative(most, target=0.7 * SLOTS)),
        Farm("KEDA", SLOTS, wishes.cold_s, most, scaler=Keda(most, target=float(SLOTS))),
        Farm("Lambda", 1, wishes.lambda_cold_s, wishes.most, pool=LambdaPool(wishes.most)),
        Farm("the farm, pod-functions", wishes.cores, 0.0, wishes.servers),
    ]
    outcomes = [_run_farm(planned, farm, prices) for farm in farms]
    cpu_s = [(video, total(_steps(video, costs)).cpu_s) for video in videos]
    lasting = [(video, seconds * POD_CPU_FACTOR / (wishes.cores * POD_BUSY)) for video, seconds in cpu_s]
    day = simulate_workers(lasting, wishes.servers)
    hours = wishes.cores * _hours(day)
    return [*outcomes, Outcome("the farm, Pod's workers", day, wishes.cores, hours, hours * prices.server.vcpu_h)]


def _run_farm(planned: Sequence[PlannedVideo], farm: Farm, prices: PriceList) -> Outcome:
    day = simulate(planned, farm, DAY_S)
    if farm.pool is not None:
        billed_s = day.work_s + day.cold_starts * farm.cold_s
        price = prices.functions.duration_price(MB_OF_A_VCPU, billed_s) + day.performed * prices.functions.request
        return Outcome(farm.name, day, farm.slots, billed_s / 3600, price)
    hours = farm.slots * _hours(day)
    hour_price = prices.fargate.hour_price(1, MEMORY_GB_OF_A_SLOT) if farm.scaler else prices.server.vcpu_h
    return Outcome(farm.name, day, farm.slots, hours, hours * hour_price)


def _steps(video: Video, costs: Mapping[str, ActionCost]) -> list[JobStep]:
    return job_steps(encoding_stages(video.length_s), video.length_s, costs)


def plan_video(video: Video, costs: Mapping[str, ActionCost]) -> PlannedVideo:
    """The steps of a video's job, with their weights and their durations on a processor of their own.

    Args:
        video: its length counts.
        costs: of steps; others, such as the notification, are left out.
    """
    stages = []
    for stage in encoding_stages(video.length_s):
        specs = [spec for spec in stage.steps if f"{spec.function}/{spec.action}" in costs]
        priced = job_steps([stage], video.length_s, costs)
        steps = [
            PlannedStep(spec.weight, step.duration_s(MB_OF_A_VCPU)) for spec, step in zip(specs, priced, strict=True)
        ]
        if steps:
            stages.append(tuple(steps))
    return PlannedVideo(video, tuple(stages))


def percentile(values: Sequence[float], percent: int) -> float:
    """Of values; NaN if there are none."""
    if len(values) < 2:  # noqa: PLR2004 - quantiles need two
        return values[0] if values else math.nan
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def _hours(day: Day) -> float:
    """Of instances, until the day is over and the last video ready."""
    until_s = max(DAY_S, day.end_s)
    return instance_hours([one for one in day.history if one[0] <= until_s], until_s)


def _print_day(videos: Sequence[Video], outcomes: Sequence[Outcome], costs: Mapping[str, ActionCost]) -> None:
    hours = sum(video.length_s for video in videos) / 3600
    work_h = sum(total(_steps(video, costs)).cpu_s for video in videos) / 3600
    table = new_table(
        f"{len(videos)} videos, {hours:,.0f} hours, {work_h:,.0f} processor hours of work", "", "most processors",
        "processor hours", "used", "cold starts", "p50, min", "p95, min", "max, min", "$ a day",
    )  # fmt: skip
    for outcome in outcomes:
        ready = list(outcome.day.ready_s.values())
        table.add_row(
            outcome.name, f"{outcome.slots * max(count for _, count in outcome.day.history)}",
            f"{outcome.hours:,.0f}", f"{_used(outcome):.0%}", f"{outcome.day.cold_starts:,}",
            *(f"{value / 60:.1f}" for value in (median(ready), percentile(ready, 95), max(ready))),
            f"{outcome.price:.2f}",
        )  # fmt: skip
    console.print(table)


def _used(outcome: Outcome) -> float:
    """The share of its processor hours in which it worked; Pod's worker takes a whole server."""
    slots = outcome.slots if outcome.name.endswith("Pod's workers") else 1
    return outcome.day.work_s * slots / 3600 / outcome.hours


def _print_ready(videos: Sequence[Video], outcomes: Sequence[Outcome]) -> None:
    for _, name in CLASSES:
        found = [video.name for video in videos if video.length_class == name]
        table = new_table(f"Time to ready, {len(found)} videos {name}", "", "p50, min", "p95, min", "max, min")
        for outcome in outcomes:
            ready = [outcome.day.ready_s[one] for one in found]
            if ready:
                cells = (median(ready), percentile(ready, 95), max(ready))
                table.add_row(outcome.name, *(f"{value / 60:.1f}" for value in cells))
        console.print(table)
