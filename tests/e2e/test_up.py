"""`scripts/up`, as an administrator uses it."""

import os
import signal
import socket
import subprocess
import time

import httpx
import pytest

from support.fault_lrs import FaultLrs
from support.lrs import LOGIN, PASSWORD
from support.processes import REPOSITORY
from support.s3_server import shared_server
from support.stack import STOP_TIMEOUT_S, command_line
from support.statements import messages_of, new_statement


def test_up_takes_a_job_encodes_it_and_notifies_pod_once(make_stack, pod, clip):
    stack = make_stack(**pod.settings).start()
    job_id = stack.send(clip, video_id=7)

    end = stack.wait(job_id)

    assert end.state == "done", end.error
    (call,) = pod.calls_about(7)
    assert call.status == 200
    assert call.imported.missing == ()
    assert "info_video.json" in {path.name for path in stack.result_dir(clip, 7).iterdir()}
    assert not (stack.media_dir / "work").exists()


@pytest.mark.slow
@pytest.mark.skipif(bool(os.geteuid()), reason="only root may give the media root to another user")
def test_up_whose_files_pod_could_not_delete_says_so_and_so_does_the_functions_page(make_stack, tmp_path):
    media = tmp_path / "media"
    media.mkdir()
    os.chown(media, 1233, 4321)
    stack = make_stack(MEDIA_ROOT="/pod/media", MEDIA_URL=media.as_uri())
    # else root would give Pod what it makes
    stack.prefix = ("setpriv", "--bounding-set=-chown")
    stack.start()
    sentence = f"Pod cannot delete what is written here: folders in the media root '{media}' belong to user 0"
    assert sentence in stack.log()
    url = f"http://127.0.0.1:{stack.facts['ports']['encoding']}/"
    secret = stack.find("adapter")[0].environ()["PODJOBS_FUNCTION_SECRET"]
    assert httpx.get(url).text == "ok\n"
    assert sentence in httpx.get(url, headers={"Authorization": f"Bearer {secret}"}).text
    command = [REPOSITORY / "scripts" / "podjobs", "--state", stack.state_dir, "--env-file", "/dev/null", "check"]
    checked = subprocess.run(command, env=stack.environment, capture_output=True, text=True, check=False)
    assert checked.returncode == 1, checked.stderr
    assert sentence in " ".join(checked.stdout.split())
    assert [line for line in checked.stdout.splitlines() if " fault " in line and sentence not in line] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bucket", "changes", "sentence"),
    [
        pytest.param("no-such-bucket", {}, "there is no bucket 'no-such-bucket' at ", marks=pytest.mark.slow),
        ("{}", {"AWS_SECRET_ACCESS_KEY": "wrong-and-secret"}, "does not accept the credentials"),
        pytest.param("{}", {"PODJOBS_S3_ENDPOINT": "{silent}"}, "does not answer", marks=pytest.mark.slow),
    ],
    ids=["no bucket", "credentials refused", "silent server"],
)
def test_up_says_what_is_wrong_with_the_object_storage_and_starts_nevertheless(
    make_stack, silent_server, bucket, changes, sentence
):
    server = shared_server()
    settings = server.environment | {name: value.format(silent=silent_server) for name, value in changes.items()}
    url = f"s3://{bucket.format(server.bucket)}/up"
    stack = make_stack(MEDIA_ROOT="/pod/media", MEDIA_URL=url, **settings).start()

    said = stack.stderr.read_text()
    assert f"Media root: {url} (Pod calls it /pod/media)." in said
    told = [line for line in said.splitlines() if sentence in line]
    assert [line for line in told if not line.startswith("{")], said
    assert [line for line in told if '"component": "encoding"' in line], said
    assert settings["AWS_SECRET_ACCESS_KEY"] not in said


@pytest.mark.slow
def test_up_with_media_on_an_object_storage_that_works_has_nothing_to_say(make_stack):
    server = shared_server()
    url = f"s3://{server.bucket}/up"
    settings = server.environment | {"POD_MEDIA_URL": "https://pod.example.org/media"}
    stack = make_stack(MEDIA_ROOT="/pod/media", MEDIA_URL=url, **settings).start()
    after = stack.log().partition(f"Media root: {url} (Pod calls it /pod/media).\n")[2]
    assert after.splitlines()[0].startswith("2")  # supervisord's first line
    assert not [line for line in stack.log_lines() if '"warning"' in line]


