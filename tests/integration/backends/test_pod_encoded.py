"""What Pod's answer to «encoded» is worth is seen by what Pod shows afterwards.

Source: docs/decisions/0025-what-pod-shows-is-believed.md.
"""

import json
import re

import pytest

from local.pod import LISTS, StandInPod, Video
from podjobs.backends.files import FileStorage
from podjobs.backends.pod_api import RestPodApi
from podjobs.contract.errors import NotNowError, OperatorNeededError, PermanentError, Problem, RetryableError
from podjobs.contract.steps import Step
from podjobs.notification.encoded_callback import Waits
from podjobs.notification.function import NotificationFunction
from support.jobs import encoding_job
from support.scripted_pod import ScriptedPod
from support.serving import serving

MEDIA_ROOT = "/pod/media"
FOLDER = "videos/a/0018"
MEMORY = "encode_again.txt"
OURS = {"publish": {"files": [], "duration_s": 12, "heights_px": [360, 1080]}}
IMPORTED = {
    "encoding_in_progress": False, "encoded": True, "get_encoding_step": "0 : end of encoding", "duration": 12,
    "slug": "0018-talk",
}  # fmt: skip
TRANSCRIBING = IMPORTED | {"encoding_in_progress": True}
WAITING = IMPORTED | {"encoding_in_progress": True, "encoded": False, "get_encoding_step": "2 : start encoding"}
IMPORTING = WAITING | {"get_encoding_step": "3 : store encoding info"}
BEGINNING = WAITING | {"get_encoding_step": "0 : start"}
ANOTHER = IMPORTED | {"duration": 7}
PROBLEM = Problem(title="The job cannot be done.", status=422, detail="The file 'a.mp4'\n is damaged. " * 100)


@pytest.fixture
def scripted(tmp_path):
    """A Pod that says whatever the test wants."""
    with ScriptedPod() as pod:
        pod.media_dir = tmp_path
        yield pod


@pytest.fixture
def pod(tmp_path):
    """A Pod that does as a real one does."""
    pod = StandInPod("t0ken", MEDIA_ROOT, FileStorage(tmp_path, MEDIA_ROOT), broker_url="memory://")
    pod.media_dir = tmp_path
    with serving(pod.application()) as address:
        pod.url = f"{address}/rest"
        yield pod


def publish(pod, duration_s=12, *, is_there=True):
    """Write what an encode leaves."""
    folder = pod.media_dir / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    info = {"duration": duration_s, "encoding_log": {}, **{name: {} for name in LISTS}}
    info["list_mp4_files"] = {"360": f"{MEDIA_ROOT}/{FOLDER}/360p.mp4"}
    if is_there:
        (folder / "360p.mp4").touch()
    (folder / "info_video.json").write_text(json.dumps(info))


def notify(pod, job_id="job-1", results=OURS, language="en", **changes):
    function = NotificationFunction(
        RestPodApi(pod.url, "t0ken", 20),
        FileStorage(pod.media_dir, MEDIA_ROOT),
        Waits(import_s=0.4, launch_s=0.4, pause_s=0.05),
        language=language,
    )
    job = encoding_job(job_id, 18, f"{MEDIA_ROOT}/videos/a/talk.mp4", pod_root=MEDIA_ROOT)
    (pod.media_dir / job.source).parent.mkdir(parents=True, exist_ok=True)
    (pod.media_dir / job.source).touch()
    values = {"attempt": 1, "accepted_at": 0, "results": results} | changes
    step = Step(job=job, step_id="notify", function="notification", action="encoding", **values)
    return " ".join(function.handle(step).log)


def launches(pod):
    return [path for _, path, *_ in pod.requests if "launch_encode_view" in path]


def test_notify_accepted_and_imported_is_done(pod):
    publish(pod)
    assert notify(pod) == "Pod was notified."
    assert (pod.videos[18].encoded, pod.videos[18].duration_s) == (True, 12)


def test_notify_accepted_but_not_imported_needs_a_newer_pod(scripted):
    """Pod 3.4.0 to 3.5.0 answer 200 and do nothing."""
    scripted.state = WAITING
    with pytest.raises(OperatorNeededError, match=r"still at «2 : start encoding».*3\.5\.1 or newer"):
        notify(scripted)


