"""Pod is notified of captions, once: it deletes the file it has read. Source: docs/contract-pod.md, callbacks."""

import pytest

from podjobs.backends.files import FileStorage
from podjobs.backends.pod_api import RestPodApi
from podjobs.contract.errors import InvalidRequestError, NotNowError, PermanentError, Problem, RetryableError
from podjobs.contract.steps import Step
from podjobs.notification.function import NotificationFunction
from support.jobs import transcription_job
from support.scripted_pod import ScriptedPod

JOB = transcription_job("job-1", 28, "/pod/media/videos/a/audio.mp3", "fr", pod_root="/pod/media")
RESULTS = {"captions": {"message": "12 captions were made of 60 s of sound."}}


@pytest.fixture
def pod():
    with ScriptedPod() as pod:
        yield pod


@pytest.fixture
def media(tmp_path):
    (tmp_path / "temp").mkdir()
    (tmp_path / JOB.captions).write_text("WEBVTT\n")
    return tmp_path


def notify(pod, media, attempt=1, action="transcription", **changes):
    function = NotificationFunction(RestPodApi(pod.url, "t0ken", 0.5), FileStorage(media, "/pod/media"))
    step = Step(
        job=JOB, step_id="notify", function="notification", action=action, accepted_at=0, attempt=attempt,
        **{"results": RESULTS} | changes,
    )  # fmt: skip
    return function.handle(step)


def test_notify_says_where_the_captions_are(pod, media):
    assert notify(pod, media).log == ("Pod was notified.",)
    ((method, path, authorization, body),) = pod.requests
    assert (method, path, authorization) == ("POST", "/rest/store_remote_transcripted_video/?id=28", "Token t0ken")
    assert body == {
        "video_id": 28,
        "msg": "12 captions were made of 60 s of sound.",
        "temp_vtt_file": "/pod/media/temp/transcription_28_job-1.vtt",
    }


def test_notify_failure_is_the_message(pod, media):
    problem = Problem(title="The job cannot be done.", status=422, detail="The file 'a.mp3' is empty.", kind="empty")
    notify(pod, media, failure=problem, results={})
    assert pod.requests[0][3]["msg"] == (
        "The subtitles could not be made: the file is empty. The upload was probably interrupted: please upload it "
        "again. Details: The job cannot be done. The file 'a.mp3' is empty."
    )


def test_notify_very_long_message_is_cut(pod, media):
    notify(pod, media, results={"captions": {"message": "x" * 100_000}})
    assert len(pod.requests[0][3]["msg"]) == 4000


def test_notify_again_with_the_file_gone_was_accepted_before(pod, media):
    (media / JOB.captions).unlink()
    assert "lost" in notify(pod, media, attempt=2).log[0]
    assert pod.requests == []


def test_notify_again_with_the_file_there_notifies_pod(pod, media):
    assert notify(pod, media, attempt=2).log == ("Pod was notified.",)


def test_notify_again_without_the_media_root_proves_nothing(pod, media, tmp_path):
    """A folder that is not mounted holds no file either."""
    with pytest.raises(NotNowError, match="Mount it"):
        notify(pod, tmp_path / "not-mounted", attempt=2)


@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize("way", ["hangs", "breaks off"])
def test_notify_ambiguous_failure_looks_at_the_file_before_it_repeats(pod, media, taken, way):
    pod.hang_s = 1.5 if way == "hangs" else 0
    pod.post_answers = [(0 if way == "breaks off" else 200, "")]
    pod.on_post = (media / JOB.captions).unlink if taken else None
    if taken:
        assert "lost" in notify(pod, media).log[0]
    else:
        with pytest.raises(RetryableError):
            notify(pod, media)
    assert pod.methods == ["POST"]


def test_notify_video_that_was_deleted_cancels_the_job(pod, media):
    """Which then has its captions removed: Pod does not."""
    pod.post_answers = [(404, "")]
    reply = notify(pod, media)
    assert (reply.whereabouts, reply.job) == ("deleted", JOB)
    assert "no longer knows" in reply.log[0]


@pytest.mark.parametrize(("status", "error"), [(500, RetryableError), (401, NotNowError), (413, PermanentError)])
def test_notify_answers_that_do_not_end_the_job(pod, media, status, error):
    pod.post_answers = [(status, "")]
    with pytest.raises(error):
        notify(pod, media)
    assert (media / JOB.captions).exists()


def test_notify_action_of_another_job_is_refused(pod, media):
    with pytest.raises(InvalidRequestError, match="no action 'encoding'"):
        notify(pod, media, action="encoding")
