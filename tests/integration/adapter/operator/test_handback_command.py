"""The operator's commands that hand queues back to Pod's workers and take them over again."""

import json

import pytest

from adapter.redis import keys
from local.client import request_encoding
from support.jobs import encoding_message
from support.processes import wait_for


def test_handback_says_what_it_did_and_what_is_left_to_do_and_takeover_ends_it(command, client):
    client.lpush("encoding", encoding_message("job-3", 3))
    client.lpush("encoding-pod", encoding_message("job-1", 1), encoding_message("job-2", 2))
    client.sadd(keys.LIVE, "job-0", "job-00")
    client.hset(keys.job("job-0"), "type", "encoding")
    client.hset(keys.job("job-00"), "type", "studio")

    preview = command("handback", "encoding", "--dry-run")
    assert preview.returncode == 0, preview.stderr
    assert "Messages on encoding-pod, which would go back to it: 2." in preview.stdout
    assert client.llen("encoding-pod") == 2
    assert not client.exists(keys.handed_back("encoding"))

    done = command("handback", "encoding")
    assert done.returncode == 0, done.stderr
    assert "no adapter reads it any more." in done.stdout
    assert "Messages on the queue, for Pod's workers: 3." in done.stdout
    assert "back on it: 2 from encoding-pod." in done.stdout
    assert "Jobs that are accepted and will be finished here: 2. Keep the adapter" in done.stdout
    assert (
        "celery -A pod.video_encode_transcript.encoding_tasks worker -l INFO -Q encoding --concurrency 1" in done.stdout
    )
    assert client.llen("encoding") == 3

    assert "the adapters read it again" in command("takeover", "encoding").stdout
    assert not client.exists(keys.handed_back("encoding"))


def test_handback_and_takeover_tell_programs_one_object_for_each_queue(command, client):
    client.lpush("encoding-pod", encoding_message("job-1", 1))
    client.sadd(keys.LIVE, "job-0")
    client.hset(keys.job("job-0"), "type", "encoding")
    done = command("handback", "encoding", "xapi", "--json")
    assert done.returncode == 0, done.stderr
    encoding, xapi = (json.loads(line) for line in done.stdout.splitlines())
    worker = (
        "celery -A pod.video_encode_transcript.encoding_tasks worker -l INFO -Q encoding --concurrency 1 -n encoding"
    )
    returned = {"in_hand": 0, "from_left": 1, "from_gone": 0}
    own = {"queue": "encoding", "done": "handed back", "waiting": 1, "accepted": 1, "problem": ""}
    assert encoding == returned | own | {"worker": worker}
    assert (xapi["queue"], xapi["waiting"]) == ("xapi", 0)
    taken = [
        json.loads(line) for line in command("takeover", "encoding", "transcripting", "--json").stdout.splitlines()
    ]
    assert [(one["queue"], one["done"]) for one in taken] == [("encoding", "taken over"), ("transcripting", "nothing")]


@pytest.mark.slow
def test_handback_that_leaves_something_says_so_to_programs(command, client):
    client.sadd(keys.LIVE, "job-0")
    client.hset(keys.job("job-0"), "type", "transcription")
    (preview,) = command("handback", "transcripting", "--dry-run", "--json").stdout.splitlines()
    assert json.loads(preview)["would"] == "handed back"
    ended = command("handback", "transcripting", "--wait", "1", "--json")
    assert ended.returncode == 1
    last = json.loads(ended.stdout.splitlines()[-1])
    assert last["accepted"] == 1
    assert last["problem"] in ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [("handback",), ("handback", "--all", "xapi"), ("takeover",), ("handback", "mail")]
)
def test_handback_without_a_queue_of_pod_is_refused(command, arguments):
    ended = command(*arguments)
    assert ended.returncode == 2
    assert "encoding, transcripting, xapi" in ended.stderr.replace("'", "")
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_handback_all_names_the_worker_of_each_queue(command, client):
    client.xadd(keys.STATEMENTS, {"statement": "{}"})
    done = command("handback", "--all")
    assert done.returncode == 0
    for line in (
        "celery -A pod.video_encode_transcript.encoding_tasks worker -l INFO -Q encoding --concurrency 1 -n encoding",
        "celery -A pod.video_encode_transcript.transcripting_tasks worker -l INFO -Q transcripting --concurrency 1",
        "celery -A pod.xapi.xapi_tasks worker -l INFO -Q xapi --concurrency 1 -n xapi",
        "Statements that are accepted and will be finished here: 1.",
    ):
        assert line in done.stdout


@pytest.mark.slow
def test_handback_waits_no_longer_than_it_is_told_for_what_is_accepted(command, client):
    client.sadd(keys.LIVE, "job-0")
    client.hset(keys.job("job-0"), "type", "transcription")
    ended = command("handback", "transcripting", "--wait", "1")
    assert ended.returncode == 1
    assert "transcripting: accepted and not finished yet: 1." in ended.stderr
    assert client.exists(keys.handed_back("transcripting"))
    client.xadd(keys.DEAD, {"kind": "statement", "statement": "{}", "problem": "{}"})  # nobody waits for these
    finished = command("handback", "encoding", "xapi", "--wait", "60")
    assert finished.returncode == 0
    assert finished.stdout.endswith("xapi: all that was accepted is finished.\n")


@pytest.mark.slow
def test_handed_back_queue_is_said_by_the_pages_the_log_and_check_and_survives_a_restart(
    start, command, environment, client, redis_url
):
    adapter = start(PODJOBS_SHARE="50").wait()
    assert command("handback", "encoding").returncode == 0
    sentence = "The queue encoding is handed back to Pod's workers"
    adapter.wait_for(lambda: sentence in adapter.get("readyz").text)
    assert adapter.get("readyz").status_code == 200
    assert adapter.get("readyz").text.startswith("ready\n")
    assert adapter.get("status").json()["shares"]["encoding"]["handed_back_at"] > 1_700_000_000
    assert sentence in adapter.said()
    environment |= {"PODJOBS_HEALTH_PORT": adapter.url.rpartition(":")[2], "PODJOBS_SHARE": "50"}
    checked = command("check")
    assert checked.returncode == 1
    assert len([line for line in checked.stdout.splitlines() if sentence in line]) == 2
    assert adapter.stop() == 0

    again = start(PODJOBS_SHARE="50").wait()
    request_encoding(redis_url, 7, "/media/7.mp4")
    again.wait_for(lambda: sentence in again.said())
    assert client.llen("encoding") == 1
    assert command("takeover", "encoding").returncode == 0
    wait_for(lambda: client.llen("encoding-pod") == 1, 5)
    assert again.get("status").json()["shares"]["encoding"]["forwarded"] == 1
    environment["PODJOBS_HEALTH_PORT"] = "0"
    assert (
        "50 % are taken: 0 messages so far; 1 was left to Pod's workers, for whom 1 waits." in command("check").stdout
    )
