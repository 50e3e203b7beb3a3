"""The functions as Lambda's runtime calls them: `main.handle_invocation`, each in a process of its own."""

import json
import os
import subprocess
import sys

import pytest

from podjobs.contract.errors import PROBLEM_CONTENT_TYPE
from podjobs.contract.lambda_answers import COLD_START
from support.deployables import FUNCTIONS, SETTINGS
from support.processes import PYTHONPATH, REPOSITORY
from support.scripted_pod import ScriptedPod

PROGRAM = """
import json, sys
import main

class Context:
    aws_request_id = "11111111-2222-3333-4444-555555555555"
    def get_remaining_time_in_millis(self):
        return 3000

message = json.load(sys.stdin)
print(json.dumps([main.handle_invocation(message, Context()) for _ in range(2)]))
"""
FOREIGN = {
    "specversion": "1.0",
    "type": "fr.esup-portail.podjobs.step",
    "source": "/podjobs/adapter/a",
    "id": "job-1/plan/1",
    "data": {"function": "nobody", "timeout_s": 300},
}


def invoke(function, settings, message):
    plain = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=REPOSITORY / "functions" / function,
        env=plain | {"PYTHONPATH": PYTHONPATH} | settings,
        input=json.dumps(message),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("function", FUNCTIONS)
def test_invocation_of_what_is_no_request_is_answered_and_the_first_answer_tells_the_start(function):
    with ScriptedPod() as pod:  # the function `notification` asks it at its start
        asked = {"POD_API_URL": pod.url} if function == "notification" else {}
        done = invoke(function, SETTINGS[function] | asked, FOREIGN)
    first, second = json.loads(done.stdout)
    assert (first["statusCode"], first["headers"]["Content-Type"]) == (400, PROBLEM_CONTENT_TYPE)
    assert float(first["headers"].pop(COLD_START)) > 0
    assert first == second
    logs = [json.loads(line) for line in done.stderr.splitlines()]
    (advice,) = [log for log in logs if "Timeout is shorter" in log["message"]]
    assert (advice["timeout_s"], advice["needed_s"]) == (3, 300)
    assert advice["request_id"] == "11111111-2222-3333-4444-555555555555"


def test_invocation_of_a_function_without_settings_raises_what_lambda_can_tell():
    done = invoke("xapi", {}, FOREIGN)
    *_, last = done.stderr.strip().splitlines()
    assert "StartError: The function 'xapi' cannot start." in done.stderr
    assert "XAPI_LRS_URL" in done.stderr
    assert "SystemExit" not in last
