"""The commands that request jobs in Pod's place, and the one that teaches shells."""

import json

import pytest

from adapter.door.celery_jobs import read_job
from adapter.redis import keys
from podjobs.contract.jobs import DressingRequest, EncodingJob, TranscriptionJob
from podjobs.contract.media_paths import MediaPaths
from support.jobs import studio_job
from support.processes import wait_for


@pytest.fixture
def media(environment, tmp_path):
    """A media root with some files; Pod sees it elsewhere."""
    folder = tmp_path / "media"
    for name in ("videos/anna/été.mp4", "videos/anna/0007/audio_192k.mp3", "videos/end.mp4", "files/mark.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    environment |= {"MEDIA_ROOT": "/pod/media", "MEDIA_URL": folder.as_uri()}
    return folder


def read_one(client, queue):
    (raw,) = client.lrange(queue, 0, -1)
    return read_job(raw.encode(), MediaPaths("/pod/media"))


def test_submitted_encoding_is_read_by_the_door_as_pods_own(command, client, media):
    done = command("submit", "encoding", "7", "/pod/media/videos/anna/été.mp4", "--cut", "1", "2.5", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    job = read_one(client, "encoding")
    assert isinstance(job, EncodingJob)
    assert (job.id, job.target, job.source) == (json.loads(done.stdout)["id"], "7", "videos/anna/été.mp4")
    assert (job.cut.start_s, job.cut.end_s) == (1, 2.5)
    assert job.dressing is None


def test_submitted_dressing_is_read_by_the_door_as_pods_own(command, client, media):
    dressed = ("--watermark", "files/mark.png", "--position", "bottom_left", "--opacity", "40")
    dressed += ("--opening", "/pod/media/videos/end.mp4", "--ending", "videos/end.mp4")
    done = command("submit", "encoding", "7", "videos/anna/été.mp4", *dressed)
    assert (done.returncode, done.stderr) == (0, "")
    job = read_one(client, "encoding")
    assert job.refusal is None
    assert job.dressing == DressingRequest(
        watermark="files/mark.png",
        position="bottom_left",
        opacity=0.4,
        opening="videos/end.mp4",
        ending="videos/end.mp4",
    )
    assert job.reply_to.request["dressing_input"] == (
        ' -i "/pod/media/files/mark.png" -i "/pod/media/videos/end.mp4" -i "/pod/media/videos/end.mp4"'
    )


def test_submitted_transcription_is_read_by_the_door_as_pods_own(command, client, media):
    done = command("submit", "transcription", "7", "videos/anna/0007/audio_192k.mp3", "fr")
    job = read_one(client, "transcripting")
    assert isinstance(job, TranscriptionJob)
    assert (job.language, job.source) == ("fr", "videos/anna/0007/audio_192k.mp3")
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
    job_id = json.loads(command("submit", "encoding", "7", "/media/7.mp4", "--unchecked", "--json").stdout)["id"]
    wait_for(lambda: client.exists(keys.job(job_id)), 10)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("encoding 7 videos/gone.mp4", "videos/gone.mp4'. Correct the path"),
        pytest.param("encoding -7 videos/end.mp4", "-7", marks=pytest.mark.slow),
        ("studio --recording=8 --output=a.mp4", "Name a source"),
        pytest.param("studio --recording=8 --output=a.mp4 --presenter=b.webm", "There is no", marks=pytest.mark.slow),
        pytest.param("cooking 7", "cooking", marks=pytest.mark.slow),
        pytest.param("encoding 7 videos/anna", "is a folder. Name the file in it.", marks=pytest.mark.slow),
        pytest.param("encoding 7 ../7.mp4", "'../7.mp4' is not a file in Pod's media root", marks=pytest.mark.slow),
        pytest.param("encoding 7 videos/end.mp4 --ending videos/no.mp4", "There is no file", marks=pytest.mark.slow),
        pytest.param("encoding 7 videos/end.mp4 --opacity 40", "add --watermark PATH", marks=pytest.mark.slow),
        pytest.param("transcription 7 gone.mp3 fr", "There is no file", marks=pytest.mark.slow),
    ],
)
def test_submit_of_what_cannot_be_done_is_refused_and_nothing_is_put_on_a_queue(
    command, client, media, arguments, said
):
    refused = command("submit", *arguments.split())
    assert refused.returncode == 2
    assert said in refused.stderr
    assert client.llen("encoding") == client.llen("transcripting") == 0


def test_submit_where_the_media_are_not_says_that_it_has_not_looked(command, client, environment):
    environment["MEDIA_URL"] = "s3://bucket/media"
    done = command("submit", "encoding", "7", "videos/7.mp4")
    assert done.returncode == 0
    assert done.stderr == "Whether the files exist was not checked: the media root is not on this machine.\n"
    assert client.llen("encoding") == 1


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
