"""The operator's commands that show jobs."""

import json


def test_jobs_lists_them_with_state_progress_and_reason(command, fail_job):
    fail_job()
    listed = command("jobs")
    assert listed.returncode == 0, listed.stderr
    (_, line) = listed.stdout.splitlines()
    assert line.split()[:5] == ["job-1", "encoding", "7", "failed", "25%"]
    assert line.rstrip().endswith("It is broken.")
    assert command("jobs", "--state", "done").stdout.splitlines()[1:] == []
    assert json.loads(command("jobs", "--json").stdout)["state"] == "failed"


def test_job_shows_one_with_its_log(command, fail_job):
    fail_job()
    shown = command("job", "job-1").stdout
    for text in ("videos/7.mp4", "It is broken.", "It was tried."):
        assert text in shown
    missing = command("job", "nothing")
    assert missing.returncode == 1
    assert "There is no job 'nothing'" in missing.stderr


def test_commands_without_redis_say_so(environment, command):
    environment["ENCODING_TRANSCODING_CELERY_BROKER_URL"] = "redis://127.0.0.1:1/0"
    ended = command("jobs")
    assert ended.returncode == 3
    assert "Redis does not answer" in ended.stderr
    assert "Traceback" not in ended.stderr
