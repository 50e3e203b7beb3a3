"""Pod is notified of composed recordings: it takes the file away, and that tells whether it was.

Source: docs/contract-pod.md, studio.
"""

import time

import pytest

from local.pod import StandInPod
from podjobs.backends.files import FileStorage
from podjobs.backends.pod_api import RestPodApi
from podjobs.backends.pod_media import HttpPodMedia
from podjobs.contract.errors import (
    InvalidRequestError,
    NotNowError,
    OperatorNeededError,
    PermanentError,
    Problem,
    RetryableError,
)
from podjobs.contract.ports.pod import PodAnswer
from podjobs.contract.reply_to import PodCallback
from podjobs.contract.steps import Step
from podjobs.notification.encoded_callback import Waits
from podjobs.notification.function import NotificationFunction
from podjobs.notification.pod_view import PodView
from support.jobs import studio_job
from support.lagging_web import lagging_web
from support.scripted_pod import ScriptedPod
from support.serving import serving

MEDIA_ROOT = "/pod/media"
JOB = studio_job("job-1", 8, pod_root=MEDIA_ROOT)
MESSAGE = "Two sources were read.\nThe recording has 12.0 s."
NOT_FOUND = (404, '{"detail": "Not found."}')
PROBLEM = Problem(title="The job cannot be done.", status=422, detail="'presenter.webm' is empty.", kind="empty")
WAITS = Waits(import_s=0.4, launch_s=0.4, pause_s=0.05)


@pytest.fixture
def scripted():
    """A Pod that says whatever the test wants."""
    with ScriptedPod() as pod:
        yield pod


@pytest.fixture
def media(tmp_path):
    """A media root with what was composed."""
    output = tmp_path / JOB.output
    output.parent.mkdir(parents=True)
    output.write_bytes(b"composed")
    for source in JOB.sources:
        (tmp_path / source).write_bytes(b"source")
    return tmp_path


def results(age_s=3600.0):
    """The values of a step that has published, some time ago."""
    return {"publish": {"message": MESSAGE, "published_at": time.time() - age_s}}


def notify(url, media, view=None, language="en", **changes):
    storage = FileStorage(media, MEDIA_ROOT)
    function = NotificationFunction(RestPodApi(url, "t0ken", 0.5), storage, WAITS, view, language)
    values = {"job": JOB, "attempt": 1, "accepted_at": 0, "results": results(), "action": "studio"} | changes
    return function.handle(Step(step_id="notify", function="notification", **values))


def test_notify_pod_takes_the_recording_and_requests_its_encoding(media):
    pod = StandInPod("t0ken", MEDIA_ROOT, FileStorage(media, MEDIA_ROOT), broker_url="memory://")
    with serving(pod.application()) as address:
        assert notify(f"{address}/rest", media).log == ("Pod was notified.",)
    recording = pod.recordings.find(8)
    assert (recording.comment, recording.mails) == (f"\n{MESSAGE}\n", [])
    moved = pod.videos[recording.video_id].path.removeprefix(f"{MEDIA_ROOT}/")
    assert moved.startswith("videos/studio/a1_")
    assert (media / moved).read_bytes() == b"composed"
    assert recording.encoding_job
    assert not (media / JOB.output).exists()


def test_notify_calls_pod_in_its_own_words(scripted, media):
    scripted.on_post = (media / JOB.output).unlink
    notify(scripted.url, media)
    ((method, path, authorization, body),) = scripted.requests
    assert (method, path) == ("POST", "/rest/store_remote_encoded_video_studio/?recording_id=8")
    assert authorization == "Token t0ken"
    assert body == {"video_output": f"{MEDIA_ROOT}/opencast-files/a1/a1.mp4", "msg": f"\n{MESSAGE}\n"}


