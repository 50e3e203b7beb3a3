"""Commands that only read wait for nothing that they do not use: most of their time is spent on loading modules."""

import json
import subprocess
import sys

import pytest

from support.processes import environment_with

LOGS = {"structlog", "rich"}
TELEMETRY = {"opentelemetry.metrics", "opentelemetry.sdk", "prometheus_client"}
ADAPTER = {"adapter.process", "adapter.settings", "adapter.steps.records", "aiohttp", "httpx", "boto3", "rq", "jinja2"}
CELERY = {"celery", "kombu"}
UNUSED = LOGS | TELEMETRY | ADAPTER | CELERY
LOOK = """
import atexit, json, sys

def tell():
    from pydantic import BaseModel
    kinds, ours = [BaseModel], set()
    while kinds:
        kinds += (kind := kinds.pop()).__subclasses__()
        ours |= {kind} if kind.__module__.startswith(("adapter.", "podjobs.")) else set()
    built = [kind.__name__ for kind in ours if kind.__pydantic_complete__]
    print(json.dumps({"modules": [name for name, it in sys.modules.items() if it], "built": built}))

atexit.register(tell)
from adapter.__main__ import adapter
adapter()
"""
"""Runs a command, and says in its last line what it has loaded."""


@pytest.fixture
def look(redis_url):
    def run(*arguments):
        argv = [sys.executable, "-c", LOOK, *arguments, "--json"]
        environment = environment_with({"ENCODING_TRANSCODING_CELERY_BROKER_URL": redis_url})
        ended = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
        assert ended.stdout.startswith(("{", "[")), ended.stderr
        return json.loads(ended.stdout.splitlines()[-1])

    return run


@pytest.mark.parametrize("arguments", [("status",), ("jobs",), ("why", "job-1"), ("show", "job-1")], ids=" ".join)
def test_command_that_only_reads_loads_no_more_than_it_uses(arguments, look, fail_job):
    fail_job()
    assert UNUSED.intersection(look(*arguments)["modules"]) == set()


def test_status_builds_no_model_but_its_settings_and_the_table_of_job_types(look):
    assert set(look("status")["built"]) == {"RecordSettings", "Stage", "StepSpec"}
