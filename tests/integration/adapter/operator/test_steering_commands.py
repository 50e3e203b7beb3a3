"""The commands that change what becomes of jobs, functions and adapters."""

import json

import pytest

from adapter.redis import keys
from local.client import request_encoding
from support.processes import wait_for


@pytest.fixture
def paused_job(start, command, client, redis_url):
    """A job that waits since its function is paused. Returns its id."""
    start().wait()
    command("pause", "all")
    job_id = request_encoding(redis_url, 7, "/media/videos/anna/7.mp4")
    wait_for(lambda: client.exists(keys.job(job_id)), 5)
    return job_id


def test_cancel_by_the_beginning_of_an_id_tells_pod_why(paused_job, command, client):
    ended = command("cancel", paused_job[:8], "--why", "wrong file")
    assert (ended.returncode, ended.stdout) == (0, "1 job was cancelled.\n")
    record = client.hgetall(keys.job(paused_job))
    assert record["state"] == "failing"
    assert "The reason given is: wrong file." in record["error"]
    again = command("cancel", "video:7")
    assert again.returncode == 1
    assert "It is failing: only a job that waits or runs can be cancelled." in again.stderr


def test_cancel_by_conditions_lists_asks_and_counts(paused_job, command, client):
    dry = command("cancel", "--owner", "anna", "--dry-run")
    assert dry.returncode == 0
    assert paused_job in dry.stdout
    assert "1 job would be cancelled." in dry.stdout
    assert client.hget(keys.job(paused_job), "state") == "queued"
    assert command("cancel", "--owner", "bert").returncode == 1
    done = command("cancel", "--owner", "anna", "--yes", "--json")
    assert json.loads(done.stdout) == {"done": [paused_job], "refused": {}}


def test_bulk_changes_without_anybody_to_ask_need_yes(fail_job, command, client):
    fail_job("job-1")
    fail_job("job-2")
    refused = command("retry", "--since", "2020-01-01")
    assert refused.returncode == 1
    assert "2 jobs would be run anew. Say --yes, or look at them with --dry-run." in refused.stderr
    done = command("retry", "--reason", "it is broken", "--yes")
    assert (done.returncode, done.stdout) == (0, "2 jobs were run anew.\n")
    # both are for the same video
    assert {client.hget(keys.job(job_id), "state") for job_id in ("job-1", "job-2")} == {"queued", "superseded"}


@pytest.mark.parametrize("arguments", [("cancel",), ("retry", "job-1", "--state", "failed")])
def test_bulk_changes_take_either_names_or_conditions(command, arguments):
    refused = command(*arguments)
    assert refused.returncode == 2
    assert "Name jobs, or choose them by options" in refused.stderr


def test_names_of_jobs_that_are_unknown_or_ambiguous_are_refused(fail_job, command):
    fail_job("job-1")
    fail_job("job-2")
    ambiguous = command("show", "job-")
    assert ambiguous.returncode == 1
    assert "2 jobs begin with 'job-': " in ambiguous.stderr
    assert "There is no job 'video:8'" in command("show", "video:8").stderr
    assert json.loads(command("show", "video:7", "--json").stdout)["target"] == "7"


def test_pause_and_resume_say_what_they_do(command, client):
    assert command("pause", "encoding").stdout == (
        "The function encoding is paused. `resume encoding` lets it go on.\n"
    )
    assert set(client.hkeys(keys.PAUSED)) == {"encoding"}
    assert command("resume", "encoding").stdout == "The function encoding is no longer paused.\n"
    assert command("resume", "encoding").stdout == "The function encoding is not paused.\n"
    command("pause", "all")
    still = command("resume", "encoding")
    assert still.returncode == 1
    assert "All functions are paused" in still.stderr
    assert command("pause", "encodings").returncode == 2


def test_drain_waits_until_the_adapter_has_nothing_left(start, command):
    adapter = start(PODJOBS_LEASE_S="1").wait()
    (about,) = map(json.loads, command("adapters", "--json").stdout.splitlines())
    drained = command("drain", about["id"][:20], "--wait", "--json")
    assert json.loads(drained.stdout) == {"adapter": about["id"], "state": "drained"}
    assert "drained" in command("adapters").stdout
    adapter.stop()
    assert "No adapter's name begins with" in command("drain", "nobody").stderr
    assert command("adapters").returncode == 1
