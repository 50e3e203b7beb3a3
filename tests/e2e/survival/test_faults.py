"""What goes wrong around a job: Pod, the disk, the source, the message."""

import json
import os
import shutil
import subprocess
import sys
import time

import pytest

from adapter.door.celery_jobs import ENCODING_TASK
from local.client import request_encoding
from support.celery_messages import celery_message
from support.processes import REPOSITORY
from support.survival import VIDEO_S, check_done, check_nothing_left

ENDS_S = 10
"""What an administrator is promised once a video was deleted."""


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param(["500", "500", "500"], marks=pytest.mark.slow),
        pytest.param(["abort", "abort"], marks=pytest.mark.slow),
        pytest.param(["hang"], marks=pytest.mark.slow),
        ["lost"],
        pytest.param(["late"], marks=pytest.mark.slow),
        pytest.param(["502", "504"], marks=pytest.mark.slow),
        pytest.param(["503"], marks=pytest.mark.slow),
    ],
    ids="-".join,
)
def test_pod_misbehaves_pod_is_notified_in_the_end_and_imports_once(stack, pod, sender, video, answers):
    pod.answer_next(*answers)
    job = sender.submit(video)
    assert job.wait_end().state == "done"
    assert len([call for call in job.calls() if call.imported]) == 1
    check_nothing_left(stack)


@pytest.mark.slow
def test_pod_has_imported_another_result_encodes_the_video_again(stack, pod, sender, video):
    """Its 400 then does not mean that it has this one."""
    job = sender.submit(video)
    pod.import_another(
        job.video_id, f"{stack.facts['media_root']}/videos/{job.output.parent.name}/talk.mp4", stack.broker_url
    )
    assert job.wait_end().state in {"done", "superseded"}  # the new encode supersedes it, mostly
    stack.wait_until(lambda: any(call.imported for call in job.calls()), 60)
    assert [call.status for call in job.calls()] == [400, 200]
    assert (job.info()["duration"], job.info()["job_id"] == job.id) == (VIDEO_S, False)
    check_nothing_left(stack)
    assert not (job.output / "encode_again.txt").exists()


@pytest.mark.slow
def test_pod_down_job_waits_and_pod_is_notified_when_it_is_back(pod, sender, video):
    pod.answer_next(*["500"] * 3)
    job = sender.submit(video)
    job.wait_for(lambda progress: progress.trouble)
    assert "Pod answered 500" in job.progress().trouble
    check_done(job)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.mp4", b"", "is empty (0 bytes)"),
        pytest.param("text.mp4", b"Not a video.\n" * 50, "not a media file that can be read", marks=pytest.mark.slow),
        pytest.param(
            "list.mp4",
            b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n",
            "not a media file",
            marks=pytest.mark.slow,
        ),
        ('été "l\'école" -dash.mp4', b"x", "not a media file that can be read"),
    ],
)
def test_source_that_cannot_be_read_job_fails_and_pod_is_notified_why(stack, sender, name, content, reason):
    job = sender.submit(content, name)
    progress = job.wait_end()
    assert progress.state == "failed"
    assert reason in progress.error
    info = job.info()
    assert reason in info["encoding_log"]["error"]["msg"]
    assert (info["duration"], info["list_hls_files"], info["error_encoding"]) == (0, {}, True)
    assert [call.status for call in job.calls()] == [200]
    check_nothing_left(stack)


@pytest.mark.slow
def test_source_that_is_missing_is_waited_for_and_then_failed(stack, sender):
    job = sender.submit(None)
    progress = job.wait_end()
    assert progress.state == "failed"
    assert "is not there" in progress.error
    check_nothing_left(stack)


@pytest.mark.slow
def test_source_that_appears_late_is_encoded(stack, sender, video):
    job = sender.submit(None)
    target = job.output.parent / "talk.mp4"
    job.wait_for(lambda progress: progress.trouble)
    os.link(video, target)
    check_done(job)


def test_video_deleted_while_it_is_encoded_is_cancelled_soon_and_leaves_nothing(stack, pod, sender, video):
    job = sender.submit(video)
    job.wait_until("encode", 0.1)
    pod.delete(job.video_id)
    shutil.rmtree(job.output.parent)
    deleted_at = time.monotonic()
    assert job.wait_end().state == "cancelled"
    assert time.monotonic() - deleted_at < ENDS_S
    check_nothing_left(stack, ENDS_S)
    assert stack.find("ffmpeg") == []
    assert not job.output.parent.exists()
    assert job.calls() == []


