"""Numbers of every metric, made up; and the numbers in a text that was written."""

from collections.abc import Callable
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from adapter.counts import MESSAGES, REDIS_ERRORS, STATEMENTS
from adapter.steps.entries import ClaimedStep
from adapter.steps.history import AttemptOutcome
from adapter.steps.observer import AttemptEnd, JobEnd
from adapter.telemetry.exposition import Standing
from adapter.telemetry.observed import Observed
from adapter.telemetry.snapshot import FunctionNumbers, Snapshot
from podjobs.contract.plans import StepSpec
from podjobs.contract.usage import Usage
from support.jobs import encoding_job

STANDING = Standing(lag_s=0.001, slots={"encoding": 8}, closed={"encoding": False}, breaker_open=False)


def snapshot_of_everything() -> Snapshot:
    """A reading of Redis in which nothing is missing."""
    return Snapshot(
        jobs={("encoding", "running"): 2, ("encoding", "waiting"): 3},
        functions={"encoding": FunctionNumbers(waiting=3, running=2, held=1, oldest_turn_s=5.5, oldest_step_s=7)},
        totals={
            "done:encoding": 7, "failed:encoding": 1, "attempts:encoding": 50, "retries:encoding": 4,
            "media_s:encoding": 12.5, "source_bytes:encoding": 1000,
        },
        paused={"encoding": True},
        messages={"encoding": 4},
        statements=9,
        oldest_statement_s=1.5,
        dead={"job": 4},
        adapters={"running": 1},
        took_s=0.01,
    )  # fmt: skip


def observed_everything() -> Observed:
    """What an adapter has seen that has done one step of one job; it has counted one of everything else, too."""
    observed = Observed()
    step = ClaimedStep("encoding", "1-0", "job-1", StepSpec(id="chunk-1", function="encoding", action="chunk"), 1)
    used = Usage(cpu_s=1, memory_bytes=1, read_bytes=1, written_bytes=1)
    observed.attempt_ended(AttemptEnd(step, AttemptOutcome.DONE, 2.0, used))
    observed.job_ended(JobEnd(encoding_job(), "done", 30.0))
    MESSAGES.add("encoding", "stored")
    REDIS_ERRORS.add("door")
    STATEMENTS.add("accepted")
    return observed


class Samples:
    """The samples in a text."""

    def __init__(self, text: str, read: Callable[[str], Any] = text_string_to_metric_families) -> None:
        """Read them."""
        self.found = {
            (one.name, frozenset(one.labels.items())): one.value for family in read(text) for one in family.samples
        }

    def get(self, name: str, **labels: str) -> float | None:
        """The value of one, by its name and all of its labels; None: there is none."""
        return self.found.get((name, frozenset(labels.items())))

    @property
    def names(self) -> frozenset[str]:
        """The names of all."""
        return frozenset(name for name, _ in self.found)
