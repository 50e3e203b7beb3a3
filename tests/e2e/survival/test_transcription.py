"""A transcription on its way from the queue to Pod: watched, killed in the middle, Pod notified once."""

import json
import urllib.request

import pytest

from local.client import request_transcription
from support.captions import text_of
from support.misbehaving_pod import TRANSCRIBED
from support.speech import LECTURE, WER, error_rate, join, speak
from support.stack import shared_stack
from support.transcriber import MODEL

SETTINGS = {
    "TRANSCRIPTION_MODEL_PARAM": json.dumps({"WHISPER": {"en": {"model": MODEL}}}),
    "PODJOBS_PART_MIN_S": "8",
    "PODJOBS_PART_MAX_S": "10",
    "PODJOBS_CONCURRENCY_TRANSCRIPTION": "1",
    "PODJOBS_RETRY_BASE_S": "1",
    "PODJOBS_RETRY_FACTOR": "1.2",
    "PODJOBS_BUSY_CAP_S": "2",
    "PODJOBS_POD_TIMEOUT_S": "3",
}
"""Small parts, one after another: so that there is a middle to be killed in."""


@pytest.fixture(scope="session")
def lecture(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lecture")
    pause = ("anullsrc=r=16000:cl=mono", 0.7)
    spoken = [speak(folder / f"{number}.wav", text) for number, text in enumerate(LECTURE)]
    return join(folder / "audio_192k.mp3", *(piece for sentence in spoken for piece in (sentence, pause)))


@pytest.fixture(scope="module")
def stack(tmp_path_factory, pod):
    with shared_stack(tmp_path_factory.mktemp("stacks") / "state", SETTINGS | pod.settings) as running:
        yield running


def check_notified_once(job, killed_in=""):
    progress = job.wait_end(240)
    assert (progress.state, progress.error) == ("done", ""), job.stack.log()
    taken = [call for call in job.calls(TRANSCRIBED) if call.status == 200]
    assert len(taken) == 1 or killed_in == "notify", job.stack.log()
    assert error_rate(" ".join(LECTURE), text_of(taken[0].imported.text)) < WER
    assert not list((job.stack.media_dir / "temp").iterdir())
    assert not (job.stack.media_dir / "work").exists()
    return taken[0]


def done_parts(job):
    """How often each part was done, as the function says."""
    lines = [json.loads(line) for line in job.stack.log_lines() if job.id in line and "A step is done." in line]
    parts = [line["step_id"] for line in lines if line["step_id"].startswith("part-")]
    return {part: parts.count(part) for part in parts}


def test_message_becomes_captions_at_pod(stack, sender, lecture):
    call = check_notified_once(sender.transcribe(lecture))
    assert "captions with" in call.body["msg"]


def test_function_killed_only_the_part_is_repeated(stack, sender, lecture):
    job = sender.transcribe(lecture)
    job.wait_until("transcribe", 0.3)
    assert stack.kill("transcription") > 0
    check_notified_once(job)
    repeated = {part: times for part, times in done_parts(job).items() if times > 1}
    assert repeated == {}  # what was done stays done; what was killed was not done


@pytest.mark.slow
@pytest.mark.parametrize("moment", [("plan", 0), ("transcribe", 0.3), ("captions", 0), ("notify", 0)], ids=str)
def test_adapter_killed_job_ends_well(stack, sender, lecture, moment):
    job = sender.transcribe(lecture)
    job.wait_until(*moment)
    stack.kill("adapter")
    check_notified_once(job, killed_in=moment[0])
    assert max(done_parts(job).values()) <= 2  # the one that was under way


@pytest.mark.slow
def test_everything_killed_job_ends_well(stack, sender, lecture):
    job = sender.transcribe(lecture)
    job.wait_until("transcribe", 0.3)
    stack.kill_programs()
    check_notified_once(job)


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param(["500", "500"], marks=pytest.mark.slow),
        *(pytest.param([answer], marks=pytest.mark.slow) for answer in ("abort", "hang", "late")),
        ["lost"],
    ],
    ids="-".join,
)
def test_pod_misbehaves_captions_are_taken_once(pod, sender, lecture, answers):
    job = sender.transcribe(lecture)
    job.wait_until("transcribe")
    pod.answer_next(*answers)
    job.wait_end(240)
    pod.answer_next()
    imported = [call for call in job.calls(TRANSCRIBED) if call.imported]
    assert len(imported) == 1


@pytest.mark.parametrize(
    ("content", "language", "reason"),
    [
        pytest.param(b"", "en", "is empty (0 bytes)", marks=pytest.mark.slow),
        (b"No sound.\n" * 50, "en", "not a media file that can be read"),
        pytest.param(b"any", "xx", "The language 'xx' is not known", marks=pytest.mark.slow),
        (b"any", "fr", "no model for the language 'fr'"),
    ],
    ids=["empty", "text", "unknown-language", "no-model"],
)
def test_failure_for_good_pod_gets_the_reason_and_an_empty_caption_file(stack, sender, content, language, reason):
    job = sender.transcribe(content, language)
    progress = job.wait_end()
    assert progress.state == "failed"
    assert reason in progress.error
    (call,) = job.calls(TRANSCRIBED)
    assert call.status == 200
    assert reason in call.body["msg"]
    assert call.imported.captions == 0


@pytest.mark.slow
def test_newer_job_for_the_video_supersedes_the_older_one(stack, sender, lecture):
    older = sender.transcribe(lecture)
    older.wait_until("transcribe")
    path = f"{stack.facts['media_root']}/videos/user{older.video_id}/audio_192k.mp3"
    newer_id = request_transcription(stack.broker_url, older.video_id, path, 30, "en")
    newer = sender.job(newer_id, older.video_id, older.output)
    assert older.wait_end(240).state == "superseded"
    assert newer.wait_end(240).state == "done"
    assert len([call for call in newer.calls(TRANSCRIBED) if call.status == 200]) == 1


def test_status_shows_both_queues(stack):
    with urllib.request.urlopen(f"http://127.0.0.1:{stack.facts['ports']['health']}/status", timeout=5) as response:
        status = json.load(response)
    assert set(status["queues"]) == {"encoding", "transcripting"}
    assert set(status["functions"]) == {"encoding", "notification", "transcription"}