@pytest.fixture
def silent_server():
    """A server that accepts connections and answers nothing."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(100)
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_up_stops_within_ten_seconds_and_leaves_no_process(stack, number):
    status, took_s = stack.stop(number)

    assert status == 0, stack.log()
    assert took_s < STOP_TIMEOUT_S
    assert stack.processes() == []


@pytest.mark.slow
def test_up_stops_in_time_while_it_encodes_and_goes_on_after_the_next_start(make_stack, pod, make_clip):
    video = make_clip("long.mp4", seconds=20, size="1280x720")
    stack = make_stack(FFMPEG_PRESET="slow", **pod.settings).start()
    job_id = stack.send(video)
    stack.wait_until(lambda: stack.find("ffmpeg") != [])

    status, took_s = stack.stop()

    assert status == 0, stack.log()
    assert took_s < STOP_TIMEOUT_S
    assert stack.processes() == []
    stack.environment["FFMPEG_PRESET"] = "ultrafast"
    stack.start()
    assert stack.wait(job_id).state == "done"
    assert len(pod.calls_about(1)) == 1


@pytest.mark.parametrize(
    "program",
    [
        "adapter",
        "supervisord",
        *(pytest.param(program, marks=pytest.mark.slow) for program in ("redis", "encoding", "pod", "notification")),
    ],
)
def test_up_program_killed_comes_back_and_takes_jobs(stack, clip, program):
    before = {process.pid for process in stack.find(program)}
    assert stack.kill(program) > 0

    stack.wait_until(lambda: bool({process.pid for process in stack.find(program)} - before))
    stack.wait_until(stack.takes_messages)

    assert stack.wait(stack.send(clip)).state == "done", stack.log()


@pytest.fixture
def lrs():
    lrs = FaultLrs()
    yield lrs
    lrs.close()


def test_up_with_an_lrs_delivers_statements_also_after_the_function_was_killed(make_stack, lrs):
    stack = make_stack(XAPI_LRS_URL=lrs.url, XAPI_LRS_LOGIN=LOGIN, XAPI_LRS_PWD=PASSWORD).start()
    queue = stack.redis()
    queue.lpush("xapi", *messages_of(0, 20))
    stack.wait_until(lambda: len(lrs.stored) == 20)

    before = {process.pid for process in stack.find("xapi")}
    assert stack.kill("xapi") > 0
    queue.lpush("xapi", *messages_of(20, 20))

    stack.wait_until(lambda: len(lrs.stored) == 40)
    assert not before & {process.pid for process in stack.find("xapi")}
    assert lrs.stored[new_statement(39)["id"]] == new_statement(39)
    assert [path.name for path in files_with(PASSWORD, stack)] == ["xapi.json"]
    assert PASSWORD not in stack.log()
    status, took_s = stack.stop()
    assert files_with(PASSWORD, stack) == []
    assert (status, stack.processes()) == (0, []), stack.log()
    assert took_s < STOP_TIMEOUT_S


def test_up_without_an_lrs_leaves_the_queue_alone_and_says_so(stack):
    stack.redis().lpush("xapi", *messages_of(0, 3))

    assert "XAPI_LRS_URL is not set: the queue xapi is not read." in stack.log()
    assert stack.find("xapi") == []
    assert stack.redis().llen("xapi") == 3


def test_up_wrong_xapi_settings_are_named_before_anything_starts(make_stack):
    stack = make_stack(XAPI_LRS_URL="https://pod:secret@lrs.example.org/", XAPI_ANONYMIZE_ACTOR="true")
    stack.start(ready=False)

    assert stack.process.wait(30) == 2
    for name in ("XAPI_LRS_URL", "XAPI_LRS_LOGIN", "XAPI_LRS_PWD"):
        assert name in stack.log()
    assert "secret" not in stack.log()


def test_up_parent_killed_nothing_survives_it(stack):
    stack.process.send_signal(signal.SIGKILL)
    stack.process.wait()

    stack.wait_until(lambda: stack.processes() == [], timeout_s=STOP_TIMEOUT_S)


def test_up_second_start_in_the_same_folder_is_refused_and_harms_nothing(make_stack):
    first = make_stack("shared").start()
    second = make_stack("shared")
    second.stdout, second.stderr = second.stdout.with_suffix(".out2"), second.stderr.with_suffix(".err2")

    second.start(ready=False)

    assert second.process.wait(30) == 1
    assert "already runs" in second.log()
    assert first.process.poll() is None


def test_up_wrong_settings_are_all_named_at_once_before_anything_starts(make_stack):
    stack = make_stack(
        POD_API_URL="pod.example.org",
        FFMPEG_CRF="99",
        MEDIA_ROOT="media",
        PODJOBS_JOB_TTL_S="none",
        FFMPEG_CMD="nosuch",
    )
    stack.start(ready=False)

    assert stack.process.wait(30) == 2
    message = stack.log()
    for name in ("POD_API_URL", "POD_API_TOKEN", "FFMPEG_CRF", "MEDIA_ROOT", "PODJOBS_JOB_TTL_S"):
        assert name in message
    assert stack.stdout.read_text() == ""
    assert stack.processes() == []
    assert not (stack.state_dir / "supervisord.conf").exists()


def test_up_secret_reaches_the_programs_that_use_it_and_nobody_else(make_stack, tmp_path):
    """What Pod's settings file holds, too."""
    token, password, foreign = "t0k3n-d0n0tshow", "pwd-d0n0tshow", "f0r31gn-d0n0tshow"
    file = tmp_path / "settings_local.py"
    file.write_text(f"SECRET_KEY = {foreign!r}\nXAPI_LRS_LOGIN = 'pod'\nXAPI_LRS_PWD = {password!r}\n")
    more = {"DATABASE_PASSWORD": foreign, "PODJOBS_SETTINGS_FILE": str(file), "XAPI_LRS_URL": "http://127.0.0.1:1/"}
    stack = make_stack(POD_API_TOKEN=token, **more).start()
    programs = ("redis", "pod", "encoding", "notification", "xapi", "adapter", "supervisord")

    found = {program: [process.environ() for process in stack.find(program)] for program in programs}

    assert min(map(len, found.values())) > 0
    secret = found["adapter"][0]["PODJOBS_FUNCTION_SECRET"]
    assert holders_of(token, found) == {"pod", "notification"}
    assert holders_of(password, found) == {"xapi"}
    assert holders_of(secret, found) == {"adapter", "encoding", "notification", "xapi"}
    assert holders_of(foreign, found) == holders_of(str(file), found) == set()
    for value in (token, password, secret, foreign):
        assert [line for line in map(command_line, stack.processes()) if value in line] == []
        assert value not in stack.log()
        for path in files_with(value, stack):
            assert (path.parent.name, path.stat().st_mode & 0o077, path.parent.stat().st_mode & 0o077) == (
                "environments", 0, 0,
            )  # fmt: skip
    stack.stop()
    assert [files_with(value, stack) for value in (token, password, secret, foreign)] == [[], [], [], []]


