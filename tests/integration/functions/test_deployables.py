"""Every `main.py` as a process of its own: imported, and served by functions-framework."""

import os
import socket
import subprocess
import sys
import time

import httpx
import pytest

from support.deployables import FUNCTIONS, SETTINGS
from support.processes import REPOSITORY
from support.scripted_pod import ScriptedPod

START_LIMIT_S = 30
SECRET = "s3cret-s3cret-s3cret"  # noqa: S105 - of these functions alone


def environment(settings=None):
    plain = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return plain | {"PYTHONPATH": str(REPOSITORY / "layers/podjobs/python")} | (settings or {})


def serve(function, port, settings=None):
    source = str(REPOSITORY / "functions" / function / "main.py")
    argv = [sys.executable, "-m", "functions_framework", "--source", source, "--target", "handle"]
    argv += ["--host", "127.0.0.1", "--port", str(port)]
    return subprocess.Popen(argv, env=environment(settings), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_main_is_imported_without_settings_and_does_nothing(function):
    code = "import logging, main; print(logging.getLogger().handlers, main.FUNCTION.name, hasattr(main, 'nothing'))"
    folder = REPOSITORY / "functions" / function
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment(), capture_output=True, check=True)
    assert (done.stdout.decode(), done.stderr.decode()) == (f"[] {function} False\n", "")


def health(function, port, settings, is_awaited=bool):
    """Start a function, and ask it how it is until the answer is the one that is awaited."""
    process = serve(function, port, settings | {"PODJOBS_FUNCTION_SECRET": SECRET})
    try:
        deadline = time.monotonic() + START_LIMIT_S
        while True:
            assert process.poll() is None, process.stderr.read().decode()
            assert time.monotonic() < deadline
            try:
                text = httpx.get(f"http://127.0.0.1:{port}/", headers={"Authorization": f"Bearer {SECRET}"}).text
                if is_awaited(text):
                    return text
            except httpx.TransportError:
                pass
            time.sleep(0.1)
    finally:
        process.terminate()
        process.communicate(timeout=START_LIMIT_S)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_with_its_settings_serves(function, port):
    with ScriptedPod() as pod:
        pod.pages["/rest/renditions/"] = (200, '[{"resolution": "640x360"}, {"resolution": "1280x720"}]')
        settings = SETTINGS[function] | ({"POD_API_URL": pod.url} if function == "notification" else {})
        ok, *advice = health(function, port, settings).splitlines()
    assert ok == "ok"
    assert [sentence[:33] for sentence in advice] == ["Pod has no rendition x1080, so it"] * (
        function == "notification"
    )


def test_function_says_which_link_in_the_media_root_to_allow(port, tmp_path):
    (tmp_path / "media").mkdir()
    (tmp_path / "media/videos").symlink_to("/nfs/videos")
    settings = SETTINGS["encoding"] | {"MEDIA_ROOT": str(tmp_path / "media")}
    settings.pop("MEDIA_URL", None)
    _, advice = health("encoding", port, settings).splitlines()
    assert "'videos' → '/nfs/videos'" in advice
    assert """set PODJOBS_MEDIA_LINKS='["/nfs/videos"]' for all functions.""" in advice


def test_transcription_without_its_model_starts_and_says_so(port):
    models = '{"WHISPER": {"en": {"model": "/nowhere"}}}'
    settings = SETTINGS["transcription"] | {"TRANSCRIPTION_MODEL_PARAM": models}
    ok, advice = health("transcription", port, settings, lambda text: text != "ok\n").splitlines()
    assert ok == "ok"
    assert advice.startswith("TRANSCRIPTION_MODEL_PARAM names the folder '/nowhere', which does not exist.")


def test_notification_without_pod_starts_and_says_so(port):
    ok, advice = health("notification", port, SETTINGS["notification"]).splitlines()
    assert ok == "ok"
    assert advice.startswith("At the start, Pod could not be asked")


@pytest.mark.slow
def test_notification_with_a_bucket_says_that_it_is_not_checked_what_pod_sees(port):
    settings = SETTINGS["notification"] | {"MEDIA_URL": "s3://media"}
    assert "POD_MEDIA_URL is not set" in health("notification", port, settings)
    checked = settings | {"POD_MEDIA_URL": "https://pod.example.org/media"}
    assert "POD_MEDIA_URL" not in health("notification", port, checked)


def test_function_with_wrong_settings_ends_at_its_start_with_all_faults(port):
    process = serve("notification", port, {"MEDIA_ROOT": "media", "POD_API_TOKEN": "s3cret"})
    _, stderr = process.communicate(timeout=START_LIMIT_S)
    assert process.returncode == 1
    message = stderr.decode()
    assert message.startswith("The function 'notification' cannot start. These settings are missing or wrong:")
    assert "MEDIA_ROOT: " in message
    assert "POD_API_URL: " in message
    assert "s3cret" not in message
