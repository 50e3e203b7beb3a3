"""Pod's responses, each from a real HTTP server, and what they mean to us."""

import time

import pytest

from podjobs.backends.files import FileStorage
from podjobs.backends.pod_api import RestPodApi
from podjobs.contract.errors import NotNowError, OperatorNeededError, PermanentError, RetryableError
from podjobs.contract.ports.pod import PodAnswer, VideoState, VideoTopic
from podjobs.contract.steps import Step
from podjobs.notification.encoded_callback import Waits
from podjobs.notification.function import NotificationFunction
from support.jobs import encoding_job
from support.scripted_pod import ScriptedPod

IN_PROGRESS = {"encoding_in_progress": True, "encoded": False, "get_encoding_step": "2 : start encoding"}
IMPORTED = {"encoding_in_progress": False, "encoded": True, "get_encoding_step": "0 : end of encoding", "duration": 5}


@pytest.fixture
def pod(tmp_path):
    with ScriptedPod() as pod:
        pod.media = tmp_path
        (tmp_path / "videos").mkdir()
        (tmp_path / "videos/x.mp4").touch()
        yield pod


def api(pod, read_timeout_s=5):
    return RestPodApi(pod.url, "t0ken", read_timeout_s)


def step(attempt=1):
    job = encoding_job("a", 18, "/media/videos/x.mp4", cut_start=2, cut_end=7)
    return Step(
        job=job, step_id="notify", function="notification", action="encoding", accepted_at=0, attempt=attempt, shared={}
    )


def notify(pod, attempt=1, read_timeout_s=5):
    waits = Waits(import_s=0.3, launch_s=0.3, pause_s=0.05)
    storage = FileStorage(pod.media, "/media")
    return NotificationFunction(api(pod, read_timeout_s), storage, waits).handle(step(attempt))


def test_notify_calls_pod_in_its_own_words(pod):
    pod.state = IMPORTED
    assert notify(pod).log == ("Pod was notified.",)
    (method, path, authorization, body), _ = pod.requests
    assert (method, path, authorization) == ("POST", "/rest/store_remote_encoded_video/?id=18", "Token t0ken")
    assert body | {"start": 0, "stop": 0} == {
        "start": 0, "stop": 0, "video_id": 18, "video_path": "/media/videos/x.mp4", "cut_start": 2, "cut_end": 7,
        "json_dressing": None, "dressing_input": "",
    }  # fmt: skip
    time.strptime(body["start"], "%a %b %d %H:%M:%S %Y")


@pytest.mark.parametrize(
    ("status", "answer"), [(200, PodAnswer.ACCEPTED), (400, PodAnswer.NOT_IN_PROGRESS), (404, PodAnswer.UNKNOWN_VIDEO)]
)
def test_post_encoded_answers_that_end_the_job(pod, status, answer):
    pod.post_answers = [(status, "")]
    assert api(pod).post_encoded(18, {}) is answer


@pytest.mark.parametrize(
    ("status", "error", "counts"),
    [(500, RetryableError, True), (502, RetryableError, True), (503, NotNowError, False), (401, NotNowError, False),
     (403, NotNowError, False), (413, PermanentError, True), (302, NotNowError, False)],
)  # fmt: skip
def test_post_encoded_answers_that_do_not(pod, status, error, counts):
    pod.post_answers = [(status, "")]
    with pytest.raises(error) as failed:
        api(pod).post_encoded(18, {})
    assert isinstance(failed.value, NotNowError) == (not counts)


@pytest.mark.parametrize(("status", "remedy"), [(401, "missing or wrong"), (403, "not staff")])
def test_post_encoded_refused_token_needs_an_operator(pod, status, remedy):
    pod.post_answers = [(status, "")]
    with pytest.raises(NotNowError, match=remedy) as failed:
        api(pod).post_encoded(18, {})
    assert failed.value.retry_after_s >= 60
    assert "t0ken" not in failed.value.detail


def test_post_encoded_retry_after_is_honoured(pod):
    pod.post_answers, pod.headers = [(503, "")], {"Retry-After": "17"}
    with pytest.raises(NotNowError) as failed:
        api(pod).post_encoded(18, {})
    assert failed.value.retry_after_s == 17


def test_notify_pod_down_is_retryable(pod):
    pod.server.shutdown()
    pod.server.server_close()
    with pytest.raises(RetryableError, match="cannot be reached"):
        notify(pod)


@pytest.mark.parametrize(
    ("state", "is_done"),
    [
        ({"encoding_in_progress": False, "encoded": True, "get_encoding_step": "0 : done"}, True),
        ({"encoding_in_progress": True, "encoded": True, "get_encoding_step": "5 : transcripting audio"}, True),
        # Pod says so while the transcription runs: it ends the encoding only after it has requested that
        ({"encoding_in_progress": True, "encoded": True, "get_encoding_step": "0 : end of encoding"}, True),
        ({"encoding_in_progress": True, "encoded": False, "get_encoding_step": "3 : store encoding info"}, False),
        ({"encoding_in_progress": True, "encoded": False, "get_encoding_step": "0 : start"}, False),
    ],
)
@pytest.mark.parametrize("way", ["hangs", "breaks off"])
def test_notify_ambiguous_failure_asks_before_it_repeats(pod, state, is_done, way):
    """A blind repeat could queue the transcription twice."""
    pod.state = state
    if way == "hangs":
        pod.hang_s = 1.5
    else:
        pod.post_answers = [(0, "")]
    if is_done:
        assert "lost" in notify(pod, read_timeout_s=1).log[0]
    else:
        with pytest.raises(RetryableError):
            notify(pod, read_timeout_s=1)
    assert pod.methods[:2] == ["POST", "GET"]
    assert pod.methods.count("POST") == 1


