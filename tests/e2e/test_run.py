"""`scripts/run`, as somebody uses it who looks at this project for the first time."""

import os
import re
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import httpx
import pytest

from support.media import ffmpeg
from support.processes import REPOSITORY, living_processes
from support.speech import speak
from support.stack import MARK, command_line

RUN = REPOSITORY / "scripts" / "run"


@pytest.fixture
def environment():
    settings = {**os.environ, "FFMPEG_PRESET": "ultrafast", MARK: uuid.uuid4().hex, "COLUMNS": "160"}
    settings.pop("DISPLAY", None)
    yield settings
    assert left_of(settings) == [], "processes were left behind"


def left_of(environment):
    ours = living_processes(lambda process: process.environ().get(MARK) == environment[MARK])
    return [command_line(process) for process in ours]


def run(environment, cwd, *arguments):
    return subprocess.run(
        [RUN, *arguments], env=environment, cwd=cwd, capture_output=True, text=True, timeout=200, check=False
    )


@pytest.mark.parametrize(
    "name",
    [
        'l\'été "à" la mer; 100% #1 – ça va.mp4',
        *(pytest.param(plain, marks=pytest.mark.slow) for plain in ("clip.mp4", "-dash.mp4")),
    ],
)
def test_run_video_with_any_name_is_encoded_and_shown(environment, make_clip, tmp_path, name):
    video = make_clip(name)

    result = run(environment, tmp_path, "--no-open", "--", video)

    assert result.returncode == 0, result.stdout + result.stderr
    for made in ("360p.mp4", "360p.ts", "livestream.m3u8", "audio_192k.mp3", "info_video.json"):
        assert made in result.stdout
    assert "× real time" in result.stdout
    (folder,) = (tmp_path / "demo").iterdir()
    assert folder.name == Path(name).stem
    assert video.exists()


@pytest.fixture(scope="session")
def talk(tmp_path_factory):
    """A video in which somebody speaks."""
    folder = tmp_path_factory.mktemp("talk")
    speech = speak(folder / "speech.wav", "Good morning and welcome to this course on the history of clocks.")
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25", "-i", speech, "-shortest", folder / "talk.mp4")
    return folder / "talk.mp4"


def test_run_transcribe_shows_captions_on_the_page(environment, talk, tmp_path):
    environment.pop("TRANSCRIPTION_MODEL_PARAM", None)
    log = tmp_path / "log"
    with log.open("w") as out:
        argv = [RUN, "--transcribe", "en", talk]
        process = subprocess.Popen(argv, env=environment, cwd=tmp_path, stdout=out, stderr=out)
    try:
        url = wait_for_match(process, log, r"http://127\.0\.0\.1:\d+/")
        assert '"file": "captions_en.vtt"' in httpx.get(url).text
        track = httpx.get(url + "media/captions_en.vtt")
        assert track.headers["Content-Type"].startswith("text/vtt")
        assert "Good morning" in track.text
    finally:
        process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0


def test_run_transcribe_without_a_model_says_how_to_get_one(environment, talk, tmp_path):
    environment.pop("TRANSCRIPTION_MODEL_PARAM", None)
    result = run(environment, tmp_path, talk, "--transcribe", "fr", "--no-open")

    assert result.returncode == 1
    assert "TRANSCRIPTION_MODEL_PARAM" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_run_cut_encodes_that_part_only(environment, make_clip, tmp_path):
    result = run(environment, tmp_path, make_clip("clip.mp4"), "--cut", "1", "4", "--no-open", "--output", "out")

    assert result.returncode == 0, result.stderr
    assert re.search(r"^3\.0 s of video", result.stdout, re.MULTILINE)


def test_run_video_that_does_not_exist_is_named(environment, tmp_path):
    result = run(environment, tmp_path, "nothing.mp4")

    assert result.returncode == 1
    assert "'nothing.mp4' does not exist" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_run_file_that_is_not_a_video_shows_the_jobs_error(environment, tmp_path):
    video = tmp_path / "text.mp4"
    video.write_text("This is no video.\n" * 100)

    result = run(environment, tmp_path, video, "--no-open")

    assert result.returncode == 1
    assert "text.mp4" in result.stderr
    assert "Traceback" not in result.stderr


def test_run_output_folder_that_holds_something_else_is_left_alone(environment, make_clip, tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("all of it")

    result = run(environment, tmp_path, make_clip(), "--output", "precious", "--no-open")

    assert result.returncode == 1
    assert "holds something else" in result.stderr
    assert [path.name for path in (tmp_path / "precious").iterdir()] == ["thesis.txt"]


def test_run_page_serves_the_player_and_byte_ranges_until_interrupted(environment, make_clip, tmp_path):
    log = tmp_path / "log"
    with log.open("w") as out:
        process = subprocess.Popen([RUN, make_clip()], env=environment, cwd=tmp_path, stdout=out, stderr=out)
    try:
        url = wait_for_match(process, log, r"http://127\.0\.0\.1:\d+/")
        part = httpx.get(url + "media/360p.ts", headers={"Range": "bytes=0-187"})
        assert part.status_code == 206
        assert part.content[:1] == b"G"  # MPEG-TS sync byte
        assert "livestream.m3u8" in httpx.get(url).text
        assert httpx.get(url + "media/..%2F..%2Fclip.mp4").status_code == 404
    finally:
        process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0


def wait_for_match(process, log, pattern, timeout_s=120):
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(pattern, log.read_text()):
            return found.group()
        time.sleep(0.1)
    pytest.fail(log.read_text())


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_run_interrupted_while_encoding_leaves_no_process(environment, make_clip, tmp_path):
    video = make_clip("long.mp4", seconds=40, size="1280x720")
    process = subprocess.Popen(
        [RUN, video], env={**environment, "FFMPEG_PRESET": "slow"}, cwd=tmp_path, stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while (
        not any("ffmpeg" in line and "/work/" in line for line in left_of(environment)) and time.monotonic() < deadline
    ):
        time.sleep(0.1)

    process.send_signal(signal.SIGINT)

    assert process.wait(15) == 130
