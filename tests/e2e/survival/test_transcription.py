"""Transcriptions survive, too: what was heard is not heard again, and Pod gets one file of captions."""

import json

import pytest

from local.client import request_transcription
from local.models import found_models
from support.speech import TEXT, speak, word_errors
from support.stack import RunningStack
from support.survival import SETTINGS, Patient, check_nothing_left
from support.transcriber import text_of

SHORT_PARTS = {"PODJOBS_PART_MIN_S": "5", "PODJOBS_PART_MAX_S": "10", "PODJOBS_PARTS_PER_SOUND": "6"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    settings = SETTINGS | SHORT_PARTS | {"TRANSCRIPTION_MODEL_PARAM": found_models("en")}
    running = RunningStack(tmp_path_factory.mktemp("stacks") / "state", settings).start()
    yield running
    running.stop()
    assert running.processes() == []


@pytest.fixture
def send(stack, tmp_path_factory):
    """Ask for captions of a sound as Pod does."""
    stack.wait_until(stack.takes_messages)

    def send(video_id, content=None):
        folder = stack.media_dir / "videos" / f"user{video_id}"
        sound = folder / "audio_192k.mp3"
        if content is None:
            speak(sound)
        else:
            folder.mkdir(parents=True)
            sound.write_bytes(content)
        path = f"{stack.facts['media_root']}/videos/{folder.name}/{sound.name}"
        job_id = request_transcription(stack.broker_url, video_id, path, 0, "en")
        return Patient(stack, job_id, video_id, folder)

    return send


def told(job):
    """What Pod was told of a video; it was told once."""
    calls = job.stack.journal("/rest/store_remote_transcripted_video/")
    (call,) = [call for call in calls if call["query"] == {"id": str(job.video_id)} and call["status"] == 200]
    return call


@pytest.mark.parametrize(
    ("video_id", "part"),
    [
        (901, None),
        (902, "transcription"),
        pytest.param(903, "adapter", marks=pytest.mark.slow),
        pytest.param(904, "redis", marks=pytest.mark.slow),
    ],
)
def test_kill_part_captions_are_made_and_pod_is_told_once(stack, send, video_id, part):
    job = send(video_id)
    job.wait_until("transcribe", 0.01)
    if part:
        stack.kill(part)
    progress = job.wait_end()
    assert (progress.state, progress.error) == ("done", ""), stack.log()
    assert word_errors(" ".join(TEXT), text_of(told(job)["imported"]["text"])) < 0.15
    assert not list((stack.media_dir / "temp").iterdir())
    check_nothing_left(stack)


def test_sound_that_cannot_be_read_pod_gets_an_empty_file_and_the_reason(stack, send):
    job = send(905, b"no sound")
    assert job.wait_end().state == "failed"
    call = told(job)
    assert call["imported"]["captions"] == 0
    assert "no media file that can be read" in call["imported"]["msg"]
    assert json.loads(call["body"])["video_id"] == 905
