"""Pod is told of files once its own side shows them, with a real web server that shows them late.

Source: docs/decisions/0040-what-pod-must-see-is-checked.md.
"""

import json
import runpy
import time

import pytest

from podjobs.backends.files import FileStorage
from podjobs.backends.pod_api import RestPodApi
from podjobs.backends.pod_media import HttpPodMedia
from podjobs.contract.errors import NotNowError, Problem, UnavailableError
from podjobs.contract.steps import Step
from podjobs.notification.encoded_callback import Waits
from podjobs.notification.function import NotificationFunction
from podjobs.notification.pod_view import PodView
from podjobs.notification.settings import NotificationSettings
from podjobs.settings import load_settings
from support.jobs import encoding_job, transcription_job
from support.lagging_web import lagging_web
from support.processes import REPOSITORY
from support.scripted_pod import ScriptedPod

MEDIA_ROOT = "/pod/media"
LIMIT_S = 900.0
FOLDER = "videos/a/0018"
ENCODING = encoding_job("job-1", 18, f"{MEDIA_ROOT}/videos/a/talk.mp4", pod_root=MEDIA_ROOT)
TRANSCRIPTION = transcription_job("job-1", 18, f"{MEDIA_ROOT}/videos/a/0018/audio.mp3", "fr", pod_root=MEDIA_ROOT)
IMPORTED = {"encoding_in_progress": False, "encoded": True, "get_encoding_step": "0 : end of encoding", "duration": 12}
PROBLEM = Problem(title="The job cannot be done.", status=422, detail="The file is damaged.")


@pytest.fixture
def pod():
    with ScriptedPod() as pod:
        pod.state = IMPORTED
        yield pod


@pytest.fixture
def web(tmp_path):
    media = tmp_path / "media"
    (media / FOLDER).mkdir(parents=True)
    (media / "temp").mkdir()
    (media / "videos/a/talk.mp4").write_bytes(b"source")
    (media / "videos/a/0018/audio.mp3").write_bytes(b"sound")
    with lagging_web(media, tmp_path / "shown") as web:
        web.catch_up()
        yield web


def publish(web, job_id="job-1", folder=FOLDER):
    """Write what an encode leaves."""
    (web.source / folder).mkdir(parents=True, exist_ok=True)
    (web.source / folder / "360p.mp4").write_bytes(job_id.encode())
    (web.source / folder / "info_video.json").write_text(json.dumps({"job_id": job_id}))


def published(age_s=0.0, files=("360p.mp4", "info_video.json")):
    """The values of a step that has published, some time ago."""
    return {"files": list(files), "duration_s": 12, "heights_px": [360], "published_at": time.time() - age_s}


def notify(pod, web, results, job=ENCODING, attempt=1, **changes):
    function = NotificationFunction(
        RestPodApi(pod.url, "t0ken", 5),
        FileStorage(web.source, MEDIA_ROOT),
        Waits(import_s=0.3, launch_s=0.3, pause_s=0.05),
        PodView(HttpPodMedia(web.url), LIMIT_S),
    )
    values = {"attempt": attempt, "accepted_at": 0, "results": results, "action": job.type} | changes
    return function.handle(Step(job=job, step_id="notify", function="notification", **values)).log


def waits(pod, web, results, **changes):
    """The error with which the step waits; Pod is not told."""
    with pytest.raises(NotNowError) as waiting:
        notify(pod, web, results, **changes)
    assert "POST" not in pod.methods
    assert not isinstance(waiting.value, UnavailableError), "it must not wait for ever"
    return waiting.value


def test_notify_files_are_shown_tells_pod(pod, web):
    publish(web)
    web.catch_up()
    assert notify(pod, web, {"publish": published()}) == ("Pod was notified.",)
    assert web.requests == [
        ("GET", f"/media/{FOLDER}/info_video.json"),
        ("HEAD", f"/media/{FOLDER}/360p.mp4"),
    ]


def test_notify_new_files_are_not_shown_yet_waits_until_they_are(pod, web):
    publish(web)
    waiting = waits(pod, web, {"publish": published()})
    assert f"does not show '{FOLDER}/info_video.json'" in waiting.detail
    assert waiting.retry_after_s == 2
    web.catch_up()
    assert notify(pod, web, {"publish": published()}) == ("Pod was notified.",)


def test_notify_old_info_is_shown_waits_and_says_whose_it_is(pod, web):
    publish(web, "job-0")
    web.catch_up()
    publish(web)
    assert "it shows that of the job 'job-0'" in waits(pod, web, {"publish": published()}).detail


def test_notify_part_of_the_info_is_shown_waits(pod, web):
    """A mount that knows the old size cuts the new content."""
    publish(web)
    web.catch_up()
    (web.shown / FOLDER / "info_video.json").write_text('{"job_id": "jo')
    assert "it shows something else" in waits(pod, web, {"publish": published()}).detail


def test_notify_a_file_is_missing_waits(pod, web):
    publish(web)
    web.catch_up()
    (web.shown / FOLDER / "360p.mp4").unlink()
    assert "360p.mp4' as it was published: the answer is 404" in waits(pod, web, {"publish": published()}).detail


def test_notify_the_old_file_is_shown_waits(pod, web):
    publish(web)
    web.catch_up()
    (web.shown / FOLDER / "360p.mp4").write_bytes(b"old")
    assert "it shows 3 bytes instead of 5" in waits(pod, web, {"publish": published()}).detail


def test_notify_a_file_that_is_gone_from_the_storage_is_not_waited_for(pod, web):
    """Pod deletes the thumbnails that it has imported, and somebody may have deleted the video."""
    publish(web)
    web.catch_up()
    files = ("360p.mp4", "info_video.json", "thumbnail_0001.png")
    assert notify(pod, web, {"publish": published(files=files)}) == ("Pod was notified.",)


