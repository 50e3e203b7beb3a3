"""What people use the images for: all of it in containers, confined as docs/images.md advises."""

import json

import httpx
import pytest

from local.images.catalogue import FUNCTIONS, IMAGES
from support.container_stack import TOKEN, running_containers
from support.containers import GID, UID
from support.media import ffmpeg
from support.processes import wait_for
from support.speech import speak
from support.statements import messages_of

WITHIN_S = 60


@pytest.fixture(scope="module")
def stack(images, tmp_path_factory):
    with running_containers(images, tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(scope="session")
def talk(tmp_path_factory):
    """A video in which somebody speaks."""
    folder = tmp_path_factory.mktemp("talk")
    speech = speak(folder / "speech.wav", "Good morning and welcome to this course on the history of clocks.")
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=640x360:r=25", "-i", speech, "-shortest", folder / "talk.mp4")
    return folder / "talk.mp4"


def test_containers_encode_a_video_and_transcribe_it(stack, talk):
    control = stack.pod.page.rsplit("/", 1)[0]
    httpx.post(f"{control}/1", json={"transcribe": "en"}).raise_for_status()

    made = stack.encode(talk, video_id=1)

    names = {file.name for file in made.iterdir()}
    assert {"360p.mp4", "360p.ts", "livestream.m3u8", "audio_192k.mp3", "info_video.json"} <= names
    assert {(file.stat().st_uid, file.stat().st_gid) for file in made.iterdir()} == {(UID, GID)}
    wait_for(lambda: httpx.get(f"{control}/1").json()["transcription_job"], WITHIN_S, stack.said)
    stack.wait_for_job(httpx.get(f"{control}/1").json()["transcription_job"])
    assert "Good morning" in (stack.media / "tracks" / "0001.vtt").read_text()


def test_containers_deliver_statements(stack):
    stack.redis.lpush("xapi", *messages_of(0, 100))
    wait_for(lambda: len(stack.lrs.statements()) == 100, WITHIN_S, stack.said)


@pytest.mark.parametrize("name", IMAGES)
def test_container_is_healthy_while_it_answers(stack, name):
    assert stack.containers.healthy(stack.name(name)), stack.said()


@pytest.mark.parametrize("name", IMAGES)
def test_container_can_write_nothing_but_its_scratch(stack, name):
    for folder in ("/", "/opt/function", "/opt/venv", "/usr/bin", "/var/tmp", "/run", "/etc"):  # noqa: S108
        done = stack.containers.execute(stack.name(name), "sh", "-c", f"echo > {folder}/x")
        assert done.returncode, folder
    assert stack.containers.execute(stack.name(name), "sh", "-c", "echo > /tmp/x && rm /tmp/x").returncode == 0


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_in_a_container_has_no_privileges(stack, name):
    status = stack.containers.execute(stack.name(name), "cat", "/proc/1/status").stdout
    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert int(facts["CapEff"], 16) == int(facts["CapBnd"], 16) == 0
    assert facts["NoNewPrivs"].strip() == "1"
    assert facts["Uid"].split() == [str(UID)] * 4


def test_media_commands_in_a_container_are_confined_wholly(stack):
    (line,) = [
        line for line in stack.parts["encoding"].said().splitlines() if "How media commands are confined" in line
    ]
    facts = json.loads(line)
    assert "seccomp" in facts["network"]
    assert "Landlock" in facts["files"]


def test_operators_commands_run_in_the_adapters_container(stack):
    done = stack.containers.execute(stack.name("adapter"), "python", "-m", "adapter", "check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert TOKEN not in done.stdout


def test_containers_end_in_order_when_they_are_told_to(stack):
    """Last: it stops them."""
    statuses = {name: stack.parts[name].stop(20) for name in ("adapter", *FUNCTIONS)}
    assert statuses == dict.fromkeys(statuses, 0), stack.said()
    assert "The adapter has stopped." in stack.parts["adapter"].said()
