"""A job's trace, from Pod's message to a command of a function: real processes, and a server that takes the spans."""

import json

import pytest
import redis

from adapter.delivery.requests import request_event
from adapter.door.job_intake import JobIntake, JobRules
from adapter.door.processing_list import Message
from adapter.door.room import DeadBound
from adapter.redis import keys
from adapter.redis.memory import KeyMemory
from adapter.steps.entries import assemble_step
from podjobs.contract.media_paths import MediaPaths
from podjobs.contract.message_contracts import STEPS
from podjobs.contract.traces import TraceContext, job_context
from support.jobs import encoding_message
from support.parts import new_function
from support.processes import REPOSITORY, wait_for
from support.span_receiver import receiving_spans

POD = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TRACE, POD_SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
LONGEST_S = 30


def message_within(traceparent, job_id="job-1", path="/media/videos/7.mp4"):
    """A message as Pod's Celery writes it if OpenTelemetry's instrumentation is installed there."""
    message = json.loads(encoding_message(job_id, 7, path))
    message["headers"]["traceparent"] = traceparent
    return json.dumps(message).encode()


@pytest.fixture
def intake(records, jobs_redis):
    rules = JobRules(MediaPaths("/media"), frozenset({"encoding"}))
    return JobIntake(records, rules, DeadBound(KeyMemory(jobs_redis, keys.DEAD), 10**9))


@pytest.mark.parametrize(
    ("given", "trace_id"),
    [(POD, TRACE), ("nonsense", job_context("job-1").trace_id), (7, job_context("job-1").trace_id)],
)
async def test_every_request_of_a_job_carries_its_senders_trace(intake, records, take, given, trace_id):
    raw = message_within(given)
    await intake.store([intake.read(Message(raw, 1, 0, len(raw), ""))])
    (step,) = await take()
    sent = set()
    for _attempt in range(2):
        (joined,) = await records.join([step])
        event = request_event(STEPS, assemble_step(step, joined), "one")
        context = TraceContext.read(event.extensions["traceparent"])
        assert context.trace_id == trace_id
        assert "traceparent" not in json.loads(event.data)
        assert "requested_in" not in json.loads(event.data)
        sent.add(context.span_id)
    assert len(sent) == 2


@pytest.mark.slow
def test_trace_leads_from_pods_message_to_the_commands_of_functions(start, client, redis_url, tmp_path):
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos/7.mp4").write_text("This is not a video.")
    main = {"encoding": "functions/encoding/main.py", "nothing": "benchmarks/noop_function/main.py"}
    with receiving_spans() as receiver:
        settings = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Basic%20abc",
            "OTEL_BSP_SCHEDULE_DELAY": "100", "MEDIA_ROOT": str(tmp_path), "BENCHMARK_FOLDER": str(tmp_path),
        }  # fmt: skip
        functions = [new_function(name, REPOSITORY / path, settings, tmp_path) for name, path in main.items()]
        encoding, nothing = functions
        try:
            for function in functions:
                function.start()
            for function in functions:
                function.wait()
            urls = {
                "PODJOBS_FUNCTION_URL_ENCODING": encoding.page,
                "PODJOBS_FUNCTION_URL_NOTIFICATION": f"{nothing.page}notification",
            }
            adapter = start(**settings, **urls).wait()
            with redis.Redis.from_url(redis_url) as broker:
                broker.lpush("encoding", message_within(POD, path=f"{tmp_path}/videos/7.mp4"))
            wait_for(lambda: client.hget(keys.job("job-1"), "state") == "failed", LONGEST_S)
            wait_for(lambda: receiver.named("job encoding") and receiver.named("ffprobe"), LONGEST_S)
            assert adapter.stop() == 0
        finally:
            for function in functions:
                function.stop()
    assert {header["authorization"] for header in receiver.headers} == {"Basic abc"}
    assert {span.trace_id for span in receiver.spans} == {TRACE}
    (job,) = receiver.named("job encoding")
    assert (job.parent_id, job.is_error, job.service) == (POD_SPAN, True, "podjobs-adapter")
    (attempt,) = [span for span in receiver.named("encoding plan") if span.service == "podjobs-adapter"]
    (step,) = [span for span in receiver.named("encoding plan") if span.service == "podjobs-encoding"]
    assert (attempt.parent_id, step.parent_id) == (job.span_id, attempt.span_id)
    assert attempt.attributes["podjobs.outcome"] == "failed"
    assert {span.parent_id for span in receiver.named("ffprobe")} == {step.span_id}
    assert job.took_s >= attempt.took_s >= step.took_s > 0
    assert {"encoding report", "notification encoding"} <= {span.name for span in receiver.spans}
    steps = [line for line in map(json.loads, encoding.said().splitlines()) if line.get("step_id") == "plan"]
    assert {line["trace_id"] for line in steps} == {TRACE}


@pytest.mark.slow
def test_adapter_works_on_while_nobody_takes_its_spans(start, client, redis_url):
    adapter = start(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1", OTEL_BSP_SCHEDULE_DELAY="100").wait()
    with redis.Redis.from_url(redis_url) as broker:
        broker.lpush("encoding", message_within(POD))
    wait_for(lambda: client.exists(keys.job("job-1")), 5)
    adapter.wait_for(lambda: adapter.get("status").json()["functions"]["encoding"]["on_hold_here"] == 1)
    assert adapter.stop() == 0
