"""Names are spelled as Pod spells them: Pod is asked over HTTP, the words travel through the plan to the real model."""

import json

import pytest

from podjobs.backends.pod_api import RestPodApi
from podjobs.contract.jobs import TranscriptionJob
from podjobs.notification.function import NotificationFunction
from podjobs.testing import JobRun
from support.captions import text_of
from support.scripted_pod import ScriptedPod
from support.speech import join, speak

TEXT = "The algorithm of Dijkstra finds the shortest path. It was Grothendieck who lived in a village for many years."
NAMES = ("Dijkstra", "Grothendieck")
STATE = {"encoding_in_progress": False, "title": "From Dijkstra to Grothendieck", "description": "", "tags": []}


@pytest.fixture
def pod():
    with ScriptedPod() as pod:
        yield pod


@pytest.fixture
def transcriber(make_transcriber):
    return make_transcriber(podjobs_transcription_asks_topic=True)


def transcribe(transcriber, pod, tmp_path):
    """The captions and the log of a job whose notification's steps are performed, too."""
    join(transcriber.folder / "names.mp3", speak(tmp_path / "names.wav", TEXT))
    notification = NotificationFunction(RestPodApi(pod.url, "t0ken", 5), transcriber.storage)
    run = JobRun(transcriber.job("names.mp3"), {"transcription": transcriber, "notification": notification})
    captions = ""
    for stage in run.stages():
        if stage.name == "notify":
            assert isinstance(run.job, TranscriptionJob)
            captions = text_of((transcriber.root / run.job.captions).read_text(encoding="utf-8"))
        run.perform(stage)
    return captions, run.log


def test_names_in_the_title_are_spelled_as_there(transcriber, pod, tmp_path):
    pod.state = STATE
    captions, _ = transcribe(transcriber, pod, tmp_path)
    assert [name for name in NAMES if name in captions] == list(NAMES)


@pytest.mark.slow
@pytest.mark.parametrize("answer", ["nothing", "an error", "nonsense"])
def test_job_goes_on_whatever_pod_says_of_the_topic(transcriber, pod, tmp_path, answer):
    pod.state = None if answer == "nothing" else STATE
    if answer != "nothing":
        pod.pages["/rest/videos/7/"] = (500, "") if answer == "an error" else (200, json.dumps([1, 2]))
    captions, log = transcribe(transcriber, pod, tmp_path)
    assert "shortest path" in captions
    # the small model does not know how they are written
    assert not any(name in captions for name in NAMES)
    assert any("names may be misspelled" in line for line in log) == (answer != "nothing")


@pytest.mark.slow
def test_pod_is_not_asked_if_that_is_switched_off(make_transcriber, pod, tmp_path):
    pod.state = STATE
    transcribe(make_transcriber(podjobs_transcription_asks_topic=False), pod, tmp_path)
    assert not [path for method, path, *_ in pod.requests if method == "GET"]
