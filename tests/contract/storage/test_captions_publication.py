"""A late step of a transcription that has ended leaves no captions, whatever the moment at which it ended."""

import json

import pytest

from podjobs.contract.errors import RetryableError
from podjobs.contract.steps import Step
from podjobs.media.facts import AudioFacts
from podjobs.transcription.hearing.sound import Sound
from podjobs.transcription.publish import discard, publish_captions
from podjobs.transcription.recipe import Recipe
from podjobs.transcription.settings import TranscriptionSettings
from podjobs.transcription.workspace import Workspace
from support.jobs import transcription_job
from support.media_storages import POD_ROOT
from support.storage_calls import EventfulStorage
from support.system_calls import at_each_system_call

SUPERSEDED = "the job has ended or was superseded"
JOB = transcription_job("job-7", pod_root=POD_ROOT, mp3filepath=f"{POD_ROOT}/videos/abc/0007/audio_192k.mp3")
SOUND = Sound(source=JOB.source, audio=AudioFacts(index=0, codec="mp3", channels=1, sample_rate_hz=16_000, start_s=0.0),
              origin_s=0.0, seeks=True)  # fmt: skip
RECIPE = Recipe(sound=SOUND, length_s=10.0, cuts_s=(), language="en")
WORD = {"text": " Good", "start_s": 1.0, "end_s": 1.4}


class BrokenOffError(BaseException):
    """As if the process was killed."""


def break_off():
    raise BrokenOffError


@pytest.fixture
def prepare(storage):
    """Write the work files of a job that has nothing left to do but to publish."""

    def prepare():
        storage.delete(JOB.captions)
        storage.start_work(JOB.id)
        with storage.writing(storage.work_key(JOB.id, "words")) as folder:
            for part in RECIPE.parts(0.0):
                (folder / f"{part.name}.json").write_text(json.dumps([WORD]))

    return prepare


def perform(storage, events):
    """The publish step; returns why it failed, and how many calls it made."""
    settings = TranscriptionSettings(
        media_root=POD_ROOT, media_url="file:///nowhere", transcription_model_param={"WHISPER": {"en": {"model": "x"}}}
    )
    step = Step(job=JOB, step_id="captions", function="transcription", action="captions", accepted_at=0.0, timeout_s=60)
    eventful = EventfulStorage(storage, events)
    try:
        publish_captions(JOB, step, RECIPE, Workspace(JOB.id, None, eventful, settings, 60))
    except RetryableError as error:
        return str(error), eventful.calls
    except BrokenOffError:
        return "broken off", eventful.calls
    return "", eventful.calls


def test_captions_of_a_job_that_is_discarded_at_any_call_are_not_left(storage, media, prepare):
    errors = []

    def discard_at(number):
        prepare()
        error, calls = perform(storage, {number: lambda: discard(JOB, storage)})
        errors.append(error)
        if number < calls - 1:
            assert not storage.exists(JOB.captions), number
            assert media.work_left() == set()
        return calls

    assert at_each_system_call(discard_at) > 5
    # before its last call, which removes its work files, it has published
    assert [error for error in errors[:-2] if SUPERSEDED not in error] == []


def test_captions_whose_step_is_broken_off_at_any_call_are_published_by_the_next_attempt(storage, media, prepare):
    def break_off_at(number):
        prepare()
        error, calls = perform(storage, {number: break_off})
        assert error == ("broken off" if number < calls else "")
        assert perform(storage, {})[0] == ""
        with storage.open(JOB.captions) as file:
            assert b"Good" in file.read()
        assert media.work_left() == set()
        return calls

    assert at_each_system_call(break_off_at) > 5
