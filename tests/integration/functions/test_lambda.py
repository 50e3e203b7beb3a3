"""Every deployable as a Lambda function: its real handler in the real runtime emulator, invoked as the adapter does."""

import json

import pytest
from aiohttp import web

from adapter.delivery.answers import read_answer_message
from adapter.delivery.requests import request_event
from podjobs.contract.message_contracts import STEPS
from podjobs.contract.plans import Plan
from podjobs.contract.steps import Step
from podjobs.events import write_message
from support.jobs import encoding_job
from support.lambda_service import MISSING, new_lambda_function, running_lambda_service
from support.media import make_video
from support.processes import REPOSITORY
from support.serving import serving

pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)
POD_ROOT = "/usr/local/pod/media"
SETTINGS = {
    "encoding": {},
    "notification": {"POD_API_TOKEN": "t0ken"},
    "transcription": {"TRANSCRIPTION_MODEL_PARAM": '{"WHISPER": {"en": {"model": "/absent"}}}'},
    "xapi": {"XAPI_LRS_URL": "http://127.0.0.1:1/s", "XAPI_LRS_LOGIN": "login", "XAPI_LRS_PWD": "pw"},
}


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    folder = tmp_path_factory.mktemp("media")
    (folder / "videos").mkdir()
    make_video(folder / "videos" / "talk.mp4", duration_s=2)
    return folder


@pytest.fixture(scope="module")
def service(media, tmp_path_factory):
    root = {"MEDIA_ROOT": POD_ROOT, "MEDIA_URL": media.as_uri()}
    # a Pod that knows nothing answers at once; one that is not there is waited for
    with serving(web.Application()) as pod:
        root |= {"POD_API_URL": f"{pod}/rest"}
        functions = [
            new_lambda_function(name, REPOSITORY / "functions" / name, root | own) for name, own in SETTINGS.items()
        ]
        with running_lambda_service(functions, tmp_path_factory.mktemp("lambda")) as running:
            yield running


def invoke(service, name, event):
    answer = service.client().invoke(FunctionName=name, Payload=json.dumps(event))
    payload = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, f"{payload} {service.said()}"
    return payload


@pytest.mark.parametrize("name", SETTINGS)
def test_lambda_function_starts_with_its_own_settings_and_refuses_what_is_no_event(service, name):
    answer = invoke(service, name, {"not": "an event"})
    assert answer["statusCode"] == 400
    assert "The request is not a CloudEvent" in answer["body"]


def test_lambda_function_plans_the_encode_of_a_video(service):
    job = encoding_job(video_path=f"{POD_ROOT}/videos/talk.mp4", pod_root=POD_ROOT)
    step = Step(job=job, step_id="plan", function="encoding", action="plan", accepted_at=0)
    answer = invoke(service, "encoding", write_message(request_event(STEPS, step, "test")))
    plan = read_answer_message(STEPS, answer)
    assert isinstance(plan, Plan)
    assert plan.stages[-1].name == "notify"
