"""Which libraries are loaded when a deployable starts, in an interpreter of its own: each costs time at every start.

What they cost: docs/decisions/0048-what-a-start-costs.md.
"""

import os
import subprocess
import sys

import pytest

from support.deployables import SETTINGS
from support.processes import PYTHONPATH, REPOSITORY
from support.scripted_pod import ScriptedPod

HTTP = {"flask", "werkzeug", "functions_framework", "gunicorn", "starlette", "uvicorn"}
QUEUES = {"redis", "rq", "celery", "kombu", "aiohttp"}
LAMBDA = {"awslambdaric"}
BUCKETS = {"boto3", "botocore", "s3transfer"}
MEDIA = {"ffmpeg", "m3u8", "webvtt"}
SPEECH = {"faster_whisper", "whisper_ctranslate2", "ctranslate2", "numpy", "av", "onnxruntime", "huggingface_hub"}
CLIENTS = {"httpx", "httpcore"}
WORK = {"podjobs.encoding", "podjobs.transcription", "podjobs.notification", "podjobs.xapi", "podjobs.backends"}

UNUSED = {
    "encoding": HTTP | QUEUES | LAMBDA | BUCKETS | SPEECH | CLIENTS,
    # onnxruntime finds the speech of a sound: loaded by the first step
    "transcription": HTTP | QUEUES | LAMBDA | BUCKETS | {"m3u8", "onnxruntime"},
    "notification": HTTP | QUEUES | LAMBDA | BUCKETS | SPEECH | MEDIA,
    "xapi": HTTP | QUEUES | LAMBDA | BUCKETS | SPEECH | MEDIA,
}
"""Of each function that is reached without HTTP and whose media are files."""


def loaded(code, settings):
    """The modules that are loaded when the code has run."""
    plain = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    code += "\nimport sys; print(*sys.modules)"
    argv = [sys.executable, "-c", code]
    done = subprocess.run(
        argv, env=plain | {"PYTHONPATH": PYTHONPATH} | settings, capture_output=True, check=True, text=True
    )
    return set(done.stdout.split())


@pytest.fixture(scope="module")
def pod():
    with ScriptedPod() as running:
        yield running


def start(function, entry, settings, pod):
    folder = REPOSITORY / "functions" / function
    given = SETTINGS[function] | ({"POD_API_URL": pod.url} if function == "notification" else {}) | settings
    return loaded(f"import sys; sys.path.insert(0, {str(folder)!r}); import main; main.{entry}", given)


@pytest.mark.parametrize("function", UNUSED)
def test_function_without_http_and_buckets_loads_none_of_their_libraries(function, pod):
    assert start(function, "handle_message", {}, pod) & UNUSED[function] == set()


def test_function_whose_media_are_in_a_bucket_loads_what_reads_it(pod):
    # that the test above can fail: by the same look, what is used is seen
    bucket = {"MEDIA_URL": "s3://media", "POD_MEDIA_URL": "http://127.0.0.1:1", "AWS_EC2_METADATA_DISABLED": "true"}
    modules = start("notification", "handle", bucket, pod)
    assert {"boto3", "flask", "httpx"} <= modules


def test_function_whose_settings_are_secrets_in_a_file_loads_nothing_of_aws(pod, tmp_path):
    (tmp_path / "secret.json").write_text('{"XAPI_LRS_PWD": "of the secret"}')
    secrets = {"PODJOBS_SECRETS": f"file://{tmp_path}/secret.json"}
    assert start("xapi", "handle_message", secrets, pod) & UNUSED["xapi"] == set()


def test_adapter_loads_no_library_that_works_on_media():
    modules = loaded("import adapter.__main__, adapter.process", {})
    assert modules & (HTTP | LAMBDA | BUCKETS | MEDIA | SPEECH | CLIENTS | WORK | {"celery", "kombu"}) == set()
    assert {"aiohttp", "redis"} <= modules
