"""Writes the metrics as Prometheus reads them. Loads its library: imported when somebody asks for the first time."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

import podjobs
from adapter.about import AdapterState
from adapter.counts import MESSAGES, OUTCOMES, PARTS, REDIS_ERRORS, STATEMENTS
from adapter.telemetry import catalogue
from adapter.telemetry.catalogue import Kind
from adapter.telemetry.observed import Distribution, Observed
from adapter.telemetry.snapshot import SILENT, Snapshot
from podjobs.contract.job_states import JobState
from podjobs.contract.workflows import WORKFLOWS

Labelled = Mapping[tuple[str, ...], float]
_NO_DEAD = dict.fromkeys(("job", "message", "statement"), 0)
_NO_ADAPTERS: dict[str, int] = dict.fromkeys((*map(str, AdapterState), SILENT), 0)
"""What there is nothing of is 0, not missing: rules can then tell that it began."""
_FAMILIES = {Kind.GAUGE: GaugeMetricFamily, Kind.COUNTER: CounterMetricFamily}
_ENDINGS = (JobState.DONE, JobState.FAILED, JobState.CANCELLED, JobState.SUPERSEDED)
_PROCESS = {catalogue.PROCESS_CPU.name, catalogue.PROCESS_MEMORY.name}


@dataclass(frozen=True, slots=True)
class Standing:
    """What this adapter says of itself at one moment."""

    lag_s: float
    slots: Mapping[str, int] = field(default_factory=dict)
    """Function → how many steps or batches at once."""
    closed: Mapping[str, bool] = field(default_factory=dict)
    """Queue → whether messages stay on it."""
    breaker_open: bool | None = None
    """None: no statements are delivered."""


def write_metrics(snapshot: Snapshot | None, observed: Observed, standing: Standing, accept: str) -> tuple[bytes, str]:
    """Write all metrics.

    Args:
        snapshot: what is in Redis; None: it does not answer.
        observed: what this adapter has seen.
        standing: what it says of itself.
        accept: the header Accept of whoever asks: text, or OpenMetrics.

    Returns:
        The text, and its content type.
    """
    registry = CollectorRegistry()
    registry.register(_Collected(snapshot, observed, standing))
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class _Collected(Collector):
    """The metrics, in the form that the library writes."""

    def __init__(self, snapshot: Snapshot | None, observed: Observed, standing: Standing) -> None:
        self._snapshot = snapshot
        self._observed = observed
        self._standing = standing

    def collect(self) -> Iterator[Metric]:
        if self._snapshot is not None:
            yield from _of_redis(self._snapshot)
        yield from _of_adapter(self._observed, self._standing, self._snapshot)
        yield from (one for one in ProcessCollector(registry=None).collect() if _name(one) in _PROCESS)


def _name(family: Metric) -> str:
    """A family's name in queries: the library leaves out the ending of counters."""
    return f"{family.name}_total" if family.type == "counter" else family.name


