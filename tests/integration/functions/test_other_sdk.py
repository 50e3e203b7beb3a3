"""The CloudEvents SDK that is not installed serves as well as the one that is."""

import os
import subprocess
import sys
from importlib.metadata import version

import pytest

from support.processes import REPOSITORY

WITHOUT_FUNCTIONS_FRAMEWORK = (
    "tests/unit/test_events.py",
    "tests/unit/entry/test_endpoint.py",
    "tests/unit/entry/test_http.py",
    "tests/unit/adapter/test_delivery_answers.py",
    "tests/unit/adapter/test_delivery_requests.py",
)
"""functions-framework pins the SDK: nothing that needs it can be tested with another one."""


@pytest.mark.slow
def test_other_sdk_reads_and_writes_the_same_events(tmp_path):
    """It is installed from the package index into a folder of its own."""
    wanted = ">=2,<3" if version("cloudevents").startswith("1.") else "==1.12.0"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(tmp_path), f"cloudevents{wanted}"]
    subprocess.run(pip, check=True, capture_output=True)
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    code = "import cloudevents, importlib.metadata as m; print(cloudevents.__file__, m.version('cloudevents'))"
    found = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True
    ).stdout.decode()
    assert found.startswith(str(tmp_path))
    assert version("cloudevents") not in found
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *WITHOUT_FUNCTIONS_FRAMEWORK]
    done = subprocess.run(tests, env=environment, cwd=REPOSITORY, check=False, capture_output=True)
    assert done.returncode == 0, done.stdout.decode()
