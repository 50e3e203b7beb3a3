"""`scripts/run` and `scripts/up` with their functions in AWS Lambda's runtime emulators."""

import json
import os
import subprocess
import uuid

import pytest

from support.lambda_service import MISSING
from support.processes import REPOSITORY
from support.stack import MARK, STOP_TIMEOUT_S

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(MISSING), reason=MISSING)]


@pytest.mark.parametrize("options", [[], ["--s3"]])
def test_run_delivery_lambda_does_the_main_job(make_clip, tmp_path, options):
    environment = {**os.environ, "FFMPEG_PRESET": "ultrafast", MARK: uuid.uuid4().hex, "COLUMNS": "160"}
    argv = [REPOSITORY / "scripts" / "run", "--delivery", "lambda", *options, "--no-open", make_clip("clip.mp4")]

    result = subprocess.run(
        argv, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False
    )

    assert result.returncode == 0, result.stdout + result.stderr
    for made in ("360p.mp4", "360p.ts", "livestream.m3u8", "audio_192k.mp3", "info_video.json"):
        assert made in result.stdout
    assert '"delivery": "lambda"' in (tmp_path / "demo" / "clip" / "stack" / "stack.json").read_text()


def test_up_with_lambda_takes_a_job_tells_pod_once_is_well_and_leaves_no_process(make_stack, pod, clip):
    stack = make_stack(PODJOBS_DELIVERY="lambda", **pod.settings).start()
    end = stack.wait(stack.send(clip, video_id=7))

    assert end.state == "done", end.error
    assert [call.status for call in pod.calls_about(7)] == [200]
    check = [REPOSITORY / "scripts" / "podjobs", "--state", stack.state_dir, "--env-file", "/dev/null", "check"]
    check += ["--patience", "50"]
    said = subprocess.run(check, env=stack.environment, capture_output=True, text=True, timeout=60, check=False)
    assert "UnrecognizedClient" not in said.stdout + said.stderr
    assert said.returncode == 0, said.stdout + said.stderr
    status, took_s = stack.stop()
    assert status == 0, stack.log()
    assert took_s < STOP_TIMEOUT_S
    assert stack.processes() == []
    assert list((stack.state_dir / "lambda").glob("*")) == []


def test_up_with_lambda_stopped_while_it_encodes_goes_on_after_the_next_start(make_stack, pod, make_clip):
    stack = make_stack(PODJOBS_DELIVERY="lambda", FFMPEG_PRESET="slow", **pod.settings).start()
    job_id = stack.send(make_clip("long.mp4", seconds=20, size="1280x720"))
    stack.wait_until(lambda: stack.progress(job_id).stage == "encode" and stack.find("ffmpeg"))

    status, took_s = stack.stop()

    assert status == 0, stack.log()
    assert took_s < STOP_TIMEOUT_S
    assert stack.processes() == []
    stack.environment["FFMPEG_PRESET"] = "ultrafast"
    stack.start()
    assert stack.wait(job_id).state == "done"
    assert len(pod.calls_about(1)) == 1


def test_up_with_lambda_secrets_of_the_media_do_not_reach_the_adapter(make_stack):
    secret = "s3cr3t-of-the-media"  # noqa: S105 - made up
    stack = make_stack(
        PODJOBS_DELIVERY="lambda",
        MEDIA_ROOT="/media",
        MEDIA_URL="s3://bucket/pod",
        PODJOBS_S3_ENDPOINT="http://127.0.0.1:1",
        AWS_ACCESS_KEY_ID="key-of-the-media",
        AWS_SECRET_ACCESS_KEY=secret,
    ).start()
    (adapter,) = stack.find("adapter")
    environment = json.dumps(adapter.environ())
    assert "AWS_ENDPOINT_URL_LAMBDA" in environment
    assert secret not in environment
