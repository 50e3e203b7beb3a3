"""The ids of a job's trace follow from its own, or from the trace that its sender has begun."""

import pytest

from podjobs.contract.traces import TraceContext, job_context

GIVEN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_read_takes_a_traceparent_as_it_stands_in_the_specification():
    context = TraceContext.read(GIVEN)
    assert (context.trace_id, context.span_id) == ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
    assert context.is_sampled
    assert context.traceparent == GIVEN


def test_read_respects_that_nothing_is_recorded():
    context = TraceContext.read(GIVEN[:-2] + "00")
    assert not context.is_sampled
    assert context.traceparent.endswith("-00")


@pytest.mark.parametrize("given", ["01" + GIVEN[2:], "01" + GIVEN[2:] + "-more", GIVEN[:-2] + "ff"])
def test_read_takes_what_later_versions_may_write(given):
    assert TraceContext.read(given).traceparent == GIVEN


@pytest.mark.parametrize(
    "given",
    [
        None, 7, b"x", "", "x", GIVEN.upper(), GIVEN + "-more", GIVEN[:-1], GIVEN + " ", GIVEN + "\n", "ff" + GIVEN[2:],
        "00-" + "0" * 32 + "-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-" + "0" * 16 + "-01",
    ],
)  # fmt: skip
def test_read_of_anything_else_is_none(given):
    assert TraceContext.read(given) is None


def test_job_context_is_the_same_in_every_adapter_and_after_every_restart():
    # written down: another version must not build another trace of the same job
    assert job_context("job-1").traceparent == "00-2a44395d9e804fe54bf0a215c3b4e0d9-bfe000418bebf5a4-01"


def test_job_context_differs_between_jobs():
    assert len({job_context(f"job-{number}").trace_id for number in range(100)}) == 100


def test_job_context_is_a_span_of_the_given_trace():
    given, own = TraceContext.read(GIVEN), job_context("job-1", GIVEN)
    assert own.trace_id == given.trace_id
    assert own.span_id == job_context("job-1").span_id != given.span_id
    assert not job_context("job-1", GIVEN[:-2] + "00").is_sampled


def test_job_context_of_a_trace_that_is_none_is_its_own():
    assert job_context("job-1", "x") == job_context("job-1")


def test_child_is_another_span_of_the_same_trace():
    own = job_context("job-1")
    children = {own.child() for _ in range(100)}
    assert {child.trace_id for child in children} == {own.trace_id}
    assert len({child.span_id for child in children} | {own.span_id}) == 101
