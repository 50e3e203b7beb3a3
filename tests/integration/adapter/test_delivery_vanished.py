"""Delivery over HTTP to a machine that vanishes: nothing closes its connections."""

import shutil
import subprocess
import sys

import pytest

from support.processes import REPOSITORY, environment_with

pytestmark = pytest.mark.slow
SCRIPT = REPOSITORY / "tests" / "support" / "vanishing_machine.py"
PATH = [REPOSITORY, REPOSITORY / "layers" / "podjobs" / "python", REPOSITORY / "tests"]


def has_networks():
    """Whether this machine gives networks of their own, and a way to lose packets."""
    if not (shutil.which("unshare") and shutil.which("iptables") and shutil.which("ip")):
        return False
    look = ["unshare", "--net", "iptables", "-L"]
    return subprocess.run(look, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not has_networks(), reason="It needs root, the package iptables, and network namespaces.")
def test_deliver_to_a_machine_that_vanishes_fails_in_a_minute_not_at_the_steps_limit():
    environment = environment_with({"PYTHONPATH": ":".join(map(str, PATH))})
    argv = ["unshare", "--net", sys.executable, str(SCRIPT)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, env=environment, timeout=200)
    seconds, kind, said = done.stdout.split(maxsplit=2)
    assert 40 < float(seconds) < 90
    assert kind == "StepFailedError"
    assert "Connection timed out" in said
