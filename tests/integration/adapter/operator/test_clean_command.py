"""The operator's command that has what nobody needs removed, by the real adapter and the real function."""

import json
import os
import subprocess
import sys
import time

import pytest
from aiohttp import web

from adapter.redis import keys
from adapter.steps.recovery import KNOWN_LIMIT
from podjobs.backends.files import FileStorage
from podjobs.contract.errors import InvalidRequestError
from podjobs.media.abandoned_work import ABANDONED_S
from support.parts import new_function
from support.problems import answer_of
from support.processes import REPOSITORY, wait_for
from support.serving import serving
from support.step_function import FakeFunction

NOTHING = "There is no work folder of an unknown job."


@pytest.fixture
def storage(tmp_path):
    """With work of a lost job, which is old, and of another one, which is not."""
    root = tmp_path / "media"
    root.mkdir()
    storage = FileStorage(root, "/media")
    for job_id, age_s in (("old", ABANDONED_S + 600), ("young", 600)):
        storage.start_work(job_id, "encoding of 17")
        os.utime(root / "work" / job_id, (time.time() - age_s,) * 2)
    return storage


@pytest.fixture
def serve_steps(start, storage, tmp_path):
    """Run the function and an adapter."""
    settings = {"MEDIA_ROOT": "/media", "MEDIA_URL": (tmp_path / "media").as_uri()}
    function = new_function("encoding", REPOSITORY / "functions" / "encoding" / "main.py", settings, tmp_path)
    function.start()
    start(PODJOBS_FUNCTION_URL_ENCODING=function.wait().page).wait()
    yield
    function.kill()


@pytest.fixture
def background(environment):
    """Run the command beside the test."""
    started = []

    def run(*arguments):
        argv = [sys.executable, "-m", "adapter", "clean", *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(argv, env=environment, cwd=REPOSITORY, **pipes))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.communicate()


def recoveries(client):
    return {job_id: client.hgetall(keys.job(job_id)) for job_id in client.zrange(keys.JOBS, 0, -1)}


def test_clean_removes_what_nobody_needs_and_says_so(command, serve_steps, storage, client):
    client.sadd(keys.LIVE, "young")
    cleaned = command("clean")
    assert cleaned.returncode == 0, cleaned.stderr
    (line,) = cleaned.stdout.splitlines()
    assert line.startswith("The job old (encoding of 17) has a work folder")
    assert line.endswith("The folder was removed.")
    assert (storage.has_work("old"), storage.has_work("young")) == (False, True)
    again = command("clean")
    assert (again.returncode, again.stdout.strip()) == (0, NOTHING)


def test_clean_dry_run_removes_nothing_and_says_what_would_go(command, serve_steps, storage):
    cleaned = command("clean", "--dry-run")
    assert cleaned.returncode == 0, cleaned.stderr
    old, young = cleaned.stdout.splitlines()
    assert old.endswith("The folder would be removed.")
    assert young.endswith("The folder is removed when it has not changed for a day.")
    assert (storage.has_work("old"), storage.has_work("young")) == (True, True)


def test_clean_json_is_one_object(command, serve_steps):
    cleaned = command("clean", "--dry-run", "--json")
    (line,) = cleaned.stdout.splitlines()
    said = json.loads(line)
    assert said["id"].startswith("recovery-")
    assert (said["state"], said["reason"], len(said["log"])) == ("done", "", 2)


def test_clean_without_an_adapter_says_so_and_the_job_goes_on(command, client):
    ended = command("clean", "--wait", "1")
    assert ended.returncode == 1
    assert "Nothing was done within 1 s. No adapter has taken it up" in ended.stderr
    ((job_id, record),) = recoveries(client).items()
    assert f"`job {job_id}` shows how it ends." in ended.stderr
    assert record["state"] == "queued"


def test_clean_without_a_function_says_why_and_the_job_goes_on(command, client, start):
    start().wait()
    ended = command("clean", "--wait", "3", "--json")
    assert ended.returncode == 1
    said = json.loads(ended.stdout)
    assert said["state"] == "running"
    assert said["reason"]
    assert f"There is no result within 3 s. {said['reason']} The job {said['id']} goes on by itself" in ended.stderr
    assert client.sismember(keys.LIVE, said["id"])


def test_clean_that_the_function_refuses_says_why(command, start):
    """As one does that does not know dry runs."""
    application = web.Application()
    refusal = InvalidRequestError("The step is not valid: job: dry_run: Extra inputs are not permitted.")
    function = FakeFunction([answer_of(refusal)])
    application.router.add_post("/", function.handle)
    with serving(application) as url:
        start(PODJOBS_FUNCTION_URL_ENCODING=f"{url}/").wait()
        ended = command("clean", "--dry-run")
    assert ended.returncode == 1
    assert "has failed: The step is not valid: job: dry_run: Extra inputs are not permitted." in ended.stderr


def test_clean_twice_at_once_the_newer_takes_the_place_of_the_older(background, client):
    older = background()
    wait_for(lambda: recoveries(client), 10)
    dry_run = background("--dry-run", "--wait", "1")
    newer = background("--wait", "1")
    assert "was superseded: somebody else has asked for the same." in older.communicate()[1]
    assert older.returncode == 1
    for other in (dry_run, newer):
        assert "No adapter has taken it up" in other.communicate()[1]


def test_clean_with_very_many_jobs_in_work_does_nothing(command, client):
    client.sadd(keys.LIVE, *(f"job-{number}" for number in range(KNOWN_LIMIT + 1)))
    ended = command("clean")
    assert ended.returncode == 1
    assert "More than 1500 jobs are in work" in ended.stderr
    assert recoveries(client) == {}


def test_clean_without_redis_says_so(environment, command):
    environment["ENCODING_TRANSCODING_CELERY_BROKER_URL"] = "redis://127.0.0.1:1/0"
    ended = command("clean")
    assert ended.returncode == 3
    assert "Redis does not answer" in ended.stderr
    assert "Traceback" not in ended.stderr
