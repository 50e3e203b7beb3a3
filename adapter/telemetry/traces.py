"""Spans for OpenTelemetry: one for each job, from its arrival to its end, and one in it for each attempt of a step.

    (whoever requested it) ─▶ job ─▶ attempt ─▶ the function's own: step, commands (podjobs/tracing.py)

The ids of a job's trace and span follow from its own (podjobs/contract/traces.py), so whichever adapter sees its end
writes its span, and the attempts of all adapters are in it. Spans are written when they end; the library sends them in
a thread of its own, and drops them if nobody takes them.

Configured as OpenTelemetry's libraries are: OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS, OTEL_SERVICE_NAME,
OTEL_TRACES_SAMPLER, …. Loads its library: imported only then.

Source: OpenTelemetry, «Environment Variable Specification», «Trace Semantic Conventions».
"""

import asyncio
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from typing_extensions import override

from adapter.steps.entries import ClaimedStep
from adapter.steps.history import AttemptOutcome
from adapter.steps.observer import AttemptEnd, JobEnd, StepObserver
from podjobs.contract.job_states import JobState
from podjobs.contract.redaction import redact
from podjobs.contract.steps import Step
from podjobs.contract.traces import TraceContext, job_context
from podjobs.tracing import open_provider

NS = 1_000_000_000
MOST_JOBS = 10_000
"""Of which is remembered what belongs to their spans."""
REASON_CHARS = 500
FLUSH_MS = 2000
"""How long the last spans may take to be sent when the adapter stops."""
_UNDONE = {AttemptOutcome.RETRIED, AttemptOutcome.FAILED}
_LOST = {JobState.FAILED, JobState.CANCELLED}
_ENDED = frozenset({JobState.DONE, JobState.FAILED, JobState.SUPERSEDED, JobState.CANCELLED})


class GivenIds(IdGenerator):
    """Gives the next span the ids that it is to have."""

    def __init__(self) -> None:
        """Begin with random ones."""
        self.next: TraceContext | None = None
        self._random = RandomIdGenerator()

    @override
    def generate_trace_id(self) -> int:
        return int(self.next.trace_id, 16) if self.next else self._random.generate_trace_id()

    @override
    def generate_span_id(self) -> int:
        return int(self.next.span_id, 16) if self.next else self._random.generate_span_id()


@dataclass(frozen=True, slots=True)
class _Begun:
    """An attempt that runs."""

    own: TraceContext
    at_ns: int


@dataclass(frozen=True, slots=True)
class _KnownJob:
    """What belongs to the span of a job."""

    requested_in: str
    accepted_at: float


class Traces:
    """Writes the spans of what one adapter does; a StepObserver."""

    def __init__(self, provider: TracerProvider, ids: GivenIds) -> None:
        """Create it.

        Args:
            provider: takes the spans.
            ids: its generator of ids.
        """
        self._tracer = provider.get_tracer("podjobs.adapter")
        self._ids = ids
        self._begun: dict[str, _Begun] = {}
        self._jobs: dict[str, _KnownJob] = {}

    def attempt_began(self, step: ClaimedStep, request: Step) -> None:
        """See StepObserver."""
        own = TraceContext.read(request.traceparent)
        if own is not None:
            self._begun[step.entry_id] = _Begun(own, time.time_ns())
        self._jobs.pop(step.job_id, None)  # so that the latest are last
        self._jobs[step.job_id] = _KnownJob(request.requested_in, request.accepted_at)
        if len(self._jobs) > MOST_JOBS:
            del self._jobs[next(iter(self._jobs))]

    def attempt_ended(self, end: AttemptEnd) -> None:
        """See StepObserver."""
        begun = self._begun.pop(end.step.entry_id, None)
        if begun is None:
            return
        spec = end.step.spec
        known = self._jobs.get(end.step.job_id)
        span = self._start(
            f"{end.step.function} {spec.action}",
            begun.own,
            job_context(end.step.job_id, known.requested_in if known else ""),
            begun.at_ns,
            {
                "podjobs.job.id": end.step.job_id,
                "podjobs.step.id": spec.id,
                "podjobs.function": end.step.function,
                "podjobs.action": spec.action,
                "podjobs.attempt": end.step.attempt,
                "podjobs.outcome": end.outcome.value,
                **({"podjobs.cpu_s": end.usage.cpu_s} if end.usage else {}),
            },
            SpanKind.CLIENT,
        )
        if end.problem is not None and end.outcome in _UNDONE:
            span.set_status(Status(StatusCode.ERROR, _said(end.problem.detail)))
        span.end(begun.at_ns + int(end.ran_s * NS))

    def job_ended(self, end: JobEnd) -> None:
        """See StepObserver. A job that is failing has yet to report that: its span ends with it."""
        if end.state not in _ENDED:
            return
        now_ns = time.time_ns()
        known = self._jobs.pop(end.job.id, None)
        age_s = end.age_s or (max(0.0, now_ns / NS - known.accepted_at) if known else 0.0)
        requested_in = known.requested_in if known else ""
        attributes = {"podjobs.job.id": end.job.id, "podjobs.job.type": end.job.type, "podjobs.job.state": end.state}
        span = self._start(
            f"job {end.job.type}",
            job_context(end.job.id, requested_in),
            TraceContext.read(requested_in),
            now_ns - int(age_s * NS),
            attributes,
            SpanKind.CONSUMER,
        )
        if end.state in _LOST:
            span.set_status(Status(StatusCode.ERROR, _said(end.problem.detail) if end.problem else None))
        span.end(now_ns)

    def _start(  # noqa: PLR0913, PLR0917 - what a span is made of
        self,
        name: str,
        own: TraceContext,
        parent: TraceContext | None,
        at_ns: int,
        attributes: Mapping[str, str | int | float],
        kind: SpanKind,
    ) -> Span:
        """Start a span with its own ids."""
        above = trace.set_span_in_context(NonRecordingSpan(_span_context(parent))) if parent else None
        self._ids.next = own
        try:
            return self._tracer.start_span(name, above or Context(), kind, attributes, start_time=at_ns)
        finally:
            self._ids.next = None


def _span_context(parent: TraceContext) -> SpanContext:
    flags = TraceFlags(TraceFlags.SAMPLED if parent.is_sampled else TraceFlags.DEFAULT)
    return SpanContext(int(parent.trace_id, 16), int(parent.span_id, 16), is_remote=True, trace_flags=flags)


def _said(detail: str) -> str:
    return redact(detail)[:REASON_CHARS]


def open_traces(resources: AsyncExitStack) -> "list[StepObserver]":
    """Begin to write spans; what is left of them is sent when the resources are closed.

    Returns:
        Who writes them; nobody if the packages that send them are missing.
    """
    ids = GivenIds()
    provider = open_provider("adapter", ids)
    if provider is None:
        return []
    resources.push_async_callback(asyncio.to_thread, provider.force_flush, FLUSH_MS)
    return [Traces(provider, ids)]
