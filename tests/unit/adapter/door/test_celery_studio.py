"""Studio recordings: what Pod writes is read exactly; everything else is a job whose refusal Pod is told."""

import base64
import json

import pytest

from adapter.door import celery_jobs
from adapter.door.celery_jobs import STUDIO_TASK
from adapter.door.celery_studio import RecordingRequest, read_subtime
from podjobs.contract.errors import InvalidRequestError
from podjobs.contract.jobs import Cut, StudioJob
from podjobs.contract.media_paths import MediaPaths
from podjobs.contract.reply_to import PodRecordingCallback

FOLDER = "opencast-files/a1"
OUTPUT = f"/media/{FOLDER}/a1.mp4"
SLIDES = {"type": "presentation/source", "src": f"/media/{FOLDER}/presentation.webm"}
CAMERA = {"type": "presenter/source", "src": f"/media/{FOLDER}/presenter.webm"}


def read_job(*arguments, job_id="job-1", **keywords):
    body = base64.b64encode(json.dumps([arguments, keywords, {}]).encode()).decode()
    headers = {"task": STUDIO_TASK, "id": job_id}
    raw = json.dumps({"body": body, "content-type": "application/json", "headers": headers}).encode()
    return celery_jobs.read_job(raw, MediaPaths("/media"))


def compose(videos=(SLIDES, CAMERA), subtime="", presenter="pipb", output=OUTPUT):
    return read_job(8, output, list(videos), subtime, presenter)


def test_read_job_of_a_recording_is_about_the_recording_and_not_about_a_video():
    assert compose(subtime="-ss 1.25 -to 6.5 ") == StudioJob(
        id="job-1",
        target="recording-8",
        presentation=f"{FOLDER}/presentation.webm",
        presenter=f"{FOLDER}/presenter.webm",
        layout="pipb",
        cut=Cut(start_s=1.25, end_s=6.5),
        output=f"{FOLDER}/a1.mp4",
        reply_to=PodRecordingCallback(recording_id=8),
    )


@pytest.mark.parametrize(
    ("presenter", "layout"),
    [("mid", "mid"), ("pipb", "pipb"), ("piph", "piph"), ("", "alone"), ("MID", "alone"), ("alone", "alone"),
     (None, "alone"), ([], "alone"), ("pip", "alone")],
)  # fmt: skip
def test_read_job_layout_that_pod_does_not_have_shows_the_first_source(presenter, layout):
    assert compose(presenter=presenter).layout == layout


@pytest.mark.parametrize("video", [SLIDES, CAMERA])
def test_read_job_of_one_source_shows_it_alone(video):
    job = compose([video], presenter="mid")
    assert (job.layout, job.sources) == ("alone", (video["src"].removeprefix("/media/"),))


def test_read_job_takes_the_last_source_of_a_type_and_no_other_types():
    later = SLIDES | {"src": f"/media/{FOLDER}/again.webm"}
    other = [
        {"type": "security/xacml", "src": "/etc/passwd"},
        "text",
        {"src": "/media/x"},
        {"type": ["presenter/source"]},
    ]
    earlier = SLIDES | {"src": "/etc/passwd"}
    assert compose([earlier, later, *other]).sources == (f"{FOLDER}/again.webm",)


@pytest.mark.parametrize(
    ("subtime", "cut"),
    [
        ("", None),
        ("  ", None),
        ("-ss 1.25 -to 6.5 ", Cut(start_s=1.25, end_s=6.5)),
        (" -ss 00:00:01.250 -to 00:01:06.5", Cut(start_s=1.25, end_s=66.5)),
        ("-ss 1:02:03", Cut(start_s=3723)),
        ("-ss 2:03.5", Cut(start_s=123.5)),
        ("-ss 100:00:00", Cut(start_s=360000)),
        ("-ss 90", Cut(start_s=90)),
        ("-to 5", Cut(end_s=5)),
        ("-ss 0.0", None),
        ("-ss 0 -to 5", Cut(end_s=5)),
    ],
)
def test_read_subtime_gives_the_part_that_is_kept(subtime, cut):
    assert read_subtime(subtime) == cut


@pytest.mark.parametrize(
    "subtime",
    ["-ss", "-to", "-ss 1 -to", "-to 6 -ss 1", "-ss 1 -ss 2", "-t 5", "1 6", "-ss -1", "-ss +1", "-ss 1e3", "-ss .5",
     "-ss 1.", "-ss 1s", "-ss 1,5", "-ss 60:61", "-ss 1:60", "-ss 1:2:3:4", "-ss 1:100", "-ss inf", "-ss nan",
     "-ss 1000000000000", "-ss \u0661", "-ss 1 -to 2 -i /etc/passwd", "-ss 1; reboot", "-ss $(x)", "-ss 1\0",
     "-ss1 -to2"],
)  # fmt: skip
def test_read_subtime_with_anything_else_is_refused(subtime):
    with pytest.raises(InvalidRequestError, match=r"subtime is .*, expected nothing, or «-ss T»") as refused:
        read_subtime(subtime)
    assert refused.value.kind == "cut"