@pytest.mark.parametrize("way", ["answer", "second attempt", "breaks off"])
def test_notify_video_that_was_deleted_cancels_the_job(pod, way):
    pod.state = None
    pod.post_answers = [(0 if way == "breaks off" else 404, "")]
    reply = notify(pod, attempt=2 if way == "second attempt" else 1)
    assert (reply.whereabouts, reply.job) == ("deleted", step().job)


def test_notify_second_attempt_asks_first(pod):
    """The first one may have been killed after Pod took it."""
    pod.state = {"encoding_in_progress": True, "encoded": True, "get_encoding_step": "5 : transcripting audio"}
    notify(pod, attempt=2)
    assert pod.methods == ["GET"]


def test_notify_second_attempt_notifies_pod_when_the_first_did_not(pod):
    pod.state = {"encoding_in_progress": True, "encoded": False, "get_encoding_step": "0 : start"}
    notify(pod, attempt=2)
    assert pod.methods == ["GET", "POST", "GET"]


def test_video_state_answer_that_is_not_pods_is_retryable(pod):
    pod.state = ["not", "a", "video"]
    with pytest.raises(RetryableError, match="POD_API_URL"):
        api(pod).video_state(18)


def test_video_state_is_all_that_pod_says(pod):
    pod.state = {
        "encoding_in_progress": False, "encoded": True, "get_encoding_step": "0 : end of encoding", "duration": 12,
        "slug": "0018-talk", "video": "https://pod.example.org/media/videos/a/x.mp4",
    }  # fmt: skip
    assert api(pod).video_state(18) == VideoState(
        in_progress=False, encoded=True, step="0 : end of encoding", duration_s=12, slug="0018-talk",
        file_url="https://pod.example.org/media/videos/a/x.mp4",
    )  # fmt: skip


def test_video_topic_is_what_people_wrote_and_who_owns_it(pod):
    pod.state = {"title": "Galois", "description": "<p>Un cours</p>", "tags": ["math"]}
    pod.state["owner"] = "https://another-name.example.org/rest/users/4/"
    pod.pages["/rest/users/4/"] = (200, '{"first_name": "Loïc", "last_name": "Kerdraon"}')
    assert api(pod).video_topic(18) == VideoTopic("Galois", ". Un cours.", "Loïc Kerdraon", ("math",))


@pytest.mark.parametrize("answer", [(403, "{}"), (500, ""), (200, "no JSON"), (200, "[]"), (0, "")])
def test_video_topic_without_an_owner_that_may_be_seen_is_the_rest(pod, answer):
    pod.state = {"title": "Galois", "owner": "/rest/users/4/"}
    pod.pages["/rest/users/4/"] = answer
    assert api(pod).video_topic(18) == VideoTopic("Galois")


def test_video_topic_of_a_deleted_video_is_none(pod):
    assert api(pod).video_topic(18) is None


def test_video_topic_answer_that_is_not_pods_is_retryable(pod):
    pod.state = ["not", "a", "video"]
    with pytest.raises(RetryableError, match="POD_API_URL"):
        api(pod).video_topic(18)


def test_video_state_of_a_deleted_video_is_none(pod):
    assert api(pod).video_state(18) is None
    assert [path for _, path, *_ in pod.requests] == ["/rest/videos/18/", "/rest/renditions/"]


@pytest.mark.parametrize("path", ["/rest/videos/18/", "/rest/renditions/"])
@pytest.mark.parametrize("call", ["video_state", "post_encoded", "post_transcribed"])
def test_not_found_at_a_wrong_address_needs_an_operator_and_deletes_no_video(pod, path, call):
    """Whatever is there answers 404 to everything: that says nothing about the video."""
    pod.post_answers = [(404, "<h1>Not found</h1>")]
    pod.pages[path] = (404, "<h1>Not found</h1>")
    arguments = (18,) if call == "video_state" else (18, {})
    with pytest.raises(OperatorNeededError, match="POD_API_URL"):
        getattr(api(pod), call)(*arguments)


@pytest.mark.parametrize("status", [404, 405])
def test_post_to_a_pod_without_this_callback_needs_an_operator(pod, status):
    """Pod knows the video: it is the callback's page that is not there."""
    pod.post_answers, pod.state = [(status, "<h1>Not found</h1>")], IN_PROGRESS
    with pytest.raises(OperatorNeededError, match=rf"no /store_remote_transcripted_video/ \({status}\)\. Pod 3\.5\.1"):
        api(pod).post_transcribed(18, {})