def _of_redis(found: Snapshot) -> Iterator[Metric]:
    yield _family(catalogue.JOBS_LIVE, found.jobs)
    no_jobs: Labelled = dict.fromkeys(itertools.product(WORKFLOWS, map(str, _ENDINGS)), 0)
    ended: Labelled = {(type_, str(state)): number for state in _ENDINGS for type_, number in _totals(found, state)}
    yield _family(catalogue.JOBS, {**no_jobs, **ended})
    yield _family(catalogue.MEDIA, {(type_,): number for type_, number in _totals(found, "media_s")})
    yield _family(catalogue.SOURCES, {(type_,): number for type_, number in _totals(found, "source_bytes")})
    functions = found.functions
    yield _family(catalogue.STEPS_WAITING, {(name,): one.waiting for name, one in functions.items()})
    yield _family(catalogue.STEPS_RUNNING, {(name,): one.running for name, one in functions.items()})
    yield _family(catalogue.STEPS_HELD, {(name,): one.held for name, one in functions.items()})
    yield _family(catalogue.OLDEST_TURN, {(name,): one.oldest_turn_s for name, one in functions.items()})
    yield _family(catalogue.OLDEST_STEP, {(name,): one.oldest_step_s for name, one in functions.items()})
    yield _family(catalogue.ATTEMPTS, {(name,): found.totals.get(f"attempts:{name}", 0) for name in functions})
    yield _family(catalogue.RETRIES, {(name,): found.totals.get(f"retries:{name}", 0) for name in functions})
    yield _family(catalogue.PAUSED, _by_name(found.paused))
    yield _family(catalogue.MESSAGES_WAITING, _by_name(found.messages))
    yield _family(catalogue.STATEMENTS_WAITING, {(): found.statements})
    yield _family(catalogue.OLDEST_STATEMENT, {(): found.oldest_statement_s})
    yield _family(catalogue.DEAD, _by_name(_NO_DEAD | found.dead))
    yield _family(catalogue.ADAPTERS, _by_name(_NO_ADAPTERS | found.adapters))
    yield _family(catalogue.REDIS_READ, {(): found.took_s})


def _of_adapter(observed: Observed, standing: Standing, snapshot: Snapshot | None) -> Iterator[Metric]:
    yield _histogram(catalogue.JOB_DURATION, observed.jobs.found)
    yield _histogram(catalogue.ATTEMPT_DURATION, observed.attempts.found)
    yield _family(catalogue.CPU, observed.cpu_s.numbers)
    yield _family(catalogue.MEMORY, observed.memory_byte_s.numbers)
    yield _family(catalogue.READ, observed.read_bytes.numbers)
    yield _family(catalogue.WRITTEN, observed.written_bytes.numbers)
    yield _family(catalogue.QUEUE_CLOSED, _by_name(standing.closed))
    no_messages = dict.fromkeys(itertools.product(standing.closed, OUTCOMES), 0)
    yield _family(catalogue.MESSAGES, no_messages | dict(MESSAGES.numbers))
    if standing.breaker_open is not None:
        yield _family(catalogue.STATEMENTS, {("accepted",): 0, ("refused",): 0, **STATEMENTS.numbers})
        yield _family(catalogue.BREAKER_OPEN, {(): standing.breaker_open})
    yield _family(catalogue.INFO, {(podjobs.__version__,): 1})
    yield _family(catalogue.SLOTS, _by_name(standing.slots))
    yield _family(catalogue.REDIS_UP, {(): snapshot is not None})
    yield _family(catalogue.REDIS_ERRORS, _by_name(dict.fromkeys(PARTS, 0)) | dict(REDIS_ERRORS.numbers))
    yield _family(catalogue.LAG, {(): standing.lag_s})


def _by_name(numbers: Mapping[str, float]) -> dict[tuple[str, ...], float]:
    return {(name,): number for name, number in numbers.items()}


def _totals(found: Snapshot, beginning: str) -> Iterable[tuple[str, float]]:
    """The totals whose name begins so, by the rest of it."""
    for name, number in found.totals.items():
        what, _, rest = name.partition(":")
        if what == beginning:
            yield rest, number


def _family(about: catalogue.Metric, numbers: Labelled) -> Metric:
    family: GaugeMetricFamily | CounterMetricFamily = _FAMILIES[about.kind](about.name, about.help, labels=about.labels)
    for labels, number in sorted(numbers.items()):
        family.add_metric(labels, float(number))
    return family


def _histogram(about: catalogue.Metric, found: Mapping[tuple[str, ...], Distribution]) -> Metric:
    family = HistogramMetricFamily(about.name, about.help, labels=about.labels)
    for labels, one in sorted(found.items()):
        buckets, total = [], 0
        for bound, count in zip((*map(str, map(float, one.bounds_s)), "+Inf"), one.counts, strict=True):
            total += count
            buckets.append((bound, float(total)))
        family.add_metric(labels, buckets, one.sum_s)
    return family
