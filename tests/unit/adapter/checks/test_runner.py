"""What the health page of the runner API, and the addresses of its clients' machines, mean."""

import json

import pytest

from adapter.checks.runner import judge_addresses, judge_answer
from podjobs.contract.examinations import Verdict


@pytest.mark.parametrize(
    ("status", "content", "verdict", "said"),
    [
        (200, {"status": "healthy", "results": "ok"}, Verdict.OK, "It takes tasks, and gives results."),
        (200, {"status": "healthy", "results": "unavailable"}, Verdict.FAULT, "cannot read the media storage"),
        (503, {"status": "unhealthy", "detail": "Redis is away."}, Verdict.FAULT, "It is not well: Redis is away."),
        (502, {}, Verdict.FAULT, "It is not well: its status is 502"),
        (200, [], Verdict.FAULT, "not as the runner API does"),
    ],
)
def test_judge_answer(status, content, verdict, said):
    found = judge_answer(status, json.dumps(content).encode())
    assert found["verdict"] == verdict
    assert said in found["said"]


def test_judge_answer_of_something_else():
    assert judge_answer(200, b"<html>")["verdict"] == Verdict.FAULT


def test_judge_addresses_names_the_settings_that_allow_local_ones():
    assert judge_addresses("pod", ["93.184.215.14"], private=False) == ""
    assert judge_addresses("pod", ["10.0.0.1"], private=True) == ""
    said = judge_addresses("pod", ["93.184.215.14", "fe80::1%eth0"], private=False)
    assert said.startswith("pod is fe80::1%eth0, an address of the local network")
    assert "PODJOBS_FETCH_PRIVATE" in said
