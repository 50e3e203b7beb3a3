"""A task becomes a job: what it fetches, where its files are, whom it notifies."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from adapter.door.runner.requests import TaskRequest, file_name
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.jobs import Cut, DressingRequest, EncodingJob, StudioJob, TranscriptionJob
from podjobs.contract.reply_to import RunnerCallback
from podjobs.contract.workflows import FETCH_STAGE, WORKFLOWS, read_job, workflow_of
from support.runner_requests import SITE, job_of, v4_task, v5_task


def test_encoding_fetches_its_source_and_its_dressing_first():
    dressing = {"watermark": f"{SITE}/media/logo.PNG", "ending_credits": "end", "ending_credits_video": f"{SITE}/e.mov"}
    cut = {"start": "00:00:02", "end": "00:00:08", "initial_duration": "00:00:10"}
    job = job_of(v4_task(parameters={"dressing": json.dumps(dressing), "cut": json.dumps(cut)}))
    assert isinstance(job, EncodingJob)
    assert [(file.url, file.key) for file in job.fetch] == [
        (f"{SITE}/media/videos/0a1b/lecture.mp4", "runner/job-1/source/lecture.mp4"),
        (f"{SITE}/media/logo.PNG", "runner/job-1/source/dressing/watermark.png"),
        (f"{SITE}/e.mov", "runner/job-1/source/dressing/ending.mov"),
    ]
    assert job.source == "runner/job-1/source/lecture.mp4"
    assert job.output_folder == "runner/job-1/result"
    assert job.cut == Cut(start_s=2, end_s=8)
    assert job.dressing == DressingRequest(
        watermark="runner/job-1/source/dressing/watermark.png", ending="runner/job-1/source/dressing/ending.mov"
    )
    assert [one.resolution for one in job.renditions] == ["640x360", "1280x720", "1920x1080"]
    assert job.reply_to == RunnerCallback(client="pod", dialect="v4")
    assert workflow_of(job).first_stage_of(job) == FETCH_STAGE


def test_newer_client_is_known_by_its_name():
    assert job_of(v5_task()).reply_to.dialect == "v5"
    assert job_of(v4_task(app_name="Something else")).reply_to.dialect == "v4"


def test_no_secret_of_a_request_is_in_its_job():
    assert "very-secret-value" not in job_of(v5_task()).model_dump_json()


def test_studio_fetches_its_mediapackage_first():
    job = job_of(v4_task(task_type="studio", source_url=f"{SITE}/media/opencast-files/a1/a1.xml"))
    assert isinstance(job, StudioJob)
    assert job.mediapackage == "runner/job-1/source/mediapackage.xml" == job.fetch[0].key
    assert job.output == "runner/job-1/result/studio_base.mp4"
    assert len(job.renditions) == 3


def test_transcription_makes_one_caption_file_and_its_info():
    asked = {"language": "en", "source_language": "fr", "duration": 10.5, "normalize": False, "model_type": "WHISPER"}
    job = job_of(v4_task(task_type="transcription", source_url=f"{SITE}/media/a/audio_192k_x.mp3", parameters=asked))
    assert isinstance(job, TranscriptionJob)
    assert job.captions == "runner/job-1/result/audio_192k_x.vtt"
    assert job.info == "runner/job-1/result/info_video.json"
    assert (job.language, job.translate) == ("fr", True)


@pytest.mark.parametrize(
    ("task", "kind"),
    [
        (v4_task(parameters={"cut": "soon"}), FailureKind.CUT),
        (v4_task(source_url="https://elsewhere.example.org/a.mp4"), FailureKind.SERVICE),
        (v4_task(source_url="http://169.254.169.254/latest/meta-data"), FailureKind.SERVICE),
        (v4_task(parameters={"dressing": {"watermark": "https://elsewhere.example.org/a.png"}}), FailureKind.WATERMARK),
        (v4_task(task_type="transcription", parameters={"language": "de", "source_language": "fr"}),
         FailureKind.LANGUAGE),
        (v4_task(task_type="studio", source_url="https://elsewhere.example.org/a.xml"), FailureKind.SERVICE),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_accepted_and_fails_without_fetching(task, kind):
    job = job_of(task)
    assert job.type == task["task_type"]
    assert job.refusal.kind == kind
    assert job.fetch == ()
    assert job.reply_to.channel == "runner"


def test_sources_may_be_on_other_machines_if_the_settings_say_so():
    task = v4_task(source_url="http://10.1.2.3/a.mp4")
    assert job_of(task, source_hosts=["10.1.2.3"]).refusal is not None
    assert job_of(task, source_hosts=["10.1.2.3"], private=True).refusal is None


def test_fingerprint_tells_requests_apart_by_what_they_ask_for():
    same = {"app_version": "4.9", "affiliation": "staff"}
    others = [
        {"task_type": "studio"}, {"source_url": f"{SITE}/b.mp4"}, {"notify_url": f"{SITE}/x"}, {"app_name": "x"},
        {"etab_name": "x"}, {"parameters": {"video_id": 8}},
    ]  # fmt: skip
    reference = TaskRequest.model_validate(v4_task()).fingerprint
    assert TaskRequest.model_validate(v4_task(**same)).fingerprint == reference
    found = [TaskRequest.model_validate(v4_task(**dict(other))).fingerprint for other in others]
    assert len({reference, *found}) == len(others) + 1
    assert TaskRequest.model_validate(v5_task(7)).fingerprint != TaskRequest.model_validate(v5_task(8)).fingerprint


@pytest.mark.parametrize(
    "fault",
    [{"task_type": "other"}, {"source_url": "/media/a.mp4"}, {"source_url": "file:///etc/passwd"}, {"notify_url": ""},
     {"etab_name": ""}, {"app_name": None}, {"notify_url": "https://x/" + "a" * 3000}, {"source_url": "https://x/a\nb"}],
)  # fmt: skip
def test_request_without_what_it_takes_is_refused(fault):
    with pytest.raises(ValidationError):
        TaskRequest.model_validate(v4_task(**fault))


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://x/a/lecture.mp4", "lecture.mp4"),
        ("https://x/a/Le%C3%A7on%20n%C2%B01.MP4?token=1", "Lecon_n1.mp4"),
        ("https://x/a/.hidden", "hidden"),
        ("https://x/a/..", "source"),
        ("https://x", "source"),
        ("https://x/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "passwd"),
        ("https://x/-rf.mp4", "rf.mp4"),
        (f"https://x/{'a' * 300}.mp4", f"{'a' * 100}.mp4"),
    ],
)
def test_file_name_is_safe_in_any_storage(url, name):
    assert file_name(url, "source") == name


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=12,
)
_PARAMETERS = st.dictionaries(
    st.sampled_from(["rendition", "cut", "dressing", "language", "lang", "source_language"]), _VALUES
)


@settings(max_examples=50, deadline=None)
@given(
    type_=st.sampled_from(["encoding", "studio", "transcription"]),
    parameters=_PARAMETERS,
    path=st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=60),
)
def test_any_parameters_become_a_job_that_can_be_stored(type_, parameters, path):
    """Nothing that a client sends is an error of ours: the job is read again as it was written."""
    task = v4_task(task_type=type_, parameters=parameters, source_url=f"{SITE}/{path}")
    job = job_of(task)
    assert read_job(json.loads(job.model_dump_json())) == job
    assert job.type in WORKFLOWS
