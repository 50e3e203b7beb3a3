"""Pod is asked where a video is: the job goes on there, is cancelled, or stays as it is.

Source: docs/decisions/0028.
"""

import json

import pytest

from podjobs.backends.files import FileStorage
from podjobs.backends.pod_api import RestPodApi
from podjobs.contract.errors import NotNowError, Problem, RetryableError
from podjobs.contract.jobs import EncodingJob
from podjobs.contract.reply_to import Nobody
from podjobs.contract.steps import Step
from podjobs.notification.function import NotificationFunction
from podjobs.notification.locate import find_file
from support.jobs import encoding_job, transcription_job
from support.scripted_pod import ScriptedPod

MEDIA_ROOT = "/pod/media"
OLD, NEW = "videos/ada/été 1.mp4", "videos/bob/été 1.mp4"
IN_PROGRESS = {"encoding_in_progress": True, "encoded": False, "get_encoding_step": "2 : start encoding"}
IMPORTED = {"encoding_in_progress": False, "encoded": True, "get_encoding_step": "0 : end of encoding"}


@pytest.fixture
def pod():
    with ScriptedPod() as pod:
        yield pod


@pytest.fixture
def media(tmp_path):
    """A media root in which the video is at its new place."""
    for folder in ("videos/ada", "videos/bob"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / NEW).touch()
    return tmp_path


def serve_at(pod, key, state=IN_PROGRESS):
    pod.state = state | {"video": f"https://pod.example.org/django-media/{key.replace(' ', '%20')}?v=1"}


def job(**request):
    return encoding_job("job-1", 18, f"{MEDIA_ROOT}/{OLD}", pod_root=MEDIA_ROOT, cut_start=2, **request)


def ask(pod, media, asked_job=None, action="locate", **changes):
    function = NotificationFunction(RestPodApi(pod.url, "t0ken", 5), FileStorage(media, MEDIA_ROOT))
    step = Step(
        job=asked_job or job(), step_id=action, function="notification", action=action, accepted_at=0, **changes
    )
    return function.handle(step)


def test_locate_moved_video_gives_the_job_at_its_new_place(pod, media):
    serve_at(pod, NEW)
    reply = ask(pod, media)
    before = job()
    assert reply.whereabouts == "moved"
    assert (reply.job.source, reply.job.output_folder) == (NEW, "videos/bob/0018")
    request = before.reply_to.request | {"video_path": f"{MEDIA_ROOT}/{NEW}"}
    assert reply.job.reply_to.request == request
    assert (reply.job.id, reply.job.target, reply.job.cut) == (before.id, before.target, before.cut)
    assert pod.methods == ["GET"]


def test_locate_deleted_video_cancels_the_job(pod, media):
    pod.state = None
    assert ask(pod, media).whereabouts == "deleted"


@pytest.mark.parametrize("key", ["", OLD, "videos/cyd/été 1.mp4", "videos/bob/another.mp4", "été 1.mp4", "videos/bob"])
def test_locate_video_that_is_not_found_elsewhere_leaves_the_job_as_it_was(pod, media, key):
    """Another name is another file, and a name alone is too little to go by."""
    (media / "videos/bob/another.mp4").touch()
    (media / "été 1.mp4").touch()
    serve_at(pod, key)
    reply = ask(pod, media)
    assert (reply.whereabouts, reply.job) == ("unchanged", job())


def test_locate_source_that_is_back_leaves_the_job_as_it_was(pod, media):
    (media / OLD).touch()
    serve_at(pod, OLD)
    assert ask(pod, media).whereabouts == "unchanged"


@pytest.mark.parametrize(("status", "error"), [(500, RetryableError), (401, NotNowError)])
def test_locate_without_an_answer_is_asked_again(pod, media, status, error):
    pod.pages["/rest/videos/18/"] = (status, "")
    with pytest.raises(error):
        ask(pod, media)


def test_locate_job_of_nobody_stays_as_it_was(pod, media):
    nobody = job().model_copy(update={"reply_to": Nobody()})
    assert ask(pod, media, nobody).whereabouts == "unchanged"
    assert pod.requests == []


def test_locate_sound_is_where_the_video_s_folder_is_now(pod, media):
    sound = transcription_job("job-1", 18, f"{MEDIA_ROOT}/videos/ada/0018/audio_192k.mp3", pod_root=MEDIA_ROOT)
    serve_at(pod, NEW)
    assert ask(pod, media, sound).whereabouts == "unchanged"
    (media / "videos/bob/0018").mkdir()
    (media / "videos/bob/0018/audio_192k.mp3").touch()
    reply = ask(pod, media, sound)
    assert (reply.whereabouts, reply.job.source) == ("moved", "videos/bob/0018/audio_192k.mp3")
    assert reply.job.captions == sound.captions


