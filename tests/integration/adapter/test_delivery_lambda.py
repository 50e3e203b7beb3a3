"""Delivery over AWS Lambda: what its API answers, and what that means for a step."""

import asyncio
import contextlib
import gc
import json
import logging
import socket
import threading
from urllib.parse import urlsplit

import pytest
import structlog
import structlog.testing

from adapter.delivery import FunctionBusyError, StepFailedError, StepRefusedError
from adapter.delivery.aws_lambda.delivery import LambdaDelivery
from podjobs.contract.lambda_answers import COLD_START, PAYLOAD_BYTES
from podjobs.contract.message_contracts import STEPS
from podjobs.contract.plans import RESULT_EVENT_TYPE, Result
from podjobs.contract.steps import Step
from podjobs.entry.answers import write_answer
from podjobs.events import Event
from support.jobs import encoding_job
from support.lambda_api import REQUEST_ID, Scripted, death, lambda_api, refusal
from support.waiting import wait_until

STEP = Step(job=encoding_job(), step_id="plan", function="encoding", action="plan", accepted_at=0, timeout_s=60)
NAME = "pod-encoding:live"


@pytest.fixture(scope="module")
def running():
    with lambda_api() as api, pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", api.url)
        monkeypatch.setenv("AWS_REGION", "eu-west-3")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAMADEUP")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made up")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
        yield api, new_delivery()


@pytest.fixture
def api(running):
    api, _ = running
    api.requests.clear()
    return api


@pytest.fixture
def delivery(running):
    """One for most tests: to open a client takes boto3 a fifth of a second."""
    return running[1]


def new_delivery(name=NAME):
    return LambdaDelivery(f"lambda:{name}", STEPS, "a", 1, 4)


@contextlib.asynccontextmanager
async def delivery_to(name=NAME):
    delivery = new_delivery(name)
    try:
        yield delivery
    finally:
        await delivery.close()


def answered(**headers):
    event = Event(type=RESULT_EVENT_TYPE, source="/podjobs/encoding", data=Result(log=("Done.",)).model_dump_json())
    message = write_answer(event).as_message()
    message["headers"] |= headers
    return Scripted(body=json.dumps(message).encode())


async def test_deliver_answer_of_the_function_is_its_reply(api, delivery):
    api.answers = [answered()]
    assert (await delivery.deliver(STEP)).log == ("Done.",)
    ((path, headers, body),) = api.requests
    assert path == "/2015-03-31/functions/pod-encoding%3Alive/invocations"
    assert headers["X-Amz-Log-Type"] == "Tail"
    assert "AKIAMADEUP" in headers["Authorization"]
    assert json.loads(body)["subject"] == STEP.subject


@pytest.mark.parametrize(("headers", "told"), [({COLD_START: "0.731"}, True), ({}, False)])
async def test_deliver_cold_start_is_told_with_the_invocation_s_id(api, delivery, headers, told):
    api.answers = [answered(**headers)]
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG))
    try:
        with structlog.testing.capture_logs() as logs:
            await delivery.deliver(STEP)
    finally:
        structlog.configure(**before)
    said = [log for log in logs if log["log_level"] == "info"]
    assert [(log["start_s"], log["request_id"]) for log in said] == ([("0.731", REQUEST_ID)] if told else [])


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("ReservedFunctionConcurrentInvocationLimitExceeded", "reserved concurrency is in use"),
        ("ConcurrentInvocationLimitExceeded", "quota"),
        ("CallerRateLimitExceeded", "too often"),
        ("SomethingNew", "does not take more requests"),
    ],
)
async def test_deliver_throttled_is_busy_with_the_wait_that_lambda_asks_for(api, delivery, reason, remedy):
    api.answers = [refusal(429, "TooManyRequestsException", {"Retry-After": "7"}, Reason=reason)]
    with pytest.raises(FunctionBusyError, match=remedy) as caught:
        await delivery.deliver(STEP)
    assert caught.value.retry_after_s == 7
    assert not caught.value.concerns_step
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (403, "AccessDeniedException", r"lambda:InvokeFunction"),
        (403, "ExpiredTokenException", r"role or credentials"),
        (403, "InvalidSignatureException", r"role or credentials"),
        (404, "ResourceNotFoundException", r"no Lambda function pod-encoding:live .* Correct its URL"),
        (409, "ResourceConflictException", r"being made or updated"),
        (502, "ENILimitReachedException", r"no network interface left"),
        (502, "EC2AccessDeniedException", r"AWSLambdaVPCAccessExecutionRole"),
        (502, "EC2ThrottledException", r"EC2 does not take more"),
        (400, "ThrottlingException", r"is throttled"),
        (502, "SubnetIPAddressLimitReachedException", r"no address left"),
        (502, "InvalidSubnetIDException", r"subnets does not exist"),
        (408, "EFSMountTimeoutException", r"port 2049"),
        (502, "KMSDisabledException", r"kms:Decrypt"),
        (503, "ServiceUnavailableException", r"unavailable"),
        (503, "SlowStart", r"SlowStart"),
    ],
)
async def test_deliver_not_begun_is_busy_and_says_what_to_do(api, delivery, status, code, said):
    api.answers = [refusal(status, code)]
    with pytest.raises(FunctionBusyError, match=said) as caught:
        await delivery.deliver(STEP)
    assert not caught.value.concerns_step
    assert (caught.value.problem.status == 403) is (status == 403)


