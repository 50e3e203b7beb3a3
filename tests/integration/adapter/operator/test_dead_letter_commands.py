"""The operator's commands that show, replay and drop dead letters."""

import json

import pytest
import redis

from adapter.door.celery_jobs import STUDIO_TASK
from adapter.redis import keys
from support.jobs import studio_message
from support.statements import new_statement


@pytest.fixture
def dead_letter(client, problem):
    """Store a dead letter. Returns its id."""

    def add(kind, **fields):
        return client.xadd(keys.DEAD, {"kind": kind, **fields, "problem": problem})

    return add


@pytest.fixture
def dead_statement(dead_letter):
    def add(number):
        return dead_letter("statement", statement=json.dumps(new_statement(number)))

    return add


def test_dead_replay_of_a_job_starts_it_anew(command, client, fail_job):
    entry_id = fail_job()
    assert entry_id in command("dead", "list").stdout
    assert json.loads(command("dead", "show", entry_id).stdout)["job"] == "job-1"
    replayed = command("dead", "replay", entry_id)
    assert replayed.stdout.strip() == "The job job-1 was restarted from the beginning."
    assert client.hget(keys.job("job-1"), "state") == "queued"
    again = command("dead", "replay", entry_id)
    assert again.returncode == 1
    assert "There is no entry" in again.stderr


def test_dead_replay_of_a_job_of_another_version_says_what_to_do(command, client, dead_letter):
    entry_id = dead_letter("job", job="job-1", type="encoding", target="7", params='{"type": "encoding"}')
    replayed = command("dead", "replay", entry_id)
    assert replayed.returncode == 1
    assert "does not match this version" in replayed.stderr
    assert "Request it again in Pod." in replayed.stderr
    assert client.xlen(keys.DEAD) == 1


def test_dead_drop_forgets_an_entry_for_good(command, client, fail_job):
    entry_id = fail_job()
    assert command("dead", "drop", entry_id).stdout.strip() == f"The entry {entry_id} is gone."
    assert client.xlen(keys.DEAD) == 0
    assert client.hget(keys.job("job-1"), "state") == "failed"
    assert command("dead", "drop", entry_id).returncode == 1


@pytest.mark.parametrize(
    ("kept", "raw"), [({"raw": "rubbish é"}, "rubbish é".encode()), ({"raw_base64": "//4A"}, b"\xff\xfe\x00")]
)
def test_dead_replay_of_a_message_puts_it_back_on_its_queue_byte_for_byte(
    command, client, dead_letter, redis_url, kept, raw
):
    entry_id = dead_letter("message", queue="encoding", **kept)
    replayed = command("dead", "replay", entry_id)
    assert replayed.returncode == 0, replayed.stderr
    with redis.Redis.from_url(redis_url) as binary:
        assert binary.lrange("encoding", 0, -1) == [raw]
    assert client.xlen(keys.DEAD) == 0


def test_dead_recordings_of_versions_that_did_not_know_them_are_replayed_by_their_reason(command, client):
    raw = studio_message("job-1", 8).decode()
    detail = f"The task {STUDIO_TASK!r} is not supported by this version, expected: another."
    problem = json.dumps({"title": "The request is not valid.", "status": 400, "detail": detail})
    client.xadd(keys.DEAD, {"kind": "message", "queue": "encoding", "raw": raw, "problem": problem})
    done = command("dead", "replay", "--all", "message", "--reason", "start_studio_task")
    assert done.returncode == 0, done.stderr
    assert client.lrange("encoding", 0, -1) == [raw]


def test_dead_replay_of_a_statement_puts_it_into_the_stream_again(command, client, dead_statement):
    entry_id = dead_statement(1)
    listed = command("dead", "list").stdout
    assert f"statement {new_statement(1)['id']}" in listed
    assert "It is broken." in listed
    shown = json.loads(command("dead", "show", entry_id).stdout)
    assert json.loads(shown["statement"]) == new_statement(1)
    replayed = command("dead", "replay", entry_id)
    assert replayed.stdout.strip() == f"The statement {new_statement(1)['id']} goes to the LRS with the next batch."
    ((_, fields),) = client.xrange(keys.STATEMENTS)
    assert json.loads(fields["statement"]) == new_statement(1)
    assert client.xlen(keys.DEAD) == 0


def test_dead_drop_of_a_statement_forgets_it(command, client, dead_statement):
    entry_id = dead_statement(1)
    assert command("dead", "drop", entry_id).returncode == 0
    assert client.xlen(keys.DEAD) == client.xlen(keys.STATEMENTS) == 0


def test_dead_all_of_a_kind_are_listed_replayed_or_dropped_together(command, client, dead_letter, dead_statement):
    dead_letter("job", job="job-1")
    for number in range(450):
        dead_statement(number)
    listed = command("dead", "list", "--kind", "job").stdout.splitlines()
    assert len(listed) == 2
    replayed = command("dead", "replay", "--all", "statement")
    assert len(replayed.stdout.splitlines()) == 450
    stored = [json.loads(fields["statement"])["id"] for _, fields in client.xrange(keys.STATEMENTS)]
    assert stored == [new_statement(number)["id"] for number in range(450)]
    assert client.xlen(keys.DEAD) == 1
    assert command("dead", "drop", "--all", "job").returncode == 0
    assert client.xlen(keys.DEAD) == 0


@pytest.mark.parametrize("arguments", [(), ("--all", "job", "1-1")])
def test_dead_replay_without_a_clear_choice_is_refused(command, arguments):
    ended = command("dead", "replay", *arguments)
    assert ended.returncode == 2
    assert "Name entries, or a kind with --all." in ended.stderr


def test_dead_replay_of_a_message_of_xapi_goes_to_its_own_broker(command, dead_letter, environment, redis_url):
    other = f"{redis_url[:-1]}3"
    environment["XAPI_CELERY_BROKER_URL"] = other
    entry_id = dead_letter("message", queue="xapi", raw="rubbish")
    assert command("dead", "replay", entry_id).returncode == 0
    with redis.Redis.from_url(other) as broker:
        assert broker.lrange("xapi", 0, -1) == [b"rubbish"]


def test_dead_letters_as_json_say_what_was_done_and_what_would_be(command, client, dead_statement):
    first, second = dead_statement(1), dead_statement(2)
    preview = json.loads(command("dead", "drop", "--all", "statement", "--dry-run", "--json").stdout)
    assert (preview["would"], sorted(preview["entries"])) == ("dropped", [first, second])
    dropped = command("dead", "drop", first, "1-1", "--json")
    assert (dropped.returncode, json.loads(dropped.stdout)) == (1, {"dropped": [first], "missing": ["1-1"]})
    replayed = command("dead", "replay", second, "1-1", "--json")
    assert replayed.returncode == 1
    assert json.loads(replayed.stdout) == {
        "replayed": [second],
        "problem": "There is no entry '1-1'; `dead list` shows them.",
    }
    assert "1 entry before it was replayed." in replayed.stderr
    assert client.xlen(keys.DEAD) == 0
