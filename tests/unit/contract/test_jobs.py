"""Jobs refuse what cannot be meant."""

import pytest
from pydantic import ValidationError

from podjobs.contract.errors import InvalidRequestError
from podjobs.contract.jobs import EncodingJob, TranscriptionJob, check_paths


def job(**changes):
    return EncodingJob.model_validate({"id": "a-1", "video_id": 18, "video_path": "/media/videos/x.mp4"} | changes)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", ""),
        ("id", "../x"),
        ("id", "a/b"),
        ("video_id", -1),
        ("video_id", "eighteen"),
        ("video_path", "videos/x.mp4"),
        ("video_path", "/media/x\0.mp4"),
        ("video_path", "/"),
        ("cut_start", -1),
        ("cut_end", float("nan")),
        ("cut_end", float("inf")),
        ("json_dressing", "none"),
    ],
)
def test_encoding_job_bad_field_is_refused_by_name(field, value):
    with pytest.raises(ValidationError) as refused:
        job(**{field: value})
    assert refused.value.errors()[0]["loc"] == (field,)


def test_encoding_job_output_dir_is_pods():
    assert job().output_dir == "/media/videos/0018"
    assert job(video_id=12345).output_dir == "/media/videos/12345"


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "/media/../etc/passwd", "/mediaX/x.mp4", "/media", "/media/videos/../../x.mp4"]
)
def test_check_paths_outside_the_media_root_is_refused(path):
    with pytest.raises(InvalidRequestError, match="outside Pod's media root"):
        check_paths(job(video_path=path), "/media")


@pytest.mark.parametrize("path", ["/media/x.mp4", "/media/videos/../x.mp4", "/media/a b/'é\".mp4"])
def test_check_paths_inside_the_media_root_is_accepted(path):
    check_paths(job(video_path=path), "/media/")


def transcription(**changes):
    values = {"id": "a-1", "video_id": 18, "mp3filepath": "/media/videos/a/0018/audio_192k.mp3", "lang": "fr"}
    return TranscriptionJob.model_validate(values | changes)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mp3filepath", "audio.mp3"),
        ("mp3filepath", None),
        ("duration", -1),
        ("duration", float("inf")),
        ("lang", None),
        ("lang", "x" * 100),
        ("video_id", "x"),
    ],
)
def test_transcription_job_bad_field_is_refused_by_name(field, value):
    with pytest.raises(ValidationError) as refused:
        transcription(**{field: value})
    assert refused.value.errors()[0]["loc"] == (field,)


def test_transcription_job_captions_lie_in_pods_temp_folder_each_jobs_own():
    assert transcription().captions_key == "temp/transcription_18_a-1.vtt"
    assert transcription(id="b-2").captions_key != transcription().captions_key


def test_check_paths_looks_at_the_sound():
    with pytest.raises(InvalidRequestError, match="outside Pod's media root"):
        check_paths(transcription(mp3filepath="/media/../etc/shadow"), "/media")
