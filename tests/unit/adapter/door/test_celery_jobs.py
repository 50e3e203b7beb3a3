"""Celery messages: what Pod writes is read exactly, everything else is refused with its reason."""

import base64
import json

import pytest

from adapter.door import celery_jobs
from adapter.door.celery_jobs import ENCODING_TASK, TRANSCRIPTION_TASK
from podjobs.contract.errors import InvalidRequestError
from podjobs.contract.jobs import Cut, EncodingJob, TranscriptionJob
from podjobs.contract.media_paths import MediaPaths
from podjobs.contract.reply_to import PodCallback
from support.jobs import encoding_job, transcription_job

PATH = "/media/videos/7.mp4"


def message(arguments=([7, PATH, 0, 0], {}, {}), *, task=ENCODING_TASK, job_id="job-1", body=None, **fields):
    encoded = base64.b64encode(json.dumps(arguments).encode()).decode() if body is None else body
    content = {"body": encoded, "content-type": "application/json", "headers": {"task": task, "id": job_id}}
    return json.dumps(content | fields).encode()


def read_job(raw):
    return celery_jobs.read_job(raw, MediaPaths("/media"))


def test_read_job_gives_the_job_with_celerys_id():
    arguments = [[7, PATH, 2, 7.5], {"json_dressing": None, "dressing_input": ""}, {"chain": None}]
    request = {"video_id": 7, "video_path": PATH, "cut_start": 2, "cut_end": 7.5, "json_dressing": None}
    assert read_job(message(arguments)) == EncodingJob(
        id="job-1",
        target="7",
        source="videos/7.mp4",
        output_folder="videos/0007",
        cut=Cut(start_s=2, end_s=7.5),
        reply_to=PodCallback(video_id=7, request=request | {"dressing_input": ""}),
    )


def test_read_job_takes_arguments_by_position_or_by_name():
    by_name = {"video_id": 7, "video_path": PATH, "cut_start": 1, "cut_end": 2}
    assert read_job(message([[], by_name, {}])) == read_job(message([[7, PATH, 1, 2], {}, {}]))


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "The message is not JSON"),
        (b"\xff\xfe", "The message is not JSON"),
        (b"[" * 100_000, "The message is not JSON"),
        (b"[]", "no 'headers' object"),
        (b"null", "no 'headers' object"),
        (b'{"headers": []}', "no 'headers' object"),
        (message(task=None), "The task None is not supported by this version"),
        (message(task=["x"]), "The task ['x'] is not supported by this version"),
        (message(task="pod.other.task"), "The task 'pod.other.task' is not supported by this version"),
        (message(**{"content-type": "application/x-python-serialize"}), "expected 'application/json'"),
        (message(headers={"task": ENCODING_TASK, "id": "x", "compression": "application/x-gzip"}), "is compressed"),
        (message(body=17), "no 'body' string"),
        (message(body="%%%"), "body is not base64"),
        (message(body="é"), "body is not base64"),
        (message(body=base64.b64encode(b"no json").decode()), "The message's body is not JSON"),
        (message({}), "not a list of arguments"),
        (message([[7, PATH]]), "not a list of arguments"),
        (message([7, {}]), "not a list of arguments"),
        (message([["seven", PATH], {}, {}]), "video_id: "),
        (message([[-1, PATH], {}, {}]), "video_id: "),
        (message([[7, "/media/\ud800.mp4"], {}, {}]), "not valid Unicode"),
        (message(job_id=None), "id: "),
        (message(job_id="../../etc"), "id: "),
    ],
)
def test_read_job_that_cannot_be_used_is_refused_with_its_reason(raw, reason):
    with pytest.raises(InvalidRequestError) as caught:
        read_job(raw)
    assert reason in caught.value.detail


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (message([[7, PATH, 0, 0, None, "", 1], {}, {}]), "has 7 arguments, at most 6"),
        (message([[7], {"video_id": 8}, {}]), "'video_id' is given twice"),
        (message([[7, PATH], {"colour": "red"}, {}]), "'colour' is unknown"),
        (message([[7], {}, {}]), "video_path: Field required"),
        (message([[7, "videos/7.mp4"], {}, {}]), "video_path: "),
        (message([[7, "/media/\0"], {}, {}]), "video_path: "),
        (message([[7, PATH, -1, 0], {}, {}]), "cut_start: "),
        (message([[7, PATH, float("nan"), 0], {}, {}]), "cut_start: "),
        (message([[7, PATH, 0, float("inf")], {}, {}]), "cut_end: "),
        (message([[7, PATH, 0, 0, "dressing"], {}, {}]), "json_dressing: "),
        (message([["7", "/etc/passwd", 0, 0], {}, {}]), "'/etc/passwd' is outside Pod's media root"),
    ],
)
def test_read_job_arguments_that_are_not_valid_are_a_job_whose_refusal_pod_is_told(raw, reason):
    """The video's number suffices: the video would be «in progress» for ever."""
    job = read_job(raw)
    assert reason in job.refusal.detail
    assert (job.id, job.target, job.reply_to.video_id) == ("job-1", "7", 7)
    request = job.reply_to.request
    assert request["video_id"] == 7
    assert {"cut_start", "cut_end", "json_dressing", "dressing_input"} < set(request)
    assert request["video_path"] == f"/media/{job.source}"


