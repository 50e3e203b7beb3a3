"""Recordings of the studio, through the whole stack: whatever becomes of them, Pod is told, and none stays open."""

import pytest

from adapter.door.celery_studio import RecordingRequest
from local.client import place_file, request_composition
from support.misbehaving_pod import COMPOSED
from support.survival import SentJob

FOLDER = "opencast-files/a1"


@pytest.fixture
def compose(make_stack, pod, clip):
    """Have a recording composed. Returns the job's end, what became of the recording, and the calls about it."""
    stack = make_stack(**pod.settings).start()
    pod.request_encodings_on(stack.broker_url)

    def run(recording_id=8, camera=None, meanwhile=lambda _: None, **changes):
        root = stack.media_dir
        place_file(clip, root / FOLDER / "presentation.mp4")
        place_file(camera or clip, root / FOLDER / "presenter.mp4")
        slides, presenter = (str(root / FOLDER / f"{name}.mp4") for name in ("presentation", "presenter"))
        asked = {"output": str(root / FOLDER / "a1.mp4"), "layout": "pipb", "end_s": 2.0} | changes
        recording = RecordingRequest(recording_id, presentation=slides, presenter=presenter, **asked)
        job_id = request_composition(stack.broker_url, recording)
        job = SentJob(stack, pod, job_id, recording_id, root / FOLDER)
        meanwhile(job)
        end = job.wait_end()
        return end, pod.recording(recording_id), pod.calls_about(recording_id, COMPOSED)

    run.stack = stack
    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answers", "were_done"), [((), [True]), (("lost",), [True]), (("500", "503"), [False, False, True])]
)
def test_recording_is_composed_told_once_and_encoded_whatever_pod_answers(compose, pod, answers, were_done):
    pod.answer_next(*answers)
    end, recording, calls = compose()
    assert end.state == "done", end.error
    assert [call.imported is not None for call in calls] == were_done
    assert recording.mails == []
    assert "Composed: " in recording.comment
    encoded = compose.stack.wait(recording.encoding_job)
    assert encoded.state == "done", encoded.error
    assert not (compose.stack.media_dir / FOLDER / "a1.mp4").exists()
    assert (compose.stack.media_dir / FOLDER / "a1.log").is_file()


@pytest.mark.slow
def test_recordings_that_cannot_be_composed_are_told_and_do_not_stay_open(compose, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video" * 100)
    for recording_id, changes, reason in (
        (8, {"camera": broken}, "presenter.mp4"),
        (9, {"output": "/etc/a1.mp4"}, "outside Pod's media root"),
        (10, {"end_s": 0.0}, "leaves nothing of the recording"),
    ):
        end, recording, (call,) = compose(recording_id, **changes)
        assert (end.state, call.status) == ("failed", 200)
        assert "The recording could not be composed: " in recording.comment
        assert reason in recording.comment
        assert call.body["video_output"].removesuffix(".mp4") + ".log" in recording.comment
        assert (recording.video_id, len(recording.mails)) == (0, 1)
    assert not list(compose.stack.media_dir.glob("work/*"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "stage"),
    [
        ("encoding", "compose"),
        ("encoding", "publish"),
        ("adapter", "compose"),
        ("redis", "compose"),
        ("notification", "notify"),
    ],
)
def test_killed_at_any_stage_the_recording_is_composed_and_told_once(compose, pod, program, stage):
    stack = compose.stack

    def kill(job):
        job.wait_until(stage)
        assert stack.kill(program)

    end, recording, calls = compose(meanwhile=kill)
    assert end.state == "done", end.error
    assert [call.imported is not None for call in calls].count(True) == 1
    assert recording.mails == []
    stack.wait_until(stack.takes_messages)
    encoded = stack.wait(recording.encoding_job)
    assert encoded.state == "done", encoded.error
    assert not list(stack.media_dir.glob("work/*"))
