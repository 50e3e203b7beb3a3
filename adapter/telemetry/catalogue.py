"""All metrics: name, kind, labels and meaning. Pure. The page, the dashboard and the alert rules name the same.

Some are the same whichever adapter tells them, for they are read from Redis: take the maximum over the adapters. Others
are of one adapter alone: add them up. Each says which it is, and `/metrics` says it, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What can be done with a metric."""

    GAUGE = "gauge"
    COUNTER = "counter"
    """It only grows, or begins anew at 0; its name ends in `_total`."""
    HISTOGRAM = "histogram"
    """Samples `_bucket`, `_sum` and `_count`."""


class Scope(StrEnum):
    """Whose number it is."""

    ALL = "all adapters"
    """The same whichever adapter tells it: `max by (…)`."""
    ONE = "one adapter"
    """Of the adapter that tells it: `sum by (…)`."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric."""

    name: str
    """As in a query; of a histogram without the endings."""
    kind: Kind
    scope: Scope
    meaning: str
    labels: tuple[str, ...] = ()

    @property
    def help(self) -> str:
        """What `/metrics` says about it."""
        remark = {
            Scope.ALL: "The same from every adapter: take the maximum.",
            Scope.ONE: "Of this adapter: add up over the adapters.",
        }
        return f"{self.meaning} {remark[self.scope]}"

    @property
    def samples(self) -> tuple[str, ...]:
        """The names in queries."""
        endings = ("_bucket", "_sum", "_count") if self.kind is Kind.HISTOGRAM else ("",)
        return tuple(self.name + ending for ending in endings)


def _all(name: str, kind: Kind, meaning: str, *labels: str) -> Metric:
    return Metric(f"podjobs_{name}", kind, Scope.ALL, meaning, labels)


def _one(name: str, kind: Kind, meaning: str, *labels: str) -> Metric:
    return Metric(f"podjobs_{name}", kind, Scope.ONE, meaning, labels)


_G, _C, _H = Kind.GAUGE, Kind.COUNTER, Kind.HISTOGRAM

JOBS_LIVE = _all("jobs_live", _G, "Jobs that have not ended; `running`: with steps that run now.", "type", "state")
JOBS = _all("jobs_total", _C, "Jobs that have ended, by how; counted in Redis.", "type", "state")
JOB_DURATION = _one("job_duration_seconds", _H, "From a job's arrival to its end.", "type", "state")
MEDIA = _all("media_seconds_total", _C, "Length of what done jobs have made, in Redis.", "type")
SOURCES = _all("source_bytes_total", _C, "Size of what done jobs have read as their sources, in Redis.", "type")

STEPS_WAITING = _all("steps_waiting", _G, "Steps that wait for their turn.", "function")
STEPS_RUNNING = _all("steps_running", _G, "Steps that run now.", "function")
STEPS_HELD = _all("steps_held", _G, "Steps that are on hold or between two attempts.", "function")
OLDEST_TURN = _all("oldest_turn_age_seconds", _G, "How long a job has waited at most for its next turn.", "function")
OLDEST_STEP = _all("oldest_step_age_seconds", _G, "How long ago the first step was taken that is not done.", "function")
ATTEMPTS = _all("attempts_total", _C, "Attempts of steps that have ended, counted in Redis.", "function")
RETRIES = _all("retries_total", _C, "Attempts of them that failed, counted in Redis.", "function")
ATTEMPT_DURATION = _one(
    "attempt_duration_seconds",
    _H,
    "How long attempts took, by how they ended.",
    "function",
    "action",
    "outcome",
)
PAUSED = _all("paused", _G, "1: an operator has paused the function.", "function")

CPU = _one("cpu_seconds_total", _C, "Processor time that steps have used, as far as functions say.", "function")
MEMORY = _one("memory_byte_seconds_total", _C, "Memory of steps times duration; 1e9: a GB-second.", "function")
READ = _one("read_bytes_total", _C, "Bytes that steps have read, as far as functions say.", "function")
WRITTEN = _one("written_bytes_total", _C, "Bytes that steps have written, as far as functions say.", "function")

MESSAGES_WAITING = _all("messages_waiting", _G, "Messages on Pod's queue.", "queue")
QUEUE_CLOSED = _one("queue_closed", _G, "1: messages stay on Pod's queue, for want of room or an obstacle.", "queue")
MESSAGES = _one("door_messages_total", _C, "Messages that were stored, refused, or left to Pod.", "queue", "outcome")

STATEMENTS_WAITING = _all("statements_waiting", _G, "xAPI statements that the LRS does not have yet.")
OLDEST_STATEMENT = _all("oldest_statement_age_seconds", _G, "How long an xAPI statement has waited at most.")
STATEMENTS = _one("statements_total", _C, "xAPI statements that the LRS accepted or refused.", "outcome")
BREAKER_OPEN = _one("statements_breaker_open", _G, "1: the latest delivery of statements failed.")

DEAD = _all("dead_letters", _G, "What waits for an operator; `older`: not among the 1,000 newest.", "kind")
ADAPTERS = _all("adapters", _G, "Adapters by state; `silent`: not heard of for two leases.", "state")
INFO = _one("adapter_info", _G, "1; the label says which version runs.", "version")
SLOTS = _one("slots", _G, "How many steps or batches are delivered at once at most.", "function")
REDIS_UP = _one("redis_up", _G, "1: Redis has answered; 0: metrics that are read from it are missing.")
REDIS_READ = _one("redis_reading_seconds", _G, "How long the latest reading of Redis for these metrics took.")
REDIS_ERRORS = _one("redis_errors_total", _C, "Commands that Redis did not accept, by the part that gave them.", "part")
LAG = _one("event_loop_lag_seconds", _G, "How long a task of the adapter waited for its turn, when this was asked.")
PROCESS_CPU = Metric("process_cpu_seconds_total", _C, Scope.ONE, "Processor time of the adapter's process.")
PROCESS_MEMORY = Metric("process_resident_memory_bytes", _G, Scope.ONE, "Memory of the adapter's process.")

METRICS: tuple[Metric, ...] = tuple(value for value in globals().values() if isinstance(value, Metric))
"""All of them, in this order."""


def metrics_table(metrics: Sequence[Metric] = METRICS) -> str:
    """The table of the metrics, in Markdown."""
    rows = ["| metric | kind | of | meaning |", "|---|---|---|---|"]
    for one in metrics:
        labels = f"{{{', '.join(one.labels)}}}" if one.labels else ""
        rows.append(f"| `{one.name}{labels}` | {one.kind} | {one.scope} | {one.meaning} |")
    return "\n".join(rows) + "\n"