def holders_of(value, environments):
    """The programs in whose environments a value stands."""
    return {program for program, found in environments.items() if any(value in one.values() for one in found)}


def files_with(value, stack):
    """The files of a stack that contain a value."""
    files = [path for path in stack.state_dir.rglob("*") if path.is_file()]
    return [path for path in files if value.encode() in path.read_bytes()]


def test_up_settings_from_a_dotenv_file_and_the_environment_wins(make_stack, tmp_path):
    env_file = tmp_path / "settings"
    env_file.write_text("PODJOBS_JOB_TTL_S=none\nFFMPEG_CRF=99\n")
    stack = make_stack(FFMPEG_CRF="20")
    argv = ["scripts/up", "--state", str(stack.state_dir), "--env-file", str(env_file)]

    result = subprocess.run(argv, env=stack.environment, capture_output=True, text=True, timeout=60, check=False)

    assert result.returncode == 2
    assert "PODJOBS_JOB_TTL_S" in result.stderr
    assert "FFMPEG_CRF" not in result.stderr


def test_up_without_models_leaves_pods_queue_alone(stack):
    with stack.redis() as client:
        client.lpush("transcripting", "message")
        time.sleep(2)
        assert client.llen("transcripting") == 1
    assert stack.find("transcription") == []
    assert "the queue transcripting is not read" in stack.log()


def test_up_unsupported_engine_is_named_at_start(make_stack):
    stack = make_stack(TRANSCRIPTION_TYPE="VOSK", TRANSCRIPTION_MODEL_PARAM='{"VOSK": {"fr": {"model": "/m"}}}')
    stack.start(ready=False)
    assert stack.process.wait(30) == 2
    assert "VOSK is not supported" in stack.log()


def test_up_no_models_whatever_pods_file_says(make_stack, tmp_path):
    """A site with Pod's VOSK lets Pod's own worker go on."""
    file = tmp_path / "settings_local.py"
    file.write_text('TRANSCRIPTION_TYPE = "VOSK"\nTRANSCRIPTION_MODEL_PARAM = {"VOSK": {"fr": {"model": "/m"}}}\n')
    stack = make_stack(TRANSCRIPTION_MODEL_PARAM="{}", PODJOBS_SETTINGS_FILE=str(file)).start()
    assert stack.find("transcription") == []
