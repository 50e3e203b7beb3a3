"""The operator's commands that show jobs."""

import json
import time

from adapter.redis import keys
from podjobs.contract.errors import Problem


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
    assert "users are told" in shown
    assert "The video could not be encoded: the file could not be processed." in shown
    missing = command("job", "nothing")
    assert missing.returncode == 1
    assert "There is no job 'nothing'" in missing.stderr


def test_show_tells_the_sentence_that_people_read_in_pod_in_their_language(command, environment, client, fail_job):
    fail_job()
    problem = Problem(title="The job cannot be done.", status=422, detail="It is encrypted.", kind="encrypted")
    client.hset(keys.job("job-1"), "error", problem.model_dump_json())
    environment["LANGUAGE_CODE"] = "fr-fr"
    told = json.loads(command("show", "job-1", "--json").stdout)["told"]
    assert told.startswith("La vidéo n'a pas pu être encodée")
    assert "(DRM)" in told
    client.hdel(keys.job("job-1"), "error")
    client.hset(keys.job("job-1"), "trouble", problem.model_dump_json())
    assert json.loads(command("show", "job-1", "--json").stdout)["told"] == ""


def test_commands_without_redis_say_so(environment, command):
    environment["ENCODING_TRANSCODING_CELERY_BROKER_URL"] = "redis://127.0.0.1:1/0"
    ended = command("jobs")
    assert ended.returncode == 3
    assert "Redis does not answer" in ended.stderr
    assert "Traceback" not in ended.stderr


UNTRUSTED = "[/x].mp4 [matroska,webm @ 0x1] :smile: \x1b[2J\u202e"
SHOWN = "[/x].mp4 [matroska,webm @ 0x1] :smile: \N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}"


def test_names_of_uploads_are_no_markup_and_move_no_cursor(command, fail_job, client):
    letter = fail_job()
    client.hset(keys.job("job-1"), "error", Problem(title="Broken.", status=422, detail=UNTRUSTED).model_dump_json())
    client.rpush(keys.job_log("job-1"), UNTRUSTED)
    listed, shown = command("jobs"), command("show", "job-1")
    assert SHOWN in listed.stdout, listed.stderr
    assert shown.stdout.count(SHOWN) == 2, shown.stderr
    client.xadd(keys.DEAD, {"kind": "message", "queue": "encoding", "raw": UNTRUSTED, "problem": UNTRUSTED})
    assert SHOWN in command("dead", "list").stdout
    assert "\x1b" not in command("dead", "show", letter).stdout


def test_step_whose_adapter_is_gone_is_not_said_to_run(command, fail_job, client):
    fail_job()
    client.zadd(keys.ADAPTERS, {"killed": time.time() - 100})
    step = {"job": "job-1", "step": "s0", "action": "chunk", "attempt": 1, "owner": "killed", "since": 1_700_000_010}
    client.hset(keys.running("encoding"), "1-0", json.dumps(step))
    assert "; its adapter is gone, silent for 1 min 4" in command("show", "job-1").stdout
    (running,) = json.loads(command("show", "job-1", "--json").stdout)["running"]
    assert running["is_gone"]
