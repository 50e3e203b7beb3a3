"""The tables of `cost`."""

import math
from collections.abc import Mapping, Sequence

from benchmarks.lambda_steps import Network, Seen
from benchmarks.lecture_cost import (
    MEMORY_SIZES_MB,
    JobStep,
    Size,
    choose_size,
    job_steps,
    longest_video_s,
    needed_ephemeral_mb,
    needed_memory_mb,
    size_of,
    total,
)
from benchmarks.measure import console, new_table
from benchmarks.planned_steps import encoding_stages, transcription_stages
from benchmarks.price_list import MB_OF_A_VCPU, PriceList
from benchmarks.step_costs import ActionCost, StepUse
from benchmarks.storage_price import GB

HOUR_S = 3600.0
LARGEST_S = 2 * HOUR_S
"""The length that the disk of functions is chosen for."""
WORK_KEPT_H = 1.0
"""How long work files are assumed to be there."""
FARGATE_GB_OF_A_VCPU = 2
"""The least memory that a task with one vCPU may have."""
MB = 1 << 20


def print_seen(seen: Sequence[Seen]) -> None:
    """Every step that was measured."""
    table = new_table(
        "Measured", "step", "media s", "vCPU", "wall s", "CPU s", "busy", "memory, MiB", "disk, MB", "reads", "writes",
        "MB down", "MB up",
    )  # fmt: skip
    for step in seen:
        use = step.sample(Network(0.0, math.inf)).use
        table.add_row(
            step.name, f"{step.media_s:.0f}", f"{step.vcpus:g}", f"{step.step.cost.wall_s:.1f}", f"{use.cpu_s:.1f}",
            f"{step.busy:.2f}", f"{use.memory_bytes / MB:.0f}", f"{use.scratch_bytes / 1e6:.1f}", f"{use.reads:.0f}",
            f"{use.writes:.0f}", f"{use.downloaded_bytes / 1e6:.1f}", f"{use.uploaded_bytes / 1e6:.1f}",
        )  # fmt: skip
    console.print(table)


def print_actions(costs: Mapping[str, ActionCost]) -> None:
    """What follows for each kind of step."""
    table = new_table(
        "A step with one vCPU", "step", "CPU s, fixed", "CPU s per media s", "waits, s per hour", "memory, MiB",
        "disk, 2 h, MB", "processors", "900 s at 1,769 MB: hours",
    )  # fmt: skip
    for name, cost in costs.items():
        limit_h = longest_video_s(cost, MB_OF_A_VCPU) / 3600
        is_divided = name in {"encoding/chunk", "transcription/transcribe"}
        table.add_row(
            name, f"{cost.fixed.cpu_s:.2f}", f"{cost.per_media_s.cpu_s:.4f}", f"{cost.use(HOUR_S).waits_s:.1f}",
            f"{cost.fixed.memory_bytes / MB:.0f}",
            "" if is_divided else f"{cost.use(LARGEST_S).scratch_bytes / 1e6:.0f}",
            f"{cost.parallel:.2f}", "" if is_divided or math.isinf(limit_h) else f"{limit_h:.1f}",
        )  # fmt: skip
    console.print(table)


def report_hour(costs: Mapping[str, ActionCost], prices: PriceList, invocations: int) -> tuple[float, float]:
    """An hour of lecture: memory sizes, prices, and the same elsewhere.

    Args:
        costs: of steps.
        prices: of everything.
        invocations: for the encoding job, as the adapter was seen to send them.

    Returns:
        When it is encoded, with all steps of a stage at once, and how long the longest step takes; in seconds.
    """
    plans = {"encoding": encoding_stages, "transcription": transcription_stages}
    hour = {name: job_steps(plan(HOUR_S), HOUR_S, costs) for name, plan in plans.items()}
    largest = {name: job_steps(plan(LARGEST_S), LARGEST_S, costs) for name, plan in plans.items()}
    chosen = {name: _choose(name, hour[name], largest[name], prices) for name in plans}
    _print_bill(hour, chosen, prices, {"encoding": invocations, "transcription": len(hour["transcription"]) + 1})
    _print_elsewhere(hour, chosen, prices)
    return chosen["encoding"].ready_s, max(size.longest_s for size in chosen.values())


