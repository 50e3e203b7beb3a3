"""The command that follows jobs."""

from adapter.redis import keys


def test_watch_of_a_job_that_has_failed_says_why_and_ends_with_status_1(fail_job, command, client):
    fail_job()
    client.hset(keys.job("job-1"), "ended_at", "1700000100")
    watched = command("watch", "job-1")
    assert watched.returncode == 1
    assert "job-1  encoding 7  failed  25%" in watched.stdout
    assert "The job job-1 is failed. It is broken." in watched.stderr


def test_watch_of_a_job_that_is_done_ends_with_status_0(fail_job, command, client):
    fail_job()
    client.hset(keys.job("job-1"), mapping={"state": "done", "ended_at": "1700000100"})
    watched = command("watch", "video:7")
    assert watched.returncode == 0
    assert "done  100%" in watched.stdout