def test_notify_web_server_down_waits(pod, web):
    publish(web)
    web.status = 502
    assert "the answer is 502" in waits(pod, web, {"publish": published()}).detail


@pytest.mark.parametrize(("age_s", "wait_s"), [(1, 2), (60, 15), (300, 30)])
def test_notify_waits_longer_from_look_to_look(pod, web, age_s, wait_s):
    publish(web)
    assert waits(pod, web, {"publish": published(age_s)}).retry_after_s == pytest.approx(wait_s, abs=1)


@pytest.mark.parametrize("age_s", [LIMIT_S, -LIMIT_S - 60], ids=["long ago", "clocks differ"])
def test_notify_not_shown_for_too_long_tells_pod_and_says_so(pod, web, age_s):
    publish(web)
    told, done = notify(pod, web, {"publish": published(age_s)})
    assert "After 900 s (PODJOBS_POD_MEDIA_WAIT_S), Pod was told nevertheless" in told
    assert done == "Pod was notified."


def test_notify_a_refusal_is_not_waited_for(pod, web):
    publish(web)
    web.status = 403
    told, done = notify(pod, web, {"publish": published()})
    assert "the answer is 403" in told
    assert "correct POD_MEDIA_URL" in told
    assert done == "Pod was notified."


def test_notify_a_wrong_address_is_not_waited_for(pod, web):
    """Where not even the source is shown, which Pod has put there, nothing ever will be."""
    publish(web)
    (web.shown / "videos/a/talk.mp4").unlink()
    told, done = notify(pod, web, {"publish": published()})
    assert "It does not show the job's source either: is POD_MEDIA_URL right?" in told
    assert done == "Pod was notified."


def test_notify_failure_report_is_waited_for_too(pod, web):
    """Pod would import the result of an earlier encode as this one's."""
    publish(web, "job-0")
    web.catch_up()
    publish(web)
    report = {"published_at": time.time()}
    assert "'job-0'" in waits(pod, web, {"report": report}, failure=PROBLEM).detail
    web.catch_up()
    assert notify(pod, web, {"report": report}, failure=PROBLEM) == ("Pod was notified.",)


def test_notify_report_at_another_place_is_looked_for_there(pod, web):
    spare = ENCODING.spare
    publish(web, folder=spare.output_folder)
    report = {"published_at": time.time(), "video_path": f"{MEDIA_ROOT}/{spare.source}"}
    assert spare.output_folder in waits(pod, web, {"report": report}, failure=PROBLEM).detail


def test_notify_nothing_was_published_is_not_waited_for(pod, web):
    """The files were there before the job failed, or an earlier version has published them."""
    publish(web)
    assert notify(pod, web, {"report": {}}, failure=PROBLEM) == ("Pod was notified.",)
    assert web.requests == []


def test_notify_again_what_pod_has_imported_is_not_looked_for(pod, web):
    publish(web)
    (sentence,) = notify(pod, web, {"publish": published()}, attempt=2)
    assert "the response to an earlier call was lost" in sentence
    assert web.requests == []


def test_the_function_looks_where_its_settings_say(pod, web, monkeypatch):
    publish(web)
    environment = {
        "MEDIA_ROOT": MEDIA_ROOT, "MEDIA_URL": web.source.as_uri(), "POD_API_URL": pod.url, "POD_API_TOKEN": "t0ken",
        "POD_MEDIA_URL": web.url, "PODJOBS_POD_MEDIA_WAIT_S": "7",
    }  # fmt: skip
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    build = runpy.run_path(str(REPOSITORY / "functions/notification/main.py"))["build"]
    function, _ = build(load_settings(NotificationSettings))
    step = Step(
        job=ENCODING, step_id="notify", function="notification", action="encoding", accepted_at=0,
        results={"publish": published()},
    )  # fmt: skip
    with pytest.raises(NotNowError, match="or 7 s after publishing"):
        function.handle(step)


def locate(pod, web, accepted_at):
    return notify(pod, web, {}, action="locate", accepted_at=accepted_at)


def test_locate_source_that_only_pod_s_side_shows_is_waited_for(pod, web):
    """rclone uploads a file after it was closed."""
    source = web.source / ENCODING.source
    source.unlink()
    with pytest.raises(NotNowError, match=r"shows the source 'videos/a/talk\.mp4'.*still be uploading") as waiting:
        locate(pod, web, time.time() - 60)
    assert waiting.value.retry_after_s == pytest.approx(15, abs=1)
    source.write_bytes(b"source")
    assert "the step is tried again" in locate(pod, web, time.time() - 60)[0]


def test_locate_source_that_only_pod_s_side_shows_for_too_long_is_not_waited_for(pod, web):
    (web.source / ENCODING.source).unlink()
    assert "the step is tried again" in locate(pod, web, time.time() - LIMIT_S)[0]


def test_locate_source_that_pod_s_side_does_not_show_is_not_waited_for(pod, web):
    (web.source / ENCODING.source).unlink()
    web.catch_up()
    assert "the step is tried again" in locate(pod, web, time.time())[0]


def test_notify_captions_are_waited_for(pod, web):
    (web.source / TRANSCRIPTION.captions).write_text("WEBVTT\n")
    results = {"captions": {"message": "12 captions.", "published_at": time.time()}}
    waiting = waits(pod, web, results, job=TRANSCRIPTION)
    assert f"does not show '{TRANSCRIPTION.captions}'" in waiting.detail
    web.catch_up()
    assert notify(pod, web, results, job=TRANSCRIPTION) == ("Pod was notified.",)