def _choose(name: str, hour: Sequence[JobStep], largest: Sequence[JobStep], prices: PriceList) -> Size:
    """Print what every memory size costs, and choose one."""
    needed_mb, ephemeral_mb = needed_memory_mb(largest), needed_ephemeral_mb(largest)
    sizes = [size_of(hour, memory_mb, ephemeral_mb, prices) for memory_mb in MEMORY_SIZES_MB]
    chosen = choose_size(sizes, needed_mb)
    columns = ("MemorySize", "vCPU", "longest step, s", "GB-s", "$", "ready, s", "")
    table = new_table(f"{name}: an hour, EphemeralStorage {ephemeral_mb}", *columns)
    for size in sizes:
        remark = "chosen" if size == chosen else "" if size.memory_mb >= needed_mb else f"needs {needed_mb} MB"
        table.add_row(
            f"{size.memory_mb}", f"{size.memory_mb / MB_OF_A_VCPU:.2f}", f"{size.longest_s:.0f}", f"{size.gb_s:,.0f}",
            f"{size.price:.4f}", f"{size.ready_s:.0f}", remark,
        )  # fmt: skip
    console.print(table)
    return size_of(hour, chosen.memory_mb, ephemeral_mb, prices)


def _print_bill(
    hour: Mapping[str, Sequence[JobStep]], chosen: Mapping[str, Size], prices: PriceList, invocations: Mapping[str, int]
) -> None:
    """What an hour costs on Lambda, item by item."""
    table = new_table("An hour of lecture on Lambda", "what", "encoding", "$", "transcription", "$")
    uses = {name: total(steps) for name, steps in hour.items()}
    rows = [
        ("GB-seconds", {n: f"{chosen[n].gb_s:,.0f}" for n in hour}, {n: chosen[n].price for n in hour}),
        ("on Arm, if as fast", {n: f"{chosen[n].gb_s:,.0f}" for n in hour},
         {n: chosen[n].gb_s * prices.functions.gb_s_arm for n in hour}),
        ("invocations", {n: str(invocations[n]) for n in hour},
         {n: invocations[n] * prices.functions.request for n in hour}),
        ("S3: requests", {n: f"{uses[n].writes + uses[n].reads:,.0f}" for n in hour},
         {n: prices.objects.requests_price(uses[n].writes, uses[n].reads) for n in hour}),
        ("S3: what was written, for an hour", {n: f"{uses[n].uploaded_bytes / GB:.2f} GB" for n in hour},
         {n: prices.objects.kept_price(uses[n].uploaded_bytes, WORK_KEPT_H) for n in hour}),
        ("or EFS: read and written", {n: _traffic(uses[n]) for n in hour},
         {n: prices.files.transfer_price(uses[n].downloaded_bytes, uses[n].uploaded_bytes) for n in hour}),
    ]  # fmt: skip
    for what, amounts, dollars in rows:
        table.add_row(what, *(cell for name in hour for cell in (amounts[name], f"{dollars[name]:.5f}")))
    console.print(table)


def _traffic(use: StepUse) -> str:
    return f"{(use.downloaded_bytes + use.uploaded_bytes) / GB:.2f} GB"


def _print_elsewhere(hour: Mapping[str, Sequence[JobStep]], chosen: Mapping[str, Size], prices: PriceList) -> None:
    """The same job elsewhere: computing only."""
    table = new_table("The same elsewhere, computing only", "where", "encoding, $", "transcription, $")
    cpu_s = {name: total(steps).cpu_s for name, steps in hour.items()}
    fargate = prices.fargate.hour_price(1, FARGATE_GB_OF_A_VCPU)
    rows = {
        "Lambda": {name: chosen[name].price for name in hour},
        "Fargate, tasks with 1 vCPU that always work": {name: cpu_s[name] / 3600 * fargate for name in hour},
        f"EC2 that works {prices.ec2.utilisation:.0%} of its time": {
            name: prices.ec2.work_price(cpu_s[name]) for name in hour
        },
        f"a server of one's own that works {prices.server.utilisation:.0%} of its time": {
            name: prices.server.work_price(cpu_s[name]) for name in hour
        },
    }
    for where, dollars in rows.items():
        table.add_row(where, *(f"{price:.4f}" for price in dollars.values()))
    console.print(table)
    whole = {n: cpu_s[n] / 3600 for n in hour}
    console.print(f"Processor hours: {', '.join(f'{name} {hours:.2f}' for name, hours in whole.items())}.")
    fixed = prices.redis.month_price(0)
    console.print(f"Whatever is encoded, the smallest Redis costs $ {fixed:.2f} a month.")
