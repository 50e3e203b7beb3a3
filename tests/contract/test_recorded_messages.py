"""The messages a real Pod 4.1 put on its queue, byte for byte."""

import json
from pathlib import Path

import pytest

from adapter.door import celery_jobs
from adapter.door.celery_jobs import STUDIO_TASK
from adapter.door.celery_studio import RecordingRequest
from adapter.door.statement_intake import read_statement
from podjobs.contract.errors import InvalidRequestError
from podjobs.contract.jobs import Cut, DressingRequest, StudioJob, TranscriptionJob
from podjobs.contract.media_paths import MediaPaths
from podjobs.contract.reply_to import PodCallback, PodRecordingCallback
from podjobs.xapi.statements import check_statement

MESSAGES = Path(__file__).parents[1] / "data" / "pod-4.1-messages"
POD_ROOT = "/usr/local/django_projects/podv4/pod/media"
OWNER = "ac514f60f3b1af5734b8a703a26c4ccd53f9865eebd6178c81ed4fcbaa8bdb4a"
UPLOADS, PICTURES = f"videos/{OWNER}", f"files/{OWNER}"


def recorded(name):
    raw = (MESSAGES / f"{name}.json").read_bytes()
    return raw, json.loads(raw), json.loads((MESSAGES / f"{name}.body.json").read_text())


def read_job(raw):
    return celery_jobs.read_job(raw, MediaPaths(POD_ROOT))


@pytest.mark.parametrize(
    "name",
    ["encode_plain", "encode_cut", "encode_dressing_silent_credits", "encode_dressing_watermark_only"],
)
def test_recorded_encoding_message_is_read_exactly(name):
    raw, message, (positional, keywords, _) = recorded(name)
    video_id, video_path, cut_start, cut_end = positional
    job = read_job(raw)
    assert (job.id, job.target, job.refusal) == (message["headers"]["id"], str(video_id), None)
    assert f"{POD_ROOT}/{job.source}" == video_path
    assert f"{POD_ROOT}/{job.output_folder}" == f"{video_path.rpartition('/')[0]}/{video_id:04d}"
    asked = {"video_id": video_id, "video_path": video_path, "cut_start": cut_start, "cut_end": cut_end, **keywords}
    assert job.reply_to == PodCallback(video_id=video_id, request=asked)


def test_recorded_cut_has_its_seconds():
    job = read_job(recorded("encode_cut")[0])
    assert (job.id, job.target, job.cut) == ("d8c097d1-e477-4aaa-9779-fb255f8a52c6", "18", Cut(start_s=2, end_s=7))


def test_recorded_dressing_names_its_files():
    credits_video = f"{UPLOADS}/credits_silent.mp4"
    assert read_job(recorded("encode_dressing_silent_credits")[0]).dressing == DressingRequest(
        watermark=f"{PICTURES}/testimage_6QPbtwY.jpg",
        position="top_right",
        opacity=0.5,
        opening=credits_video,
        ending=credits_video,
    )
    assert read_job(recorded("encode_dressing_watermark_only")[0]).dressing == DressingRequest(
        watermark=f"{PICTURES}/testimage_yIZ2Qo4.jpg", position="bottom_left", opacity=0.8
    )


def test_recorded_transcription_message_is_read_exactly():
    raw, message, ([video_id, mp3filepath, duration, lang], _, _) = recorded("transcript")
    assert (video_id, duration, lang) == (28, 10, "fr")
    job_id = message["headers"]["id"]
    assert read_job(raw) == TranscriptionJob(
        id=job_id,
        target="28",
        source=mp3filepath.removeprefix(f"{POD_ROOT}/"),
        captions=f"temp/transcription_28_{job_id}.vtt",
        language="fr",
        reply_to=PodCallback(video_id=28),
    )


def test_recorded_studio_message_is_read_exactly():
    raw, message, ([recording_id, video_output, *_], _, _) = recorded("studio_pipb_cut")
    folder = "opencast-files/301eb8d1-86c7-4141-8200-11a278c44249"
    assert video_output == f"{POD_ROOT}/{folder}/301eb8d1-86c7-4141-8200-11a278c44249.mp4"
    assert read_job(raw) == StudioJob(
        id=message["headers"]["id"],
        target=f"recording-{recording_id}",
        presentation=f"{folder}/presentation.mp4",
        presenter=f"{folder}/presenter.mp4",
        layout="pipb",
        cut=Cut(start_s=1.25, end_s=6.5),
        output=video_output.removeprefix(f"{POD_ROOT}/"),
        reply_to=PodRecordingCallback(recording_id=recording_id),
    )


def test_recorded_studio_message_of_one_source_shows_it_alone():
    job = read_job(recorded("studio_single_cut")[0])
    assert (job.target, job.layout, job.cut) == ("recording-9", "alone", Cut(start_s=1, end_s=5))
    assert job.sources == ("opencast-files/f4d6d8c6-b371-4676-a3c0-26764880c6bd/presentation.mp4",)


@pytest.mark.parametrize("name", ["studio_pipb_cut", "studio_single_cut"])
def test_recorded_studio_message_is_written_again_as_pod_has_written_it(name):
    raw, message, (positional, _, _) = recorded(name)
    job = read_job(raw)
    asked = RecordingRequest(
        job.reply_to.recording_id,
        *(None if key is None else f"{POD_ROOT}/{key}" for key in (job.output, job.presentation, job.presenter)),
        positional[-1],
        job.cut.start_s,
        job.cut.end_s,
    )
    assert (asked.arguments, message["headers"]["task"]) == (positional, STUDIO_TASK)


@pytest.mark.parametrize("name", ["xapi_played", "xapi_terminated"])
def test_recorded_statement_is_no_job(name):
    raw, message, _ = recorded(name)
    with pytest.raises(InvalidRequestError) as caught:
        read_job(raw)
    assert message["headers"]["task"] in caught.value.detail


@pytest.mark.parametrize("name", ["xapi_played", "xapi_terminated"])
def test_recorded_statement_is_read_exactly_and_is_valid(name):
    raw, _, ((statement,), _, _) = recorded(name)
    assert read_statement(raw) == statement
    check_statement(statement)


@pytest.mark.parametrize("name", ["encode_plain", "studio_pipb_cut", "transcript"])
def test_recorded_message_of_another_kind_is_not_a_statement(name):
    raw, message, _ = recorded(name)
    with pytest.raises(InvalidRequestError) as caught:
        read_statement(raw)
    assert message["headers"]["task"] in caught.value.detail
