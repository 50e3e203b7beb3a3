"""What the emulator's answers mean to AWS's clients, and by which names a function is found."""

import json

import pytest

from local.lambda_service.answers import read_emulator_answer
from local.lambda_service.functions import LambdaFunction, name_in, read_functions
from podjobs.settings import SettingsError

RAISED = b'{"errorMessage": "no such thing", "errorType": "ValueError", "requestId": "r", "stackTrace": []}'
DIED = b'{"errorType":"Runtime.ExitError","errorMessage":"RequestId: r Error: Runtime exited: signal: killed"}'
TOO_LONG = b'{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded"}'
REPLY = b'{"statusCode": 500, "headers": {}, "body": "{\\"errorType\\": 1, \\"errorMessage\\": 2}"}'


@pytest.mark.parametrize(
    ("status", "content", "is_error", "is_over"),
    [
        (200, REPLY, False, False),  # a failure of ours is a result to Lambda
        (200, b'["errorType", "errorMessage"]', False, False),
        (200, b"null", False, False),
        (200, RAISED, True, False),
        (502, DIED, True, True),
        (502, TOO_LONG, True, False),
    ],
)
def test_read_emulator_answer_payload_is_kept_and_failures_are_told_from_results(status, content, is_error, is_over):
    answer = read_emulator_answer(status, content, "r")
    assert (answer.payload, answer.is_error, answer.is_over) == (content, is_error, is_over)


@pytest.mark.parametrize(
    ("status", "content", "kind", "said"),
    [
        (200, b"Task timed out after 3.00 seconds\n", "Sandbox.Timedout", "Task timed out after 3.00 seconds"),
        (502, b"", "Runtime.ExitError", "Runtime exited without providing a reason"),
        (502, b"<html>", "Runtime.ExitError", "Runtime exited without providing a reason"),
    ],
)
def test_read_emulator_answer_without_an_error_is_given_the_one_that_aws_writes(status, content, kind, said):
    answer = read_emulator_answer(status, content, "r-1")
    assert json.loads(answer.payload) == {"errorType": kind, "errorMessage": f"RequestId: r-1 Error: {said}"}
    assert (answer.is_error, answer.is_over) == (True, True)


@pytest.mark.parametrize(
    ("reference", "name", "qualifier"),
    [
        ("encoding", "encoding", ""),
        ("encoding:live", "encoding", "live"),
        ("000000000000:function:encoding", "encoding", ""),
        ("arn:aws:lambda:eu-west-3:000000000000:function:encoding", "encoding", ""),
        ("arn:aws:lambda:eu-west-3:000000000000:function:encoding:$LATEST", "encoding", "$LATEST"),
    ],
)
def test_name_in_takes_name_and_qualifier_out_of_whatever_invoke_may_be_given(reference, name, qualifier):
    assert name_in(reference) == (name, qualifier)


def test_read_functions_reads_what_as_variable_writes(tmp_path):
    one = LambdaFunction(name="xapi", source=tmp_path, concurrency=2, timeout_s=30, environment={"A": 'b"\n'})
    assert read_functions({"PATH": "/bin", **one.as_variable()}) == (one,)


def test_read_functions_that_are_not_valid_are_refused_without_their_settings():
    with pytest.raises(SettingsError, match="LAMBDA_FUNCTION_XAPI") as refused:
        read_functions({"LAMBDA_FUNCTION_XAPI": '{"name": "x y", "environment": {"TOKEN": "t0psecret", "N": 1}}'})
    assert "t0psecret" not in str(refused.value)


def test_lambda_function_does_not_show_its_settings(tmp_path):
    one = LambdaFunction(name="xapi", source=tmp_path, concurrency=2, environment={"TOKEN": "t0psecret"})
    assert "t0psecret" not in repr(one)
