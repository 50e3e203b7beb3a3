"""The functions over HTTP, as functions-framework serves them."""

import json

import pytest
from cloudevents.conversion import to_binary, to_structured
from cloudevents.http import CloudEvent, from_http
from functions_framework import create_app

from podjobs.contract.plans import RESULT_EVENT_TYPE
from podjobs.contract.steps import STEP_EVENT_TYPE
from support.jobs import encoding_job, transcription_job
from support.processes import REPOSITORY

STEP = {
    "job": encoding_job("job-1", 7, "/media/videos/x.mp4").model_dump(mode="json"),
    "step_id": "discard",
    "function": "encoding",
    "action": "discard",
    "accepted_at": 0,
}
TRANSCRIPTION = transcription_job("j", 7, "/media/a.mp3").model_dump(mode="json")
STRUCTURED = {"Content-Type": "application/cloudevents+json"}
BINARY = {
    "Content-Type": "application/json",
    "ce-specversion": "1.0",
    "ce-type": "org.example.other",
    "ce-source": "/x",
    "ce-id": "1",
}
FRENCH = TRANSCRIPTION | {"language": "fr"}


@pytest.fixture
def client(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDIA_ROOT", "/media")
    monkeypatch.setenv("MEDIA_URL", f"file://{tmp_path}")
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "x.mp4").touch()
    return create_app("handle", str(REPOSITORY / "functions/encoding/main.py"), "http").test_client()


def event(data=STEP, kind=STEP_EVENT_TYPE):
    attributes = {"type": kind, "source": "/podjobs/adapter/test", "datacontenttype": "application/json"}
    return CloudEvent(attributes, data)


@pytest.mark.parametrize("mode", [to_binary, to_structured])
def test_handle_step_event_is_answered_by_a_result_event(client, mode):
    headers, body = mode(event())
    response = client.post("/", headers=headers, data=body)
    assert response.status_code == 200
    reply = from_http(dict(response.headers), response.data)
    assert (reply["type"], reply["subject"]) == (RESULT_EVENT_TYPE, "job-1/discard")
    assert reply.data.keys() == {"values", "log"}


@pytest.mark.parametrize(
    ("headers", "body", "reason"),
    [
        (STRUCTURED, b"", "is not a CloudEvent"),
        (STRUCTURED, b"{}", "is not a CloudEvent"),
        (STRUCTURED, b"not json", "is not a CloudEvent"),
        (STRUCTURED, b'{"specversion":["1.0"]}', "is not a CloudEvent"),
        (STRUCTURED, b'{"specversion":["1.0"],"type":"t","source":"s","id":"1"}', "'specversion' is not text"),
        (STRUCTURED, b"\xff\xfe", "is not a CloudEvent"),
        (STRUCTURED, b"[" * 200_000, "is not a CloudEvent"),
        (BINARY | {"ce-extensions": "x", "ce-other": "y"}, b"", "are not for this function"),
        (
            BINARY | {"ce-type": "\udcff".encode("utf-8", "surrogateescape").decode("latin-1")},
            b"{}",
            "are not for this",
        ),
        ({"Content-Type": "application/json", "ce-specversion": "1.0"}, b"{}", "is not a CloudEvent"),
        (*to_binary(event(kind="org.example.other")), "not for this function"),
        (*to_binary(event(data={"step_id": "x"})), "job: Field required"),
        (*to_binary(event(data=[1, 2])), "not hold a valid step"),
        (*to_binary(event(data=STEP | {"function": "studio"})), "is for the function 'studio'"),
        (*to_binary(event(data=STEP | {"action": "dance"})), "no action 'dance'"),
        (*to_binary(event(data=STEP | {"job": TRANSCRIPTION})), "does not perform jobs of type 'transcription'"),
        (*to_binary(event(data=STEP | {"job": {"type": "opera", "id": "x"}})), "expected one of: encoding, "),
        (*to_binary(event(data=STEP | {"action": "chunk", "shared": {"source": 7}})), "source: "),
    ],
)
def test_handle_rubbish_is_refused_with_the_reason(client, headers, body, reason):
    response = client.post("/", headers=headers, data=body)
    assert response.status_code == 400
    assert response.mimetype == "application/problem+json"
    problem = json.loads(response.data)
    assert reason in problem["detail"]
    assert problem["status"] == response.status_code


def test_handle_get_says_the_function_is_there(client):
    assert client.get("/").data.startswith(b"ok\n")


def test_handler_wrong_settings_end_the_process_with_all_faults(monkeypatch):
    monkeypatch.delenv("MEDIA_ROOT", raising=False)
    monkeypatch.setenv("FFMPEG_CRF", "none")
    with pytest.raises(SystemExit) as ended:
        create_app("handle", str(REPOSITORY / "functions/encoding/main.py"), "http")
    assert "MEDIA_ROOT" in str(ended.value)
    assert "FFMPEG_CRF" in str(ended.value)


@pytest.fixture
def transcription_client(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDIA_ROOT", "/media")
    monkeypatch.setenv("MEDIA_URL", f"file://{tmp_path}")
    monkeypatch.setenv("TRANSCRIPTION_MODEL_PARAM", '{"WHISPER": {"en": {"model": "/nowhere"}}}')
    (tmp_path / "a.mp3").touch()
    return create_app("handle", str(REPOSITORY / "functions/transcription/main.py"), "http").test_client()


def test_transcription_function_answers_without_its_model(transcription_client, tmp_path):
    """It starts at once; the model is loaded when the first step needs it, and only that step fails without."""
    assert transcription_client.get("/").data.startswith(b"ok\n")
    step = STEP | {"job": TRANSCRIPTION, "function": "transcription"}
    headers, body = to_binary(event(data=step | {"action": "report", "step_id": "report"}))
    assert transcription_client.post("/", headers=headers, data=body).status_code == 200
    assert (tmp_path / "temp" / "transcription_7_j.vtt").read_text().strip() == "WEBVTT"
    headers, body = to_binary(event(data=step | {"action": "plan", "step_id": "plan", "job": FRENCH}))
    response = transcription_client.post("/", headers=headers, data=body)
    assert response.status_code == 422
    assert "no model for the language 'fr'" in json.loads(response.data)["detail"]


def test_transcription_function_with_another_engine_does_not_start(monkeypatch):
    monkeypatch.setenv("MEDIA_ROOT", "/media")
    monkeypatch.setenv("TRANSCRIPTION_TYPE", "VOSK")
    with pytest.raises(SystemExit) as ended:
        create_app("handle", str(REPOSITORY / "functions/transcription/main.py"), "http")
    assert "VOSK is not supported" in str(ended.value)
    assert "TRANSCRIPTION_MODEL_PARAM" in str(ended.value)
