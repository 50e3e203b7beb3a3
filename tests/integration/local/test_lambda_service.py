"""Lambda's Invoke API on this machine, in front of real runtime emulators: what AWS's client sees of it."""

import base64
import json
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from botocore.exceptions import ClientError

from support.lambda_service import EMULATOR, MISSING, RUNTIME, new_lambda_function, running_lambda_service
from support.processes import wait_for

pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)
TOY = Path(__file__).parents[2] / "support" / "lambda_toy"
TIMEOUT_S = 1
SECRET = "only-for-toy"  # noqa: S105 - made up


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    functions = [
        new_lambda_function("toy", TOY, {"TOY_SECRET": SECRET}, handler="main.handle", timeout_s=TIMEOUT_S),
        new_lambda_function("other", TOY, {}, handler="main.handle", concurrency=1, timeout_s=60),
        new_lambda_function("broken", TOY, {}, handler="absent.handle"),
    ]
    with running_lambda_service(functions, tmp_path_factory.mktemp("lambda"), "--idle", "600") as running:
        yield running


def invoke(service, event, name="toy", **given):
    """Returns the answer, and its payload."""
    answer = service.client().invoke(FunctionName=name, Payload=json.dumps(event), **given)
    return answer, json.loads(answer["Payload"].read())


def refusal_of(call, *arguments, **given):
    with pytest.raises(ClientError) as refused:
        call(*arguments, **given)
    response = refused.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"], response["Error"]["Message"]


