"""Many steps in flight from one adapter: how long until all are in the function, and what memory they take."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.adapter import TIMEOUT_S, WARM_UP, measure_throughput
from benchmarks.adapter_stack import QUEUE, Stack, running_stack
from benchmarks.measure import Target, console, judge, new_table
from local.transports import Transport
from podjobs.contract.plans import Plan, Stage, StepSpec
from support.processes import wait_for

TRANSPORTS = (Transport.HTTP, Transport.LAMBDA)
LEAST_STEPS_PER_S = 100
MOST_STEP_MIB = 0.25
"""Of the adapter's memory, for a step in flight."""
HELD = 100
"""The video whose steps are held."""
SETTLE_S = 1.0


@dataclass(frozen=True)
class _Measured:
    filled_s: float
    """From when the plan was there until the function had all of its steps."""
    idle_mib: float
    held_mib: float
    """Memory of the adapter without a step in flight, and with all of them."""
    steps_per_s: float
    """Of steps that do nothing, as many at once."""
    cpu_ms: float
    """The adapter's, for one of those."""


def run(folder: Path, in_flight: int, steps: int, takes_s: float) -> int:
    """Measure HTTP and Lambda in turn.

    Args:
        folder: where to work.
        in_flight: slots of the adapter.
        steps: that do nothing, and are counted.
        takes_s: how long each of those takes that are held in flight.
    """
    measured = {one: _measure(folder / "in-flight", one, (in_flight, steps), takes_s) for one in TRANSPORTS}
    title = f"{in_flight} steps in flight"
    table = new_table(title, "delivery", "all in the function", "memory, idle", "in flight", "steps/s", "adapter's CPU")
    for transport, one in measured.items():
        memory = (f"{one.idle_mib:.0f} MiB", f"{one.held_mib:.0f} MiB")
        table.add_row(transport, f"{one.filled_s:.1f} s", *memory, f"{one.steps_per_s:.0f}", f"{one.cpu_ms:.2f} ms")
    console.print(table)
    over = measured[Transport.LAMBDA]
    step_mib = (over.held_mib - over.idle_mib) / in_flight
    return judge(
        [
            Target(
                f"at least {LEAST_STEPS_PER_S} steps/s by lambda",
                f"{over.steps_per_s:.0f}/s",
                over.steps_per_s >= LEAST_STEPS_PER_S,
            ),
            Target(
                f"{in_flight} in flight by lambda within {takes_s:g} s",
                f"{over.filled_s:.1f} s",
                over.filled_s < takes_s,
            ),
            Target(
                f"at most {MOST_STEP_MIB} MiB for a step in flight by lambda",
                f"{step_mib:.3f} MiB",
                step_mib <= MOST_STEP_MIB,
            ),
        ]
    )


def _measure(work: Path, transport: Transport, amounts: tuple[int, int], takes_s: float) -> _Measured:
    in_flight, steps = amounts
    shutil.rmtree(work, ignore_errors=True)
    with running_stack(work, in_flight, transport=transport, emulated=False) as stack:
        stack.control(steps=50)
        stack.wait_done(stack.push(WARM_UP)[0], TIMEOUT_S)
        time.sleep(SETTLE_S)
        idle_mib = stack.adapter.rss_mib()
        filled_s, held_mib = _hold(stack, in_flight, takes_s)
        steps_per_s, cpu_ms = measure_throughput(stack, steps)
    shutil.rmtree(work)
    return _Measured(filled_s, idle_mib, held_mib, steps_per_s, cpu_ms)


def _hold(stack: Stack, in_flight: int, takes_s: float) -> tuple[float, float]:
    """Run a job all of whose steps are in the function at the same time.

    Returns:
        Seconds until they were; the adapter's memory then, MiB.

    Raises:
        TimeoutError: the first steps had ended before the last one came in.
    """
    specs = tuple(
        StepSpec(id=f"chunk-{number:05d}", function=QUEUE, action="chunk", params={"takes_s": takes_s})
        for number in range(in_flight)
    )
    stack.set_plan(HELD, Plan(stages=(Stage(name="encode", steps=specs),)))
    (job_id,) = stack.push(HELD)

    def entered() -> list[float]:
        return [at_s for name, at_s in stack.entered().items() if name.startswith(f"{job_id}/")]

    wait_for(lambda: len(entered()) > in_flight, takes_s)
    planned_s, *_, last_s = sorted(entered())
    held_mib = stack.adapter.rss_mib()
    stack.wait_done(job_id, TIMEOUT_S)
    return last_s - planned_s, held_mib
