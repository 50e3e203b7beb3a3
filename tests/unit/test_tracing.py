"""The spans of functions: a step's and its commands', in the trace that the adapter says."""

import json

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from podjobs.backends.process import CommandError, ProcessTools
from podjobs.contract.commands import Access
from podjobs.contract.errors import PermanentError
from podjobs.contract.message_contracts import STEPS
from podjobs.contract.plans import Result
from podjobs.contract.steps import STEP_EVENT_TYPE
from podjobs.entry.endpoint import Endpoint
from podjobs.entry.traced import TracedHandler
from podjobs.events import Event, read_event, read_message, write_event, write_message
from podjobs.tracing import StepSpans, command_span, is_wanted
from support.jobs import encoding_job

ATTEMPT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
STEP = {
    "job": encoding_job("job-1").model_dump(mode="json"),
    "step_id": "chunk-1",
    "function": "encoding",
    "action": "chunk",
    "accepted_at": 0,
}


class Working:
    """A handler that runs a command."""

    def __init__(self, argv=("true",)):
        self.argv = argv
        self.contexts = []

    def handle(self, request):
        self.contexts.append(request.log_context)
        ProcessTools(1 << 30).run(self.argv, timeout_s=10, access=Access())
        return Result()


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


@pytest.fixture
def answer(exporter):
    """Has a handler perform a step of an attempt."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    def answer(handler, event=None, traceparent=ATTEMPT):
        given = event or Event(STEP_EVENT_TYPE, "/x", json.dumps(STEP), extensions={"traceparent": traceparent})
        traced = TracedHandler(handler, StepSpans("encoding", provider))
        return Endpoint("encoding", STEPS, traced, 1).answer(given)

    return answer


def ids(span):
    return f"{span.context.trace_id:032x}", span.parent and f"{span.parent.span_id:016x}"


def test_step_is_a_span_of_its_attempt_and_a_command_one_of_its_step(answer, exporter):
    answer(Working())
    command, step = exporter.get_finished_spans()
    assert (step.name, command.name) == ("encoding chunk", "true")
    assert ids(step) == ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
    assert ids(command) == (ids(step)[0], f"{step.context.span_id:016x}")
    assert step.attributes["podjobs.job_id"] == "job-1"


@pytest.mark.parametrize(
    "travel",
    [
        lambda event: read_event(*write_event(event)),
        lambda event: read_message(json.loads(json.dumps(write_message(event)))),
    ],
    ids=["http", "rq and lambda"],
)
def test_trace_travels_over_every_transport(answer, exporter, travel):
    sent = Event(STEP_EVENT_TYPE, "/x", json.dumps(STEP).encode(), "job-1", extensions={"traceparent": ATTEMPT})
    handler = Working()
    answer(handler, travel(sent))
    assert ids(exporter.get_finished_spans()[-1])[0] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert handler.contexts == [
        {"job_id": "job-1", "step_id": "chunk-1", "attempt": 1, "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"}
    ]


def test_command_that_fails_is_marked_without_what_it_says(answer, exporter):
    failure = answer(Working(("ls", "/nowhere/secret")))
    command, step = exporter.get_finished_spans()
    assert failure.problem.detail.startswith("ls failed")
    for span in (command, step):
        assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, CommandError.__name__)
        assert span.events == ()


@pytest.mark.parametrize("traceparent", ["", "nonsense", ATTEMPT[:-2] + "00"])
def test_step_without_a_trace_that_is_recorded_has_no_span_and_is_done(answer, exporter, traceparent):
    assert isinstance(answer(Working(), traceparent=traceparent), Event)
    assert exporter.get_finished_spans() == ()


def test_command_outside_of_a_step_has_no_span(exporter):
    with pytest.raises(PermanentError), command_span("true"):
        raise PermanentError("It cannot be done.")
    assert exporter.get_finished_spans() == ()


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_spans_are_wanted_as_the_standard_environment_says(environment, wanted):
    assert is_wanted(environment) is wanted