def test_notify_accepted_and_encoded_again_at_once_is_done(scripted):
    scripted.state = BEGINNING
    assert notify(scripted) == "Pod was notified."


def test_notify_accepted_but_pod_found_no_file_fails(pod):
    publish(pod, is_there=False)
    with pytest.raises(PermanentError, match="none of its files"):
        notify(pod)


def test_notify_accepted_and_another_length_shown_is_told(scripted):
    scripted.state = ANOTHER
    assert "Pod shows a length of 7 s, while this job's result has 12 s" in notify(scripted)


def test_notify_accepted_but_pod_cannot_be_asked_counts_as_an_attempt(scripted):
    """The next attempt has to ask before it calls: only attempts that count are told apart."""
    scripted.state, scripted.pages["/rest/videos/18/"] = IMPORTED, (503, "")
    with pytest.raises(RetryableError, match="cannot be asked") as failed:
        notify(scripted)
    assert not isinstance(failed.value, NotNowError)


def test_notify_failed_job_tells_pods_log_why(scripted):
    scripted.state = IMPORTED | {"encoded": False, "duration": 0}
    assert notify(scripted, failure=PROBLEM, results={}) == "Pod was notified."
    stop = scripted.requests[0][3]["stop"]
    assert re.match(
        r"\w{3} \w{3} .\d \d\d:\d\d:\d\d \d{4}\. The video could not be encoded: .+ "
        r"Details: The job cannot be done\. The file 'a\.mp4' is damaged\.",
        stop,
    )
    assert (len(stop), "\n" in stop) == (1000, False)


def test_notify_failed_job_in_french_tells_it_to_ordinary_people(scripted):
    scripted.state = IMPORTED | {"encoded": False, "duration": 0}
    problem = Problem(title="The job cannot be done.", status=422, detail="Encrypted.", kind="encrypted")
    notify(scripted, language="fr", failure=problem, results={})
    assert scripted.requests[0][3]["stop"].endswith(
        ". La vidéo n'a pas pu être encodée : le fichier est protégé contre la copie (DRM). Veuillez déposer une copie "
        "sans protection. Détails : The job cannot be done. Encrypted."
    )


def test_notify_refused_with_this_result_shown_is_done(pod):
    publish(pod)
    notify(pod)
    assert notify(pod) == "Pod had been notified before, or does not wait for this video."


def test_notify_refused_failed_job_has_nothing_to_end(scripted):
    scripted.post_answers, scripted.state = [(400, "")], ANOTHER
    assert "does not wait" in notify(scripted, failure=PROBLEM, results={})
    assert launches(scripted) == []


def test_notify_refused_with_another_result_shown_encodes_again(pod):
    pod.videos[18] = Video(18, in_progress=False, encoded=True, duration_s=7, path=f"{MEDIA_ROOT}/videos/a/talk.mp4")
    assert "It was asked to encode the video again" in notify(pod)
    assert pod.videos[18].in_progress
    publish(pod)
    assert notify(pod, "job-2") == "Pod was notified."
    assert not (pod.media_dir / FOLDER / MEMORY).exists()


def test_notify_refused_with_nothing_to_play_encodes_again_whatever_its_length(pod):
    """Pod keeps the length of an earlier encode."""
    path = f"{MEDIA_ROOT}/videos/a/talk.mp4"
    pod.videos[18] = Video(18, in_progress=False, encoded=False, duration_s=12, path=path)
    assert "It was asked to encode the video again" in notify(pod)


def test_notify_refused_and_pod_does_not_encode_again_fails(scripted):
    scripted.post_answers, scripted.state = [(400, "")], ANOTHER
    scripted.pages["/rest/launch_encode_view/?slug=0018-talk"] = (200, "{}")
    with pytest.raises(PermanentError, match="Encode it again in Pod's administration"):
        notify(scripted)
    assert len(launches(scripted)) == 1


def test_notify_refused_and_pod_refuses_to_encode_again_fails(scripted):
    scripted.post_answers, scripted.state = [(400, "")], ANOTHER
    with pytest.raises(PermanentError, match=r"404 to /launch_encode_view/.*\. Encode it again in Pod"):
        notify(scripted)