def test_video_whose_owner_changes_while_it_is_encoded_is_published_and_imported_at_its_new_place(
    stack, pod, sender, video
):
    job = sender.submit(video)
    job.wait_until("encode", 0.1)
    old, new = job.output.parent, job.output.parent.with_name("another")
    new.mkdir()
    if job.output.exists():
        job.output.rename(new / job.output.name)
    (old / "talk.mp4").rename(new / "talk.mp4")
    path = f"{stack.facts['media_root']}/videos/another/talk.mp4"
    pod.move(job.video_id, path)
    job.output = new / job.output.name
    check_done(job)
    assert {call.body["video_path"] for call in job.calls()} == {path}
    assert list(old.iterdir()) == []


def test_video_deleted_before_pod_is_notified_is_cancelled_and_leaves_nothing(stack, pod, sender, video):
    job = sender.submit(video)
    pod.delete(job.video_id)
    assert job.wait_end().state == "cancelled"
    check_nothing_left(stack)
    assert [file.name for file in job.output.parent.iterdir()] == ["talk.mp4"]


def test_task_with_a_path_of_no_use_fails_and_pod_is_notified_why(stack, pod, sender, video):
    video_id, _, output = sender.place(video)
    job = sender.job(f"refused-{video_id}", video_id, output)
    stack.redis().lpush("encoding", encoding_message([video_id, "/etc/passwd", 0, 0], job.id))
    assert job.wait_end().state == "failed"
    (call,) = job.calls()
    assert (call.status, call.imported.missing) == (200, ())
    assert "outside Pod's media root" in call.body["stop"]
    check_nothing_left(stack)


@pytest.mark.slow
def test_message_delivered_twice_is_one_job(stack, pod, sender, video):
    sender.submit(video)  # so that the queue's messages are of the usual form
    video_id, pod_path, _ = sender.place(video)
    message = encoding_message([video_id, pod_path, 0, 0], "twice-1")
    stack.redis().lpush("encoding", message, message)
    time.sleep(1)
    stack.redis().lpush("encoding", message)
    stack.wait_until(lambda: any(call.status == 200 for call in pod.calls_about(video_id)), 90)
    check_nothing_left(stack)
    assert len(pod.calls_about(video_id)) == 1


def encoding_message(arguments, job_id, task=ENCODING_TASK):
    keywords = {"json_dressing": None, "dressing_input": ""}
    return celery_message(task, arguments, keywords, message_id=job_id, queue="encoding").decode()


@pytest.mark.parametrize(
    "message",
    [
        pytest.param("not json", marks=pytest.mark.slow),
        pytest.param("[]", marks=pytest.mark.slow),
        pytest.param('{"body": "%%%", "headers": {}, "properties": {}}', marks=pytest.mark.slow),
        encoding_message([1], "bad-task", task="pod.other.task"),
        encoding_message(["one", 2], "bad-arguments"),
    ],
    ids=["text", "list", "base64", "task", "arguments"],
)
def test_message_that_cannot_be_read_becomes_a_dead_letter_and_blocks_nothing(stack, sender, video, message):
    before = stack.redis().xlen("{podjobs}:dead")
    stack.redis().lpush("encoding", message)
    stack.wait_until(lambda: stack.redis().xlen("{podjobs}:dead") > before, 20)
    ((_, entry),) = stack.redis().xrevrange("{podjobs}:dead", count=1)
    assert entry["raw"] == message
    assert json.loads(entry["problem"])["detail"]
    check_nothing_left(stack)


def test_encode_again_supersedes_the_running_job(stack, sender, video):
    job = sender.submit(video)
    job.wait_until("encode", 0.01)
    pod_path = f"{stack.facts['media_root']}/videos/{job.output.parent.name}/talk.mp4"
    newer_id = request_encoding(stack.broker_url, job.video_id, pod_path, (2, 10))
    newer = sender.job(newer_id, job.video_id, job.output)
    assert job.wait_end().state == "superseded"
    check_done(newer, 8 * 25)


@pytest.mark.slow
def test_two_adapters_share_the_work_and_one_may_die(stack, sender, video):
    second = start_second_adapter(stack)
    try:
        jobs = [sender.submit(video) for _ in range(3)]
        jobs[0].wait_until("encode", 0.2)
        second.kill()
        second.wait()
        for job in jobs:
            job.wait_end()
        for job in jobs:
            check_done(job)
    finally:
        second.kill()
        second.wait()


def start_second_adapter(stack):
    first, *_ = stack.find("adapter")
    environment = first.environ() | {"PODJOBS_HEALTH_PORT": "0"}
    log = (stack.state_dir / "second.log").open("ab")
    return subprocess.Popen(
        [sys.executable, "-m", "adapter", "run"], env=environment, stderr=log, stdout=log, cwd=REPOSITORY
    )
