"""What shells complete from Redis."""

import pytest

from adapter.redis import keys


@pytest.fixture
def complete(command, environment):
    """Complete a command line as bash does: its last word. Returns what is offered."""

    def offered(*words):
        line = {"COMP_WORDS": " ".join(["podjobs", *words]), "COMP_CWORD": str(len(words))}
        environment.update({"_PODJOBS_COMPLETE": "bash_complete", **line})
        done = command()
        assert done.stderr == ""
        return [line.removeprefix("plain,") for line in done.stdout.splitlines() if line]  # none: an empty line

    return offered


def test_jobs_are_completed_as_far_as_the_command_is_made_for_them(complete, client, fail_job):
    fail_job("a-failed")
    fail_job("a-live")
    client.hset(keys.job("a-failed"), "ended_at", "1700000100")
    client.hset(keys.job("a-live"), "state", "running")
    client.sadd(keys.LIVE, "a-live")
    assert sorted(complete("show", "a")) == ["a-failed", "a-live"]
    assert complete("show", "a-f") == ["a-failed"]
    assert complete("show", "b") == []
    assert complete("cancel", "a") == ["a-live"]
    assert complete("retry", "a") == ["a-failed"]


def test_adapters_and_dead_letters_are_completed(complete, client, fail_job):
    entry = fail_job()
    client.zadd(keys.ADAPTERS, {"worker-1": 1, "other": 2})
    assert complete("drain", "wo") == ["worker-1"]
    assert complete("dead", "drop", entry[:5]) == [entry]


def test_nothing_is_completed_and_nothing_said_if_redis_is_away(complete, environment):
    environment["PODJOBS_REDIS_URL"] = "redis://127.0.0.1:1/0"
    environment["ENCODING_TRANSCODING_CELERY_BROKER_URL"] = "redis://127.0.0.1:1/0"
    assert complete("show", "a") == []