def test_notify_refused_twice_in_a_row_does_not_encode_for_ever(scripted):
    scripted.post_answers, scripted.state = [(400, "")], ANOTHER
    scripted.pages["/rest/launch_encode_view/?slug=0018-talk"] = (200, "{}")

    def ask(job_id):
        scripted.next_states = [ANOTHER, BEGINNING, ANOTHER]
        return notify(scripted, job_id)

    assert "again" in ask("job-1")
    scripted.next_states = []
    assert "again" in ask("job-1")  # the same job once more: it may have been killed before it asked
    scripted.state, scripted.next_states = ANOTHER, []
    with pytest.raises(PermanentError, match=r"so it was with the job before \(job-1\)"):
        notify(scripted, "job-2")
    assert len(launches(scripted)) == 2
    assert "again" in ask("job-3")  # requested by a person, after that


def test_notify_refused_while_the_other_result_is_transcribed_is_repeated(scripted):
    """Pod then takes the call again: the video is in progress."""
    scripted.post_answers, scripted.state = [(400, ""), (200, "")], TRANSCRIBING | {"duration": 7}
    with pytest.raises(RetryableError, match="notified again"):
        notify(scripted)
    scripted.next_states = [TRANSCRIBING | {"duration": 7}, TRANSCRIBING]
    assert notify(scripted, attempt=2) == "Pod was notified."


@pytest.mark.parametrize("state", [WAITING, IMPORTING, BEGINNING])
@pytest.mark.parametrize("failure", [None, PROBLEM])
def test_notify_refused_while_pod_waits_is_repeated(scripted, state, failure):
    """It was not Pod that refused, or a newer encode supersedes this one."""
    scripted.post_answers, scripted.state = [(400, "")], state
    with pytest.raises(RetryableError, match=r"refused \(400\)"):
        notify(scripted, failure=failure)


def test_notify_refused_of_a_job_that_an_earlier_version_published_is_done_if_pod_shows_a_result(scripted):
    scripted.post_answers, scripted.state = [(400, "")], ANOTHER
    assert "before" in notify(scripted, results={})


def test_notify_again_while_another_result_is_shown_calls_pod(scripted):
    scripted.state, scripted.next_states = None, [ANOTHER | {"encoding_in_progress": True}, IMPORTED]
    assert notify(scripted, attempt=2) == "Pod was notified."
    assert scripted.methods == ["GET", "POST", "GET"]


@pytest.mark.parametrize("status", [0, 502, 504])
def test_notify_import_that_goes_on_after_the_connection_broke_is_awaited(scripted, status):
    """A proxy gives up after a minute, Pod does not."""
    scripted.post_answers, scripted.next_states = [(status, "")], [IMPORTING, IMPORTING, IMPORTED]
    assert "lost" in notify(scripted)
    assert scripted.methods == ["POST", "GET", "GET", "GET"]


RENDITIONS = [{"resolution": "640x360"}, {"resolution": "1280x720"}]
PAGES = {
    "/rest/renditions/": (200, json.dumps({"results": RENDITIONS[:1], "next": "http://elsewhere/renditions/?page=2"})),
    "/rest/renditions/?page=2": (200, json.dumps({"results": RENDITIONS[1:], "next": None})),
}


@pytest.mark.parametrize("pages", [{"/rest/renditions/": (200, json.dumps(RENDITIONS))}, PAGES], ids=["list", "pages"])
@pytest.mark.parametrize(
    ("heights_px", "said"),
    [
        ([360, 720, 1080], "Pod has no rendition x1080, so it cannot import videos that have it. Add it in Pod's"),
        ([360, 720], "all renditions of the video, so these are not the reason"),
    ],
)
def test_notify_server_error_says_which_renditions_pod_lacks(scripted, pages, heights_px, said):
    scripted.post_answers, scripted.state = [(500, "")], WAITING
    scripted.pages = pages
    with pytest.raises(RetryableError, match=f"Pod answered 500 .*{re.escape(said)}"):
        notify(scripted, results={"publish": {"duration_s": 12, "heights_px": heights_px}})


@pytest.mark.parametrize(("pages", "results"), [({"/rest/renditions/": (500, "")}, OURS), (PAGES, {})])
def test_notify_server_error_where_the_renditions_are_unknown_is_told_as_it_is(scripted, pages, results):
    scripted.post_answers, scripted.pages = [(500, "")], pages
    with pytest.raises(RetryableError, match=r"own log for the reason\.$"):
        notify(scripted, results=results)
