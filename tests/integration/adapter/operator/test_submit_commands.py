"""The commands that request jobs in Pod's place, and the one that teaches shells."""

import json

import pytest

from adapter.door.celery_jobs import read_job
from adapter.redis import keys
from podjobs.contract.jobs import EncodingJob, TranscriptionJob
from podjobs.contract.media_paths import MediaPaths
from support.jobs import studio_job
from support.processes import wait_for


def test_submitted_encoding_is_read_by_the_door_as_pods_own(command, client, redis_url):
    done = command("submit", "encoding", "7", "/media/videos/anna/été.mp4", "--cut", "1", "2.5", "--json")
    assert done.returncode == 0, done.stderr
    (raw,) = client.lrange("encoding", 0, -1)
    job = read_job(raw.encode(), MediaPaths("/media"))
    assert isinstance(job, EncodingJob)
    assert (job.id, job.target, job.source) == (json.loads(done.stdout)["id"], "7", "videos/anna/été.mp4")
    assert (job.cut.start_s, job.cut.end_s) == (1, 2.5)


def test_submitted_transcription_is_read_by_the_door_as_pods_own(command, client):
    done = command("submit", "transcription", "7", "/media/7.mp3", "fr")
    (raw,) = client.lrange("transcripting", 0, -1)
    job = read_job(raw.encode(), MediaPaths("/media"))
    assert isinstance(job, TranscriptionJob)
    assert (job.language, job.source) == ("fr", "7.mp3")
    assert done.stdout == f"The job {job.id} was put on the queue transcripting.\n"


def test_submitted_recording_is_read_by_the_door_as_pods_own(command, client):
    paths = [f"/media/opencast-files/a1/{name}" for name in ("presentation.webm", "presenter.webm", "a1.mp4")]
    options = [f"--{name}={path}" for name, path in zip(("presentation", "presenter", "output"), paths, strict=True)]
    done = command("submit", "studio", "--recording=8", "--layout=piph", "--start=1.25", "--end=6.5", *options)
    assert done.returncode == 0, done.stderr
    (raw,) = client.lrange("encoding", 0, -1)
    asked = {"subtime": "-ss 1.25 -to 6.5", "presenter": "piph"}
    job = read_job(raw.encode(), MediaPaths("/media"))
    assert job == studio_job(job.id, 8, **asked)
    assert job.refusal is None


def test_job_of_a_recording_is_found_by_its_number_and_its_type(command, client, fail_job):
    fail_job("job-1")  # of the video 7
    job = studio_job("job-2", 7)
    record = {"type": job.type, "target": job.target, "params": job.model_dump_json(), "state": "done"}
    client.hset(keys.job("job-2"), mapping=record | {"accepted_at": "1700000000.5", "ended_at": "1700000009.5"})
    client.zadd(keys.JOBS, {"job-2": 2})
    assert json.loads(command("show", "recording:7", "--json").stdout)["id"] == "job-2"
    (listed,) = command("jobs", "--type", "studio", "--json").stdout.splitlines()
    assert json.loads(listed)["id"] == "job-2"


def test_submitted_job_is_taken_by_an_adapter(command, client, start):
    start().wait()
    job_id = json.loads(command("submit", "encoding", "7", "/media/7.mp4", "--json").stdout)["id"]
    wait_for(lambda: client.exists(keys.job(job_id)), 10)


@pytest.mark.parametrize(
    "arguments",
    [
        ("encoding", "7", "videos/7.mp4"),
        ("encoding", "-7", "/7.mp4"),
        ("cooking", "7"),
        ("studio", "--recording=8", "--output=/media/a.mp4"),
        ("studio", "--recording=8", "--output=a.mp4", "--presenter=/media/b.webm"),
        ("studio", "--recording=8", "--output=/media/a.mp4", "--presenter=b.webm"),
        ("studio", "--recording=8", "--output=/media/a.mp4", "--presenter=/media/b.webm", "--layout=pip"),
    ],
)
def test_submit_of_what_cannot_be_done_is_refused_and_nothing_is_put_on_a_queue(command, client, arguments):
    assert command("submit", *arguments).returncode == 2
    assert client.llen("encoding") == 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_of_the_shell_for_podjobs(command, shell):
    done = command("completion", shell)
    assert done.returncode == 0
    assert "_PODJOBS_COMPLETE" in done.stdout
    assert "podjobs" in done.stdout


def test_completion_knows_commands_and_their_choices(command, environment):
    environment |= {"_PODJOBS_COMPLETE": "bash_complete", "COMP_WORDS": "podjobs pause enc", "COMP_CWORD": "2"}
    assert command().stdout == "plain,encoding\n"


def test_dead_letters_are_chosen_by_reason_and_time_and_only_listed_in_a_dry_run(command, client, fail_job):
    first, second = fail_job("job-1", "1700000000000-0"), fail_job("job-2", "1800000000000-0")
    listed = command("dead", "drop", "--all", "job", "--since", "2024-01-01", "--dry-run")
    assert listed.returncode == 0
    assert second in listed.stdout
    assert first not in listed.stdout
    assert client.xlen(keys.DEAD) == 2
    assert command("dead", "drop", "--all", "job", "--reason", "IS BROKEN", "--since", "2024-01-01").returncode == 0
    assert [entry for entry, _ in client.xrange(keys.DEAD)] == [first]
    assert command("dead", "drop", first, "--reason", "x").returncode == 2
    (line,) = command("dead", "list", "--json").stdout.splitlines()
    assert json.loads(line)["what"] == "job-1"
