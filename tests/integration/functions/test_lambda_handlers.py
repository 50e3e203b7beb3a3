"""The work of every function through its handler, found as AWS Lambda's runtime finds it, in this process.

What the start script names is what is looked up; requests and answers travel as JSON text.
"""

import sys

import pytest
from awslambdaric.bootstrap import _get_handler

from podjobs.contract.message_contracts import STATEMENTS, STEPS
from podjobs.contract.plans import Plan, Result
from podjobs.contract.statements import BatchReport
from podjobs.contract.steps import Step
from support.deployables import SETTINGS
from support.fault_lrs import FaultLrs
from support.invocations import HANDLER, InvokedFunction
from support.jobs import encoding_job, transcription_job
from support.media import ffmpeg, make_video
from support.scripted_pod import ScriptedPod
from support.statements import batch_of, new_statement

JOB = encoding_job("job-1", 7, "/media/videos/talk.mp4")
SPOKEN = transcription_job("job-2", 7, "/media/videos/talk.mp3")


def step(job, function, action, **values):
    return Step(job=job, step_id=action, function=function, action=action, accepted_at=0, **values)


@pytest.fixture
def media(tmp_path):
    (tmp_path / "videos").mkdir()
    return tmp_path


@pytest.fixture
def handler_of(media, monkeypatch):
    """Looks up the handler of a function, which starts the function."""
    found = []

    def handler_of(name, **settings):
        for setting, value in (SETTINGS[name] | {"MEDIA_URL": f"file://{media}"} | settings).items():
            monkeypatch.setenv(setting, value)
        found.append(f"functions.{name}.main")
        return _get_handler(f"functions/{name}/main.{HANDLER}")

    yield handler_of
    for module in found:
        # a module keeps its endpoint, and with it the settings of this test
        sys.modules.pop(module, None)


def test_handler_of_encoding_plans_a_video(handler_of, media):
    make_video(media / "videos/talk.mp4", duration_s=1, size="320x180")
    function = InvokedFunction(handler_of("encoding"), STEPS)
    plan = function.handle(step(JOB, "encoding", "plan"))
    assert isinstance(plan, Plan)
    assert [stage.name for stage in plan.stages] == ["encode", "package", "publish", "notify"]


def test_handler_of_transcription_plans_a_sound(handler_of, media):
    ffmpeg("-f", "lavfi", "-i", "sine=f=440:r=16000", "-t", 2, media / "videos/talk.mp3")
    function = InvokedFunction(handler_of("transcription"), STEPS)
    plan = function.handle(step(SPOKEN, "transcription", "plan"))
    assert isinstance(plan, Plan)
    assert [stage.name for stage in plan.stages] == ["topic", "transcribe", "captions", "notify"]


def test_handler_of_notification_notifies_pod(handler_of, media):
    (media / "temp").mkdir()
    (media / SPOKEN.captions).write_text("WEBVTT\n")
    with ScriptedPod() as pod:
        function = InvokedFunction(handler_of("notification", POD_API_URL=pod.url), STEPS)
        results = {"captions": {"message": "Done."}}
        reply = function.handle(step(SPOKEN, "notification", "transcription", results=results))
    assert isinstance(reply, Result)
    assert reply.log == ("Pod was notified.",)
    assert pod.requests[-1][3]["msg"] == "Done."


def test_handler_of_xapi_posts_statements(handler_of):
    lrs = FaultLrs()
    function = InvokedFunction(handler_of("xapi", XAPI_LRS_URL=lrs.url), STATEMENTS)
    assert function.handle(batch_of(new_statement(1))) == BatchReport(accepted=("1-0",))
    lrs.close()
