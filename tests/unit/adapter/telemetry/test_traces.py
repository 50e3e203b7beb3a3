"""The spans of jobs and attempts, as an exporter gets them."""

import time

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from adapter.steps.entries import ClaimedStep
from adapter.steps.history import AttemptOutcome
from adapter.steps.observer import AttemptEnd, JobEnd
from adapter.telemetry import traces
from adapter.telemetry.traces import GivenIds, Traces
from podjobs.contract.errors import Problem
from podjobs.contract.plans import StepSpec
from podjobs.contract.steps import Step
from podjobs.contract.traces import TraceContext, job_context
from podjobs.contract.usage import Usage
from support.jobs import encoding_job

POD = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
PROBLEM = Problem(title="Down.", status=502, detail="https://user:secret@host/x does not answer.")
JOB = encoding_job("job-1")
OWN = job_context("job-1")


class Writer:
    """An adapter's traces, and what was exported."""

    def __init__(self):
        self.exporter = InMemorySpanExporter()
        ids = GivenIds()
        provider = TracerProvider(id_generator=ids)
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.traces = Traces(provider, ids)

    def attempt(self, outcome=AttemptOutcome.DONE, problem=None, given="", entry_id="1-0", accepted_at=0.0):
        """Returns what was sent to the function."""
        spec = StepSpec(id="chunk-1", function="encoding", action="chunk")
        claimed = ClaimedStep("encoding", entry_id, "job-1", spec, 2)
        request = Step(
            job=JOB, step_id="chunk-1", function="encoding", action="chunk", accepted_at=accepted_at,
            requested_in=given, traceparent=job_context("job-1", given).child().traceparent,
        )  # fmt: skip
        self.traces.attempt_began(claimed, request)
        self.traces.attempt_ended(AttemptEnd(claimed, outcome, 2.0, Usage(cpu_s=1.5), problem))
        return TraceContext.read(request.traceparent)

    @property
    def spans(self):
        return self.exporter.get_finished_spans()


@pytest.fixture
def writer():
    return Writer()


def ids(span):
    return (
        f"{span.context.trace_id:032x}",
        f"{span.context.span_id:016x}",
        span.parent and f"{span.parent.span_id:016x}",
    )


def took_s(span):
    return (span.end_time - span.start_time) / 1e9


def test_attempt_is_a_span_of_the_job_with_the_id_that_its_function_was_told(writer):
    sent = writer.attempt()
    (span,) = writer.spans
    assert ids(span) == (OWN.trace_id, sent.span_id, OWN.span_id)
    assert (span.name, took_s(span)) == ("encoding chunk", pytest.approx(2))
    assert dict(span.attributes) == {
        "podjobs.job.id": "job-1", "podjobs.step.id": "chunk-1", "podjobs.function": "encoding",
        "podjobs.action": "chunk", "podjobs.attempt": 2, "podjobs.outcome": "done", "podjobs.cpu_s": 1.5,
    }  # fmt: skip
    assert span.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (AttemptOutcome.RETRIED, StatusCode.ERROR),
        (AttemptOutcome.FAILED, StatusCode.ERROR),
        (AttemptOutcome.BUSY, StatusCode.UNSET),
        (AttemptOutcome.DROPPED, StatusCode.UNSET),
    ],
)
def test_attempt_that_failed_says_why_without_secrets(writer, outcome, status):
    writer.attempt(outcome, PROBLEM)
    (span,) = writer.spans
    assert span.status.status_code is status
    assert "secret" not in (span.status.description or "")
    assert ("does not answer" in (span.status.description or "")) == (status is StatusCode.ERROR)


def test_job_is_the_root_of_its_trace_and_lasts_from_its_arrival(writer):
    writer.attempt()
    writer.traces.job_ended(JobEnd(JOB, "done", 30.0))
    *_, span = writer.spans
    assert ids(span) == (OWN.trace_id, OWN.span_id, None)
    assert (span.name, took_s(span)) == ("job encoding", pytest.approx(30))
    assert dict(span.attributes) == {
        "podjobs.job.id": "job-1", "podjobs.job.type": "encoding", "podjobs.job.state": "done"
    }  # fmt: skip


def test_job_that_another_adapter_ends_has_the_same_span(writer):
    # an adapter that was started anew knows nothing of the job
    writer.traces.job_ended(JobEnd(JOB, "done", 30.0))
    (span,) = writer.spans
    assert ids(span) == (OWN.trace_id, OWN.span_id, None)


def test_job_is_a_part_of_the_trace_in_which_it_was_requested(writer):
    sent = writer.attempt(given=POD)
    writer.traces.job_ended(JobEnd(JOB, "done", 30.0))
    attempt, job = writer.spans
    pod = TraceContext.read(POD)
    assert ids(job) == (pod.trace_id, OWN.span_id, pod.span_id)
    assert ids(attempt) == (pod.trace_id, sent.span_id, OWN.span_id)


def test_nothing_is_recorded_of_a_trace_that_is_not_sampled(writer):
    writer.attempt(given=POD[:-2] + "00")
    writer.traces.job_ended(JobEnd(JOB, "done", 30.0))
    assert writer.spans == ()


def test_job_that_fails_has_one_span_when_it_has_reported_that(writer):
    now_s = time.time()
    writer.attempt(AttemptOutcome.FAILED, PROBLEM, accepted_at=now_s - 60)
    writer.traces.job_ended(JobEnd(JOB, "failing", 0.0, PROBLEM))
    assert [span.name for span in writer.spans] == ["encoding chunk"]
    writer.traces.job_ended(JobEnd(JOB, "failed", 0.0, PROBLEM))
    *_, span = writer.spans
    assert span.status.status_code is StatusCode.ERROR
    assert "secret" not in span.status.description
    assert took_s(span) == pytest.approx(60, abs=5)


def test_attempts_that_ran_at_once_are_not_mixed_up(writer):
    first = writer.attempt(entry_id="1-0")
    second = writer.attempt(entry_id="2-0")
    assert [ids(span)[1] for span in writer.spans] == [first.span_id, second.span_id]


def test_jobs_without_end_are_not_remembered_without_end(writer, monkeypatch):
    monkeypatch.setattr(traces, "MOST_JOBS", 3)  # a number, not a function
    for number in range(10):
        spec = StepSpec(id="plan", function="encoding", action="plan")
        job = encoding_job(f"job-{number}")
        request = Step(job=job, step_id="plan", function="encoding", action="plan", accepted_at=0)
        writer.traces.attempt_began(ClaimedStep("encoding", f"{number}-0", f"job-{number}", spec, 1), request)
    assert list(writer.traces._jobs) == ["job-7", "job-8", "job-9"]
