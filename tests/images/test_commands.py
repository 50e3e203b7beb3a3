"""The same image is a server, an RQ worker or a Lambda function, by its command."""

import json

import httpx
import pytest

from adapter.delivery.answers import read_answer_message
from adapter.delivery.requests import request_event
from podjobs.contract.message_contracts import STEPS
from podjobs.contract.plans import Plan
from podjobs.contract.steps import Step
from podjobs.events import write_message
from support.container_stack import POD_ROOT, media_settings, running_containers
from support.jobs import encoding_job
from support.media import ffmpeg
from support.processes import free_port, wait_for

EMULATOR = "samcli/local/rapid/aws-lambda-rie-x86_64"
INVOKE = "2015-03-31/functions/function/invocations"


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "video.mp4"
    sources = ("-f", "lavfi", "-i", "testsrc2=s=640x360:r=25:d=6", "-f", "lavfi", "-i", "sine=d=6")
    ffmpeg(*sources, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", path)
    return path


def test_image_as_rq_worker_encodes_a_video(images, video, tmp_path):
    with running_containers(images, tmp_path, worker=True) as stack:
        made = stack.encode(video)
        assert {"360p.mp4", "livestream.m3u8", "info_video.json"} <= {file.name for file in made.iterdir()}
        assert images.healthy(stack.name("encoding"))
        assert stack.parts["encoding"].stop(20) == 0, stack.said()


def test_image_as_lambda_function_performs_steps(images, video, package, tmp_path):
    emulator = package("aws-sam-cli~=1.150", "--no-deps") / EMULATOR
    emulator.chmod(0o755)
    video.parent.chmod(0o777)
    settings, mounts = media_settings(video.parent)
    port = free_port()
    container = images.new(
        "pf-lambda",
        "encoding",
        *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
        *("--runtime-api-address", f"127.0.0.1:{free_port()}", "/opt/bin/start", "lambda"),
        settings=settings,
        mounts=[*mounts, f"{emulator}:/rie:ro"],
        options=["--entrypoint", "/rie"],
    )
    container.start()
    try:
        step = Step(
            job=encoding_job(video_path=f"{POD_ROOT}/{video.name}", pod_root=POD_ROOT),
            step_id="plan",
            function="encoding",
            action="plan",
            accepted_at=0,
        )
        message = write_message(request_event(STEPS, step, "test"))

        def invoke(content):
            return httpx.post(f"http://127.0.0.1:{port}/{INVOKE}", json=content, timeout=60).json()

        answers = []

        def answered():
            try:
                answers.append(invoke(message))
            except httpx.TransportError:
                return False
            return True

        wait_for(answered, 30, container.said)
        assert isinstance(read_answer_message(STEPS, answers[0]), Plan), json.dumps(answers) + container.said()
        assert images.healthy("pf-lambda")
        refused = invoke({"not": "an event"})
        assert refused["statusCode"] == 400
    finally:
        container.stop()


def test_image_runs_any_other_command(images):
    done = images.podman("run", "--rm", *images.confinement(), "pod-functions/xapi", "python", "-c", "print(6 * 7)")
    assert done.stdout == "42\n"


@pytest.mark.parametrize("name", ["encoding", "adapter"])
def test_container_without_settings_says_what_is_missing_and_ends(images, name):
    done = images.podman("run", "--rm", *images.confinement(), f"pod-functions/{name}", check=False)
    assert done.returncode != 0
    assert "MEDIA_ROOT" in done.stderr + done.stdout


def test_container_whose_function_does_not_answer_is_not_healthy(images):
    # as an init process of the runtime looks: `serve` is what runs below it
    container = images.new("pf-silent", "xapi", "-c", "sleep 60", "serve", options=["--entrypoint", "sh"])
    container.start()
    try:
        wait_for(lambda: images.execute("pf-silent", "true").returncode == 0, 10, container.said)
        asked = images.execute("pf-silent", "healthy")
        assert asked.returncode == 1
        assert "does not answer" in asked.stdout
        assert not images.healthy("pf-silent")
    finally:
        images.podman("kill", "pf-silent", check=False)
        container.stop()