async def test_deliver_request_that_lambda_finds_too_large_is_refused(api, delivery):
    api.answers = [refusal(413, "RequestTooLargeException")]
    with pytest.raises(StepRefusedError, match="larger than Lambda takes"):
        await delivery.deliver(STEP)


async def test_deliver_request_beyond_lambda_s_limit_is_not_sent(api, delivery):
    step = STEP.model_copy(update={"results": {"chunk/1": {"text": "x" * PAYLOAD_BYTES}}})
    with pytest.raises(StepRefusedError, match=str(PAYLOAD_BYTES)):
        await delivery.deliver(step)
    assert api.requests == []


@pytest.mark.parametrize(("status", "code"), [(500, "ServiceException"), (418, "SomethingNewException")])
async def test_deliver_error_of_lambda_that_is_not_known_is_an_attempt(api, delivery, status, code):
    api.answers = [refusal(status, code)]
    with pytest.raises(StepFailedError, match=code):
        await delivery.deliver(STEP)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (death("Sandbox.Timedout", f"RequestId: {REQUEST_ID} Error: Task timed out after 3.00 s"), "Timeout to that"),
        (death("", "2026-11-26T20:00:00.000Z 1-2-3 Task timed out after 3.00 seconds"), "may take 60 s"),
        (death("Runtime.OutOfMemory", f"RequestId: {REQUEST_ID} Error: Runtime exited"), "MemorySize"),
        (death("Runtime.ExitError", "RequestId: x Error: Runtime exited with error: signal: killed"), "MemorySize"),
        (death("Runtime.ExitError", "Error: Runtime exited with error: exit status 1"), "exit status 1"),
        (death("ValueError", "a bug"), "ValueError: a bug"),
        (Scripted(headers={"X-Amz-Function-Error": "Unhandled"}, body=b"not JSON"), "not JSON"),
    ],
)  # fmt: skip
async def test_deliver_function_that_dies_is_an_attempt_with_the_reason(api, delivery, answer, said):
    api.answers = [answer]
    with pytest.raises(StepFailedError, match=said) as caught:
        await delivery.deliver(STEP)
    assert REQUEST_ID not in caught.value.problem.detail


@pytest.mark.parametrize("kind", ["StartError", "Runtime.ImportModuleError", "Extension.Crash"])
async def test_deliver_function_that_cannot_start_is_busy(api, delivery, kind):
    api.answers = [death(kind, "The function 'encoding' cannot start. MEDIA_ROOT: is missing.")]
    with pytest.raises(FunctionBusyError, match="MEDIA_ROOT: is missing"):
        await delivery.deliver(STEP)


async def test_deliver_end_of_the_log_of_a_function_that_died_is_kept_without_logins_and_controls(api, delivery):
    log = "first\r\n\x1b[31mhttps://user:s3cret@lrs.example.org/ broke\x1b[0m\x00\n\nlast\n"
    api.answers = [death("Runtime.ExitError", "exit status 1", log)]
    with pytest.raises(StepFailedError) as caught:
        await delivery.deliver(STEP)
    kept = caught.value.problem.context["log"]
    assert kept.startswith("first\n")
    assert kept.endswith("\nlast")
    assert "s3cret" not in kept
    assert not set(kept) & {"\x1b", "\x00", "\r"}


