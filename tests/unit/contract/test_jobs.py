"""Jobs refuse what cannot be meant, and the table knows them all."""

import pytest
from pydantic import ValidationError

from podjobs.contract.errors import InvalidRequestError
from podjobs.contract.jobs import EncodingJob, Job, RecoveryJob, StudioJob, TranscriptionJob
from podjobs.contract.media_paths import MediaPaths
from podjobs.contract.steps import Step
from podjobs.contract.workflows import WORKFLOWS, celery_queues, read_job

ENCODING = {
    "id": "a-1",
    "target": "18",
    "source": "videos/x.mp4",
    "output_folder": "videos/0018",
    "reply_to": {"channel": "pod", "video_id": 18},
}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", ""),
        ("id", "../x"),
        ("id", "a/b"),
        ("target", ""),
        ("source", "/videos/x.mp4"),
        ("source", "../x.mp4"),
        ("source", "a/../x.mp4"),
        ("source", "x\0.mp4"),
        ("source", ""),
        ("output_folder", "videos/../.."),
        ("cut", {"start_s": -1}),
        ("cut", {"start_s": 0, "end_s": float("nan")}),
        ("cut", {"start_s": 0, "end_s": float("inf")}),
        ("dressing", "none"),
        ("dressing", {"opacity": 1.5}),
        ("dressing", {"watermark": "/etc/passwd"}),
        ("reply_to", {"channel": "pigeon"}),
        ("reply_to", {"channel": "pod", "video_id": -1}),
    ],
)
def test_encoding_job_bad_field_is_refused_by_name(field, value):
    with pytest.raises(ValidationError) as refused:
        EncodingJob.model_validate(ENCODING | {field: value})
    assert refused.value.errors()[0]["loc"][0] == field


def test_read_job_of_an_unknown_type_names_the_known_ones():
    with pytest.raises(
        ValueError, match="has the type 'cooking', expected one of: encoding, studio, recovery, transcription"
    ):
        read_job(ENCODING | {"type": "cooking"})


@pytest.mark.parametrize("value", [None, [], "encoding", {}, {"type": ["encoding"]}])
def test_read_job_of_something_else_is_refused(value):
    with pytest.raises(ValueError, match="has the type"):
        read_job(value)


def test_step_names_the_field_of_a_job_that_is_wrong():
    step = {"function": "encoding", "step_id": "plan", "action": "plan", "accepted_at": 0}
    with pytest.raises(ValidationError, match="source: String should have at least 1 character"):
        Step.model_validate({**step, "job": ENCODING | {"type": "encoding", "source": ""}})


def test_step_keeps_all_of_its_job_on_the_wire():
    job = read_job(ENCODING | {"type": "encoding", "cut": {"start_s": 1.5}})
    step = Step(function="encoding", step_id="plan", action="plan", accepted_at=0, job=job)
    assert Step.model_validate_json(step.model_dump_json()).job == job


def test_workflows_rows_are_found_by_their_jobs_type():
    assert {name: row.job for name, row in WORKFLOWS.items()} == {
        "encoding": EncodingJob,
        "studio": StudioJob,
        "recovery": RecoveryJob,
        "transcription": TranscriptionJob,
    }
    assert all(issubclass(row.job, Job) for row in WORKFLOWS.values())


def test_celery_queues_are_those_of_the_given_functions():
    assert celery_queues({"encoding", "notification"}) == ("encoding",)
    assert celery_queues({"encoding", "transcription"}) == ("encoding", "transcripting")


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "/media", "/media/../x", "/mediaX/x", "/media/x\0", "/media/" + "x" * 5000]
)
def test_media_paths_outside_the_media_root_have_no_key(path):
    with pytest.raises(InvalidRequestError):
        MediaPaths("/media").key_of(path)


@pytest.mark.parametrize("root", ["/media", "/media/"])
def test_media_paths_are_mapped_there_and_back(root):
    paths = MediaPaths(root)
    assert paths.key_of("/media//videos/../a b/é.mp4") == "a b/é.mp4"
    assert paths.pod_path("a b/é.mp4") == "/media/a b/é.mp4"


def test_media_paths_root_of_the_file_system_holds_everything():
    assert MediaPaths("/").key_of("/x.mp4") == "x.mp4"