def test_invoke_second_time_is_served_by_the_same_warm_process_under_its_own_request_id(service):
    (first, one), (second, two) = invoke(service, {}), invoke(service, {})
    assert one["pid"] == two["pid"]
    for answer, payload in ((first, one), (second, two)):
        assert answer["ResponseMetadata"]["RequestId"] == payload["request_id"]
    assert one["request_id"] != two["request_id"]
    assert (first["StatusCode"], first["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in first


def test_invoke_function_has_its_own_settings_and_folder_and_nothing_of_other_functions(service):
    _, one = invoke(service, {})
    _, other = invoke(service, {}, "other")
    assert one["environment"]["TOY_SECRET"] == SECRET
    assert SECRET not in json.dumps(other)
    assert one["environment"]["AWS_LAMBDA_FUNCTION_TIMEOUT"] == str(TIMEOUT_S)
    assert one["folder"] != other["folder"]
    assert one["files"] == []


def test_invoke_handler_that_raises_is_a_function_error_and_its_log_tail_says_more(service):
    answer, payload = invoke(service, {"raise": "no such thing"}, LogType="Tail")
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert (payload["errorType"], payload["errorMessage"]) == ("ValueError", "no such thing")
    log = base64.b64decode(answer["LogResult"]).decode()
    assert "Told: {'raise': 'no such thing'}" in log
    assert f"REPORT RequestId: {answer['ResponseMetadata']['RequestId']}" in log


@pytest.mark.parametrize(
    ("event", "kind", "said"),
    [
        ({"kill": 1}, "Runtime.ExitError", "signal: killed"),
        ({"exit": 3}, "Runtime.ExitError", "exit status 3"),
        ({"length": 6_500_000}, "Function.ResponseSizeTooLarge", "exceeded maximum allowed payload size"),
    ],
)
def test_invoke_process_that_ends_or_says_too_much_is_a_function_error_and_the_next_is_served(
    service, event, kind, said
):
    answer, payload = invoke(service, event)
    assert (answer["StatusCode"], answer["FunctionError"], payload["errorType"]) == (200, "Unhandled", kind)
    assert said in payload["errorMessage"]
    assert "FunctionError" not in invoke(service, {})[0]


def test_invoke_time_out_ends_all_that_was_started_and_says_so_as_aws_does(service):
    began = time.monotonic()
    answer, payload = invoke(service, {"sleep_s": 60, "fork": 1})
    assert TIMEOUT_S <= time.monotonic() - began < TIMEOUT_S + 2
    assert (answer["FunctionError"], payload["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert payload["errorMessage"] == f"RequestId: {request_id} Error: Task timed out after 1.00 seconds"
    assert service.find("sleep 600") == []
    assert service.find(RUNTIME, "toy") == []


def test_invoke_more_than_the_concurrency_is_throttled_and_then_served_again(service):
    with ThreadPoolExecutor() as pool:
        running = pool.submit(invoke, service, {"sleep_s": 0.5}, "other")
        wait_for(lambda: service.said().count("'sleep_s': 0.5"), 10, service.said)
        refused = refusal_of(invoke, service, {}, "other")
        assert refused == (429, "TooManyRequestsException", "Rate Exceeded.")
        assert "FunctionError" not in running.result()[0]
    assert "FunctionError" not in invoke(service, {}, "other")[0]


def test_put_function_concurrency_of_none_throttles_everything_until_it_is_deleted(service):
    client = service.client()
    client.put_function_concurrency(FunctionName="toy", ReservedConcurrentExecutions=0)
    assert refusal_of(invoke, service, {})[0] == 429
    client.delete_function_concurrency(FunctionName="toy")
    assert "FunctionError" not in invoke(service, {})[0]


@pytest.mark.parametrize("reference", ["absent", "toy:absent", "arn:aws:lambda:eu-west-3:000000000000:function:absent"])
def test_invoke_function_or_alias_that_is_not_there_is_not_found(service, reference):
    status, code, said = refusal_of(invoke, service, {}, reference)
    assert (status, code) == (404, "ResourceNotFoundException")
    assert reference in said


def test_invoke_by_alias_or_arn_is_the_same_function(service):
    references = ("toy:live", "toy:$LATEST", "arn:aws:lambda:eu-west-3:000000000000:function:toy:live")
    assert len({invoke(service, {}, reference)[1]["pid"] for reference in references}) == 1


def test_invoke_payload_above_six_mib_is_too_large(service):
    assert refusal_of(invoke, service, {"x": "y" * (6 << 20)})[:2] == (413, "RequestTooLargeException")


def test_invoke_what_is_not_json_is_refused(service):
    refused = refusal_of(service.client().invoke, FunctionName="toy", Payload=b"{")
    assert refused[:2] == (400, "InvalidRequestContentException")


def test_invoke_dry_run_answers_204_and_runs_nothing(service):
    answer = service.client().invoke(FunctionName="broken", InvocationType="DryRun", Payload=b"{}")
    assert answer["StatusCode"] == 204
    assert service.find(EMULATOR, "broken") == []


def test_invoke_with_another_access_key_is_refused(service):
    client = service.client(aws_access_key_id="AKIAOTHER", aws_secret_access_key="other")  # noqa: S106 - made up
    assert refusal_of(client.invoke, FunctionName="toy")[:2] == (403, "UnrecognizedClientException")


def test_invoke_function_that_cannot_be_loaded_is_a_function_error(service):
    answer, payload = invoke(service, {}, "broken", LogType="Tail")
    assert answer["FunctionError"] == "Unhandled"
    assert "absent" in payload["errorMessage"], payload


@pytest.mark.parametrize("victim", [EMULATOR, RUNTIME])
def test_invoke_after_an_idle_process_was_killed_is_served_by_a_new_one(service, victim):
    before = invoke(service, {})[1]["pid"]
    for process in service.find(victim, "toy"):
        process.kill()
    answer, payload = invoke(service, {})
    assert "FunctionError" not in answer, payload
    assert payload["pid"] != before


@pytest.mark.slow
def test_invoke_emulator_killed_in_the_middle_is_a_service_error_and_leaves_no_process(service):
    with ThreadPoolExecutor() as pool:
        running = pool.submit(refusal_of, invoke, service, {"sleep_s": 0.9})
        wait_for(lambda: service.said().count("'sleep_s': 0.9"), 10, service.said)
        emulators, runtimes = service.find(EMULATOR, "toy"), service.find(RUNTIME, "toy")
        for process in emulators:
            process.kill()
        assert running.result()[:2] == (500, "ServiceException")
    psutil.wait_procs(runtimes, 5)
    assert not [one for one in runtimes if one.is_running()]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_service_that_ends_in_any_way_takes_its_environments_with_it(tmp_path, number):
    with running_lambda_service([new_lambda_function("toy", TOY, {}, handler="main.handle")], tmp_path) as service:
        invoke(service, {})
        below = service.family()[1:]
        assert len(below) == 2
        service.process.send_signal(number)
        service.process.wait(10)
        psutil.wait_procs(below, 5)
        assert not [one for one in below if one.is_running()]


@pytest.mark.slow
def test_environment_without_work_for_long_is_ended_with_its_folder(tmp_path):
    functions = [new_lambda_function("toy", TOY, {}, handler="main.handle")]
    with running_lambda_service(functions, tmp_path, "--idle", "0.5") as service:
        folder = Path(invoke(service, {})[1]["folder"])
        assert folder.is_dir()
        wait_for(lambda: not service.find(EMULATOR), 10)
        wait_for(lambda: not folder.exists(), 10)