def test_notify_failure_is_told_and_where_its_log_is(media):
    """Pod finds no file: it mails its administrators, and the recording does not stay open."""
    (media / JOB.output).unlink()
    (media / JOB.log).write_text("read: nothing\n")
    pod = StandInPod("t0ken", MEDIA_ROOT, FileStorage(media, MEDIA_ROOT))
    with serving(pod.application()) as address:
        done = notify(f"{address}/rest", media, failure=PROBLEM, results={})
    assert done.log == ("Pod was notified.",)
    assert pod.recordings.find(8).comment == (
        "\nThe recording could not be composed: the file is empty. The upload was probably interrupted: please upload "
        "it again.\nDetails: The job cannot be done. 'presenter.webm' is empty.\n"
        f"{MEDIA_ROOT}/opencast-files/a1/a1.log\n"
    )
    assert len(pod.recordings.find(8).mails) == 1


def test_notify_failure_without_a_log_is_told_in_the_language_of_the_site(scripted, media):
    (media / JOB.output).unlink()
    notify(scripted.url, media, language="fr", failure=PROBLEM, results={})
    message = scripted.requests[0][3]["msg"]
    assert message.startswith("\nL'enregistrement n'a pas pu être monté\N{NO-BREAK SPACE}: le fichier est vide.")
    assert ".log" not in message


def test_notify_failure_again_is_told_again(scripted, media):
    """There is no file that would tell whether it was."""
    (media / JOB.output).unlink()
    assert notify(scripted.url, media, attempt=2, failure=PROBLEM, results={}).log == ("Pod was notified.",)
    assert scripted.methods == ["POST"]


def test_notify_very_long_message_is_cut(scripted, media):
    scripted.on_post = (media / JOB.output).unlink
    notify(scripted.url, media, results={"publish": {"message": "x" * 100_000}})
    assert len(scripted.requests[0][3]["msg"]) == 4000


@pytest.mark.parametrize("attempt", [1, 2])
def test_notify_file_that_is_gone_was_taken_before(scripted, media, attempt):
    (media / JOB.output).unlink()
    assert "Pod has taken the recording" in notify(scripted.url, media, attempt=attempt).log[0]
    assert scripted.requests == []


@pytest.mark.parametrize("attempt", [1, 2])
def test_notify_file_that_is_not_seen_yet_is_looked_for_again(scripted, media, attempt):
    """A shared folder shows new files late: Pod would never be told."""
    (media / JOB.output).rename(media / "elsewhere")
    with pytest.raises(NotNowError, match="is not seen yet, or Pod has taken it"):
        notify(scripted.url, media, attempt=attempt, results=results(age_s=5))
    (media / "elsewhere").rename(media / JOB.output)
    scripted.on_post = (media / JOB.output).unlink
    assert notify(scripted.url, media, attempt=attempt, results=results(age_s=5)).log == ("Pod was notified.",)


def test_notify_without_the_media_root_proves_nothing(scripted, tmp_path):
    """A folder that is not mounted holds no file either."""
    with pytest.raises(NotNowError, match="Mount it"):
        notify(scripted.url, tmp_path / "not-mounted", attempt=2)
    assert scripted.requests == []


@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize("way", ["hangs", "breaks off", "answers 500"])
def test_notify_ambiguous_failure_looks_at_the_file_before_it_repeats(scripted, media, taken, way):
    scripted.hang_s = 1.0 if way == "hangs" else 0
    scripted.post_answers = [({"hangs": 200, "breaks off": 0, "answers 500": 500}[way], "")]
    scripted.on_post = (media / JOB.output).unlink if taken else None
    if taken:
        assert "Pod has taken the recording" in notify(scripted.url, media).log[0]
    else:
        with pytest.raises(RetryableError):
            notify(scripted.url, media)
    assert scripted.methods == ["POST"]


def test_notify_error_of_a_pod_that_cannot_move_the_file_says_what_it_must_be_allowed(scripted, media):
    scripted.post_answers = [(500, "")]
    with pytest.raises(RetryableError, match=r"answered 500 .* Pod must be allowed to move '/pod/media/.*a1\.mp4'"):
        notify(scripted.url, media)


def test_notify_file_that_stays_is_seen_by_pod_a_little_later(scripted, media):
    """Pod's mount shows new files late, too; Pod answers 200."""
    with pytest.raises(RetryableError, match="is still there, so Pod does not see it") as failed:
        notify(scripted.url, media, results=results(age_s=5))
    assert not isinstance(failed.value, NotNowError), "the attempt counts"