def test_read_job_refusal_is_reported_at_the_video_if_its_path_is_valid():
    job = read_job(message([[7, "/media/videos/ada/7.mp4", -1, 0], {}, {}]))
    assert (job.source, job.output_folder) == ("videos/ada/7.mp4", "videos/ada/0007")


@pytest.mark.parametrize("path", ["/etc/passwd", "videos/7.mp4", None, 7, "/media/../x.mp4", "/media/" + "x" * 5000])
def test_read_job_refusal_is_reported_at_a_place_of_its_own_if_the_video_s_path_is_not_valid(path):
    """Pod looks for the result beside the path that it is notified with."""
    job = read_job(message([[7, path, 0, 0], {}, {}]))
    assert job.output_folder == "temp/encoding_job-1/0007"
    assert job.reply_to.request["video_path"] == "/media/temp/encoding_job-1/unknown"


@pytest.mark.parametrize("value", ["\ud800", {"deep": "\udfff"}])
def test_read_job_text_that_is_not_unicode_is_refused_before_it_is_stored(value):
    """It could not be written to Redis later, and the queue would stand."""
    with pytest.raises(InvalidRequestError):
        read_job(message([[7, PATH, 0, 0, {"title": value}, ""], {}, {}]))


def test_read_job_gives_a_transcription_its_own_place_for_captions():
    raw = message([[28, "/media/videos/a/0028/audio_192k.mp3", 10, "fr"], {}, {}], task=TRANSCRIPTION_TASK)
    assert read_job(raw) == TranscriptionJob(
        id="job-1",
        target="28",
        source="videos/a/0028/audio_192k.mp3",
        captions="temp/transcription_28_job-1.vtt",
        language="fr",
        reply_to=PodCallback(video_id=28),
    )
    assert transcription_job("b-2").captions != transcription_job("a-1").captions


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ([28, "audio.mp3", 10, "fr"], "mp3filepath"),
        ([28, None, 10, "fr"], "mp3filepath"),
        ([28, "/media/a.mp3", -1, "fr"], "duration"),
        ([28, "/media/a.mp3", float("inf"), "fr"], "duration"),
        ([28, "/media/a.mp3", 10, None], "lang"),
        ([28, "/media/a.mp3", 10, "x" * 100], "lang"),
    ],
)
def test_read_job_transcription_with_a_bad_argument_is_a_job_whose_refusal_pod_is_told(arguments, field):
    job = read_job(message([arguments, {}, {}], task=TRANSCRIPTION_TASK))
    assert f"{field}: " in job.refusal.detail
    assert (job.reply_to.video_id, job.captions) == (28, "temp/transcription_28_job-1.vtt")


@pytest.mark.parametrize("task", [ENCODING_TASK, TRANSCRIPTION_TASK])
def test_read_job_without_a_video_is_refused_and_says_that_pod_cannot_be_told(task):
    with pytest.raises(InvalidRequestError, match=r"video_id: .* Pod cannot be told: .* Request it again in Pod"):
        read_job(message([["x", "/media/a.mp3", 10, "fr"], {}, {}], task=task))


@pytest.mark.parametrize(("video_id", "folder"), [(18, "videos/0018"), (12345, "videos/12345")])
def test_read_job_output_folder_is_pods(video_id, folder):
    assert encoding_job(video_id=video_id).output_folder == folder


@pytest.mark.parametrize(
    ("cut_start", "cut_end", "cut"),
    [(0, 0, None), (2, 0, Cut(start_s=2)), (0, 7, Cut(end_s=7)), (7, 2, Cut(start_s=7, end_s=2))],
)
def test_read_job_cut_of_nothing_is_none_and_no_end_is_the_sources(cut_start, cut_end, cut):
    assert encoding_job(cut_start=cut_start, cut_end=cut_end).cut == cut


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "/media/../etc/passwd", "/mediaX/x.mp4", "/media", "/media/", "/media/videos/../../x.mp4"]
)
def test_read_job_outside_the_media_root_is_refused(path):
    for job in (encoding_job(video_path=path), transcription_job(mp3filepath=path)):
        assert "outside Pod's media root" in job.refusal.detail
        assert job.source.startswith("temp/")


@pytest.mark.parametrize("path", ["/media/x.mp4", "/media/videos/../x.mp4", "/media/a b/'é\".mp4"])
def test_read_job_inside_the_media_root_is_accepted(path):
    assert not encoding_job(video_path=path).source.startswith("/")
