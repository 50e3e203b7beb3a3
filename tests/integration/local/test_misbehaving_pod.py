"""The Pod of the tests misbehaves as a test says, and remembers what really happened."""

import json

import httpx
import pytest

from local.pod import LISTS
from support.misbehaving_pod import TOKEN, running_pod

VTT = "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nGood morning.\n"


@pytest.fixture
def pod(tmp_path):
    with running_pod(tmp_path / "media") as running:
        yield running


@pytest.fixture
def notify(pod):
    """Notify it that the video 3 is encoded; raises where no answer comes."""
    video = pod.media_dir / "videos/a/b.mp4"
    made = video.parent / "0003"
    made.mkdir(parents=True)
    (made / "360p.mp4").touch()
    info = {"duration": 3, "encoding_log": {}, **{name: {} for name in LISTS}}
    info["list_mp4_files"] = {"360": str(made / "360p.mp4"), "720": str(made / "720p.mp4")}
    (made / "info_video.json").write_text(json.dumps(info))
    body = dict.fromkeys(("start", "stop", "cut_start", "cut_end")) | {"video_id": 3, "video_path": str(video)}
    return lambda: post(pod, "store_remote_encoded_video", body)


def post(pod, page, body, token=TOKEN):
    headers = {"Authorization": f"Token {token}"}
    return httpx.post(f"{pod.url}/{page}/?id=3", json=body, headers=headers, timeout=1).status_code


def test_answers_are_given_in_turn_then_pod_is_well_again(pod, notify):
    pod.answer_next("503", "abort", "hang", "lost")
    assert notify() == 503
    for problem in (httpx.RemoteProtocolError, httpx.ReadTimeout):
        with pytest.raises(problem):
            notify()
    assert [call.imported for call in pod.calls] == [None] * 3
    with pytest.raises(httpx.RemoteProtocolError):
        notify()
    assert notify() == 400
    assert [(call.misbehaviour, call.status) for call in pod.calls_about(3)[-2:]] == [("lost", 200), ("", 400)]
    assert [bool(call.imported) for call in pod.calls] == [False, False, False, True, False]


def test_call_that_is_late_is_done(pod, notify):
    pod.answer_next("late")
    with pytest.raises(httpx.ReadTimeout):
        notify()
    assert [bool(call.imported) for call in pod.calls] == [True]
    assert notify() == 400


def test_answers_can_be_taken_back(pod, notify):
    pod.answer_next("500", "500")
    assert notify() == 500
    pod.answer_next()
    assert notify() == 200


def test_answer_of_no_known_kind_is_refused(pod):
    with pytest.raises(ValueError, match="sulk"):
        pod.answer_next("sulk")


def test_call_names_the_files_that_are_missing(pod, notify):
    assert notify() == 200
    (call,) = pod.calls_about(3)
    assert call.imported.missing == (str(pod.media_dir / "videos/a/0003/720p.mp4"),)


def test_call_keeps_the_captions_whose_file_is_gone(pod):
    file = pod.media_dir / "temp/c.vtt"
    file.parent.mkdir()
    file.write_text(VTT)
    body = {"video_id": 3, "msg": "Done.", "temp_vtt_file": str(file)}
    assert post(pod, "store_remote_transcripted_video", body) == 200
    (call,) = pod.calls
    assert (call.imported.text, call.imported.captions, call.body) == (VTT, 1, body)
    assert not file.exists()


def test_call_without_the_token_is_refused(pod):
    assert post(pod, "store_remote_encoded_video", {}, "another") == 401