def test_notify_file_that_stays_for_long_fails(scripted, media):
    with pytest.raises(PermanentError, match="MEDIA_ROOT is the same folder") as failed:
        notify(scripted.url, media)
    assert failed.value.kind == "service"


def test_notify_recording_that_was_deleted_cancels_the_job(scripted, media):
    scripted.post_answers = [NOT_FOUND]
    reply = notify(scripted.url, media)
    assert (reply.whereabouts, reply.job) == ("deleted", JOB)
    assert reply.log == ("Pod no longer knows this recording: it was deleted, and the job is cancelled.",)


@pytest.mark.parametrize(
    ("renditions", "answer", "reason"),
    [
        ((200, "[]"), (404, "<h1>Not found</h1>"), r"has no /store_remote_encoded_video_studio/ \(404\). Pod 3.5.2"),
        ((200, "[]"), (405, ""), r"has no /store_remote_encoded_video_studio/ \(405\). Pod 3.5.2"),
        ((404, ""), NOT_FOUND, "came from something other than Pod"),
        ((404, ""), (404, "<h1>Not found</h1>"), "came from something other than Pod"),
    ],
)
def test_notify_not_found_of_somebody_else_does_not_cancel_the_job(scripted, media, renditions, answer, reason):
    scripted.pages["/rest/renditions/"], scripted.post_answers = renditions, [answer]
    with pytest.raises(OperatorNeededError, match=reason):
        notify(scripted.url, media)


@pytest.mark.parametrize(("status", "error"), [(401, NotNowError), (503, NotNowError), (413, PermanentError)])
def test_notify_answers_that_do_not_end_the_job(scripted, media, status, error):
    scripted.post_answers = [(status, "")]
    with pytest.raises(error):
        notify(scripted.url, media)
    assert (media / JOB.output).exists()


def test_post_composed_success_is_accepted(scripted):
    assert RestPodApi(scripted.url, "t0ken", 5).post_composed(8, {}) is PodAnswer.ACCEPTED


def test_notify_pod_that_does_not_see_the_recording_yet_is_told_later(scripted, media, tmp_path_factory):
    with lagging_web(media, tmp_path_factory.mktemp("web") / "shown") as web:
        web.catch_up()
        (web.shown / JOB.output).unlink()
        view = PodView(HttpPodMedia(web.url), 900)
        with pytest.raises(NotNowError, match=r"does not show 'opencast-files/a1/a1\.mp4'"):
            notify(scripted.url, media, view, results=results(age_s=5))
        assert scripted.requests == []
        web.catch_up()
        scripted.on_post = (media / JOB.output).unlink
        assert notify(scripted.url, media, view, results=results(age_s=5)).log == ("Pod was notified.",)


def test_notify_video_about_a_recording_is_refused(scripted, media):
    job = JOB.model_copy(update={"reply_to": PodCallback(video_id=8)})
    with pytest.raises(InvalidRequestError, match="no 'pod' callback for jobs of type 'studio'"):
        notify(scripted.url, media, job=job)


def test_locate_recording_stays_as_it_was_for_pod_says_nothing_of_it(scripted, media):
    reply = notify(scripted.url, media, action="locate")
    assert (reply.whereabouts, reply.job) == ("unchanged", JOB)
    assert "Pod says nothing of a recording's sources" in reply.log[0]
    assert scripted.requests == []


@pytest.mark.parametrize("name", ["presentation", "presenter"])
def test_locate_source_that_pod_shows_may_still_be_uploaded(scripted, media, name, tmp_path_factory):
    with lagging_web(media, tmp_path_factory.mktemp("web") / "shown") as web:
        web.catch_up()
        (media / f"opencast-files/a1/{name}.webm").unlink()
        view = PodView(HttpPodMedia(web.url), 900)
        with pytest.raises(NotNowError, match=f"shows the source 'opencast-files/a1/{name}.webm'"):
            notify(scripted.url, media, view, action="locate", accepted_at=time.time())