def report(folder, job_id="job-1"):
    """What a job leaves in a video's folder."""
    files = {"360": f"{MEDIA_ROOT}/{folder}/0018/360p.mp4"}
    return {
        "job_id": job_id, "video_file": f"{MEDIA_ROOT}/{folder}/été 1.mp4", "list_mp4_files": files,
        "list_subtitle_files": {"2": ["fra", f"{MEDIA_ROOT}/{folder}/0018/subtitle_fra.vtt"]}, "duration": 12,
        "encoding_log": {"msg": "All is well."},
    }  # fmt: skip


def test_locate_takes_along_what_was_published_at_the_old_place(pod, media):
    """Pod had moved the folder before, with some of the files."""
    old, new = media / "videos/ada/0018", media / "videos/bob/0018"
    old.mkdir()
    new.mkdir()
    (new / "360p.ts").write_text("the new one")
    (new / "360p.mp4").write_text("of an earlier encode")
    (old / "360p.mp4").write_text("the new one")
    (old / f".720p.mp4.{'0' * 32}").write_text("what a killed step left")
    (old / "info_video.json").write_text(json.dumps(report("videos/ada")))
    serve_at(pod, NEW)
    for _ in range(2):
        assert ask(pod, media).whereabouts == "moved"
        assert json.loads((new / "info_video.json").read_text()) == report("videos/bob")
        assert {file.name for file in new.iterdir()} == {"360p.mp4", "360p.ts", "info_video.json"}
        assert (new / "360p.mp4").read_text() == "the new one"
        assert list((media / "videos/ada").iterdir()) == []


def test_locate_report_of_an_earlier_job_is_not_touched(pod, media):
    new = media / "videos/bob/0018"
    new.mkdir()
    (new / "info_video.json").write_text(json.dumps(report("videos/ada", "another")))
    serve_at(pod, NEW)
    ask(pod, media)
    assert json.loads((new / "info_video.json").read_text()) == report("videos/ada", "another")


@pytest.mark.parametrize("failure", [None, Problem(title="It failed.", status=422, detail="It is damaged.")])
def test_notify_of_a_video_that_was_moved_after_it_was_published_names_its_new_place(pod, media, failure):
    new = media / "videos/bob/0018"
    new.mkdir()
    (new / "info_video.json").write_text(json.dumps(report("videos/ada")))
    serve_at(pod, NEW, IMPORTED)
    ask(pod, media, action="encoding", failure=failure)
    (body,) = [body for method, _, _, body in pod.requests if method == "POST"]
    assert body["video_path"] == f"{MEDIA_ROOT}/{NEW}"
    assert json.loads((new / "info_video.json").read_text()) == report("videos/bob")


def test_notify_of_a_video_that_was_deleted_after_it_was_published_cancels_the_job(pod, media):
    pod.state = None
    assert ask(pod, media, action="encoding").whereabouts == "deleted"
    assert "POST" not in pod.methods


def test_notify_of_a_report_at_another_place_names_that_place(pod, media):
    (media / OLD).touch()
    pod.state = IMPORTED
    failure = Problem(title="It failed.", status=422, detail="It is damaged.")
    place = f"{MEDIA_ROOT}/temp/encoding_job-1/été 1.mp4"
    ask(pod, media, action="encoding", failure=failure, results={"report": {"video_path": place}})
    assert pod.requests[0][3]["video_path"] == place


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://pod/media/videos/a/x.mp4", "videos/a/x.mp4"),
        ("https://pod/videos/a/x.mp4", "videos/a/x.mp4"),
        ("/some/where/else/videos/a/x.mp4", "videos/a/x.mp4"),
        ("https://pod/media/videos/a/%C3%A9t%C3%A9%20%2523.mp4", "videos/a/été %23.mp4"),
        ("https://pod/media/videos/a/../../secret.mp4", None),
        ("https://pod/media/a/x.mp4", None),
        ("https://pod/x.mp4", None),
        ("", None),
    ],
)
def test_find_file_ends_as_the_url_s_path_does(tmp_path, url, key):
    storage = FileStorage(tmp_path, MEDIA_ROOT)
    for name in ("videos/a/x.mp4", "videos/a/été %23.mp4", "x.mp4", "secret.mp4"):
        storage.write(name, b"")
    assert find_file(url, "videos/a/old.mp4", storage) == key


def test_refused_task_reaches_pod_at_a_place_that_it_can_read(pod, media):
    """The path in the task was of no use."""
    refused = encoding_job("job-1", 18, "/elsewhere/x.mp4", pod_root=MEDIA_ROOT)
    assert isinstance(refused, EncodingJob)
    serve_at(pod, NEW, IMPORTED)
    ask(pod, media, refused, action="encoding", failure=refused.refusal)
    (body,) = [body for method, _, _, body in pod.requests if method == "POST"]
    assert body["video_path"] == f"{MEDIA_ROOT}/{refused.source}"
    assert {"video_id", "video_path", "cut_start", "cut_end", "start", "stop"} <= set(body)
    assert "outside Pod's media root" in body["stop"]