@pytest.mark.parametrize("body", [b"null", b"[]", b'"text"', b"not JSON", b'{"statusCode": "200"}'])
async def test_deliver_answer_that_is_none_is_an_attempt(api, delivery, body):
    api.answers = [Scripted(body=body)]
    with pytest.raises(StepFailedError, match="no status, headers and body"):
        await delivery.deliver(STEP)


async def test_deliver_answer_that_is_cut_off_is_an_attempt(api, delivery):
    api.answers = [Scripted(body=b'{"statusCode"', is_cut=True)]
    with pytest.raises(StepFailedError, match="was lost"):
        await delivery.deliver(STEP)


async def test_deliver_without_a_way_to_lambda_is_busy(running, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:1")
    async with delivery_to() as delivery:
        with pytest.raises(FunctionBusyError, match="endpoint for lambda"):
            await delivery.deliver(STEP)


@pytest.mark.parametrize(
    ("missing", "said"), [("AWS_REGION", "set AWS_REGION"), ("AWS_ACCESS_KEY_ID", "no AWS credentials")]
)
async def test_deliver_without_region_or_credentials_is_shut_out_until_they_are_there(api, monkeypatch, missing, said):
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    api.answers = [answered()]
    async with delivery_to() as delivery:
        with monkeypatch.context() as patch:
            patch.delenv(missing)
            if missing == "AWS_ACCESS_KEY_ID":
                patch.delenv("AWS_SECRET_ACCESS_KEY")
            with pytest.raises(FunctionBusyError, match=said) as caught:
                await delivery.deliver(STEP)
        assert caught.value.problem.status == 403
        if missing == "AWS_REGION":
            assert (await delivery.deliver(STEP)).log == ("Done.",)


async def test_deliver_arn_names_the_region_itself(api, monkeypatch):
    monkeypatch.delenv("AWS_REGION")
    api.answers = [answered()]
    async with delivery_to("arn:aws:lambda:eu-west-1:123456789012:function:pod-encoding") as delivery:
        await delivery.deliver(STEP)
    assert "/eu-west-1/lambda/" in api.requests[0][1]["Authorization"]


async def test_deliver_cancelled_returns_at_once_and_others_are_not_held_up(api, delivery):
    release = threading.Event()
    api.answers = [Scripted(hangs=release), answered()]
    hanging = asyncio.create_task(delivery.deliver(STEP))
    await wait_until(lambda: len(api.requests) == 1)
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(1):
            await hanging
    assert (await delivery.deliver(STEP)).log == ("Done.",)
    release.set()


async def test_deliver_takes_as_many_requests_at_once_as_come(api, delivery):
    release = threading.Event()
    api.answers = [*(Scripted(hangs=release, body=answered().body) for _ in range(40)), answered()]
    flying = [asyncio.create_task(delivery.deliver(STEP)) for _ in range(40)]
    await wait_until(lambda: len(api.requests) == 40)
    release.set()
    assert {reply.log for reply in await asyncio.gather(*flying)} == {("Done.",)}


async def test_connection_is_probed_before_nat_gateways_forget_it(api, delivery):
    api.answers = [answered()]
    await delivery.deliver(STEP)
    port = urlsplit(api.url).port
    ours = [one for one in gc.get_objects() if isinstance(one, socket.socket) and peer_of(one) == ("127.0.0.1", port)]
    assert ours
    for one in ours:
        assert one.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert one.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) < 350


def peer_of(connection):
    try:
        return connection.getpeername()
    except OSError:
        return None


async def test_check_asks_without_invoking(api, delivery):
    api.answers = [Scripted(status=204, body=b"")]
    await delivery.check()
    assert api.requests[0][1]["X-Amz-Invocation-Type"] == "DryRun"


async def test_check_function_that_is_not_there_is_told(api, delivery):
    api.answers = [refusal(404, "ResourceNotFoundException")]
    with pytest.raises(FunctionBusyError, match="or deploy it"):
        await delivery.check()