@pytest.mark.parametrize("subtime", ["-ss 5 -to 5", "-ss 6.5 -to 1.25", "-to 0"])
def test_read_subtime_that_leaves_nothing_is_refused(subtime):
    with pytest.raises(InvalidRequestError, match="leaves nothing of the recording") as refused:
        read_subtime(subtime)
    assert refused.value.kind == "cut"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"videos": []}, "there is nothing to compose"),
        ({"videos": [{"type": "other", "src": "/media/x.webm"}]}, "there is nothing to compose"),
        ({"videos": [SLIDES, CAMERA | {"src": "/etc/passwd"}]}, "'/etc/passwd' is outside Pod's media root"),
        ({"videos": [SLIDES | {"src": "/media/../etc/passwd"}]}, "is outside Pod's media root"),
        ({"videos": [SLIDES | {"src": "a.webm"}]}, "names a presentation whose src is no absolute path: 'a.webm'"),
        ({"videos": [SLIDES, {"type": "presenter/source"}]}, "names a presenter whose src is no absolute path: None"),
        ({"videos": [SLIDES | {"src": ["x" * 9999]}]}, "whose src is no absolute path: ['xxx"),
        ({"subtime": "-t 5"}, "subtime is '-t 5'"),
    ],
)
def test_read_job_that_cannot_be_composed_is_a_job_whose_refusal_is_left_where_the_recording_would_be(changes, reason):
    job = compose(**changes)
    assert reason in job.refusal.detail
    assert len(job.refusal.detail) < 1000
    assert (job.id, job.target, job.reply_to) == ("job-1", "recording-8", PodRecordingCallback(recording_id=8))
    assert (job.output, job.log, job.sources) == (f"{FOLDER}/a1.mp4", f"{FOLDER}/a1.log", ())


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("/etc/a1.mp4", "outside Pod's media root"),
        ("/media/../etc/a1.mp4", "outside Pod's media root"),
        ("/media/a1.webm", "expected a path that ends with .mp4"),
        ("/media/a1.MP4", "expected a path that ends with .mp4"),
        ("/media/a1/.mp4", "expected a path that ends with .mp4"),
        ("a1.mp4", "video_output: "),
        (None, "video_output: "),
        (["/media/a1.mp4"], "video_output: "),
        (f"/media/{FOLDER}/./slides.mp4", "is one of the sources, which would be overwritten"),
    ],
)
def test_read_job_whose_output_cannot_be_used_is_a_job_with_a_place_of_its_own(output, reason):
    slides = SLIDES | {"src": f"/media/{FOLDER}/slides.mp4"}
    job = compose([slides], output=output)
    assert reason in job.refusal.detail
    assert job.output == "temp/encoding_job-1/unknown.mp4"
    assert job.reply_to.recording_id == 8


def test_read_job_that_is_refused_never_names_a_source_as_its_result():
    """Pod takes away what is at the place that it is notified with."""
    slides = SLIDES | {"src": OUTPUT}
    assert compose([slides, CAMERA | {"src": "/etc/passwd"}]).output == "temp/encoding_job-1/unknown.mp4"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([8], "video_output: Field required"),
        ([8, OUTPUT], "videos: Field required"),
        ([8, OUTPUT, "videos"], "videos: "),
        ([8, OUTPUT, None, "", "mid"], "videos: "),
        ([8, OUTPUT, [SLIDES], 5, "mid"], "subtime: "),
        ([8, OUTPUT, [SLIDES], "", "mid", "more"], "has 6 arguments, at most 5"),
    ],
)
def test_read_job_with_arguments_of_other_types_is_a_job_whose_refusal_pod_is_told(arguments, reason):
    job = read_job(*arguments)
    assert reason in job.refusal.detail
    assert job.reply_to.recording_id == 8


@pytest.mark.parametrize("recording_id", ["x", None, -1, [8]])
def test_read_job_without_a_recording_is_refused_and_says_that_pod_cannot_be_told(recording_id):
    with pytest.raises(InvalidRequestError, match=r"recording_id: .* Pod cannot be told: .* Request it again in Pod"):
        read_job(recording_id, OUTPUT, [SLIDES], "", "mid")


def test_recording_request_is_written_as_pod_writes_it_and_read_as_it_was_meant():
    asked = RecordingRequest(8, OUTPUT, SLIDES["src"], CAMERA["src"], "piph", 1.25, 6.5)
    assert asked.arguments == [8, OUTPUT, [SLIDES, CAMERA], "-ss 1.25 -to 6.5 ", "piph"]
    assert read_job(*asked.arguments) == compose(subtime="-ss 1.25 -to 6.5", presenter="piph")
    assert RecordingRequest(8, OUTPUT, presenter=CAMERA["src"]).arguments == [8, OUTPUT, [CAMERA], "", "alone"]
