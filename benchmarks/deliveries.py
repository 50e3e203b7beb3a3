"""The ways from the adapter to a function side by side: steps a second, and how long one takes."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

from benchmarks.adapter import TIMEOUT_S, WARM_UP, measure_latency, measure_throughput
from benchmarks.adapter_stack import running_stack
from benchmarks.measure import Target, console, judge, new_table
from local.transports import Transport

LEAST_STEPS_PER_S = {Transport.RQ: 200, Transport.LAMBDA: 100}


@dataclass(frozen=True)
class _Measured:
    steps_per_s: float
    cpu_ms: float
    """The adapter's, for a step."""
    entered_ms: list[float]
    """From when a step was ready until the function had it, idle."""
    whole_ms: list[float]
    """A whole step, one after another."""


def run(folder: Path, steps: int, concurrency: int, rounds: int) -> int:
    """Measure each way in turn, several times, and show the middle one of its rounds.

    Args:
        folder: where to work.
        steps: length of the plan whose steps are counted.
        concurrency: slots of the adapter; as many workers of RQ, and execution environments of Lambda.
        rounds: how often each is measured.
    """
    measured: dict[Transport, list[_Measured]] = {transport: [] for transport in Transport}
    for _ in range(rounds):
        for transport, results in measured.items():
            results.append(_measure(folder / "deliveries", transport, steps, concurrency))
    title = f"Steps that do nothing, {concurrency} at once"
    table = new_table(title, "delivery", "steps/s", "adapter's CPU", "ready → entered", "p95", "a whole step", "p95")
    middles = {transport: _middle(results) for transport, results in measured.items()}
    for transport, middle in middles.items():
        table.add_row(
            transport,
            f"{middle.steps_per_s:.0f}",
            f"{middle.cpu_ms:.2f} ms",
            *_shown(middle.entered_ms),
            *_shown(middle.whole_ms),
        )
    console.print(table)
    return judge([
        Target(f"at least {least} steps/s by {transport}", f"{reached:.0f}/s", reached >= least)
        for transport, least in LEAST_STEPS_PER_S.items()
        for reached in (middles[transport].steps_per_s,)
    ])  # fmt: skip


def _measure(work: Path, transport: Transport, steps: int, concurrency: int) -> _Measured:
    shutil.rmtree(work, ignore_errors=True)
    with running_stack(work, concurrency, transport=transport) as stack:
        stack.control(steps=50)
        stack.wait_done(stack.push(WARM_UP)[0], TIMEOUT_S)
        entered_ms, whole_ms = measure_latency(stack)
        steps_per_s, cpu_ms = measure_throughput(stack, steps)
    shutil.rmtree(work)
    return _Measured(steps_per_s, cpu_ms, entered_ms, whole_ms)


def _middle(results: list[_Measured]) -> _Measured:
    return sorted(results, key=lambda one: one.steps_per_s)[len(results) // 2]


def _shown(values_ms: list[float]) -> tuple[str, str]:
    """The median and the 95th percentile."""
    p95_ms = quantiles(values_ms, n=20, method="inclusive")[-1]
    return f"{median(values_ms):.1f} ms", f"{p95_ms:.1f} ms"
