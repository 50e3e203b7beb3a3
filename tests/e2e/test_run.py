"""`scripts/run`, as somebody uses it who looks at this project for the first time."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import pytest

from local.object_store import SOCKETS
from support.media import ffmpeg
from support.processes import PYTHONPATH, REPOSITORY, living_processes, wait_for
from support.speech import speak
from support.stack import MARK, command_line

RUN = REPOSITORY / "scripts" / "run"


@pytest.fixture
def environment():
    settings = {**os.environ, "FFMPEG_PRESET": "ultrafast", MARK: uuid.uuid4().hex, "COLUMNS": "160"}
    settings.pop("DISPLAY", None)
    yield settings
    assert left_of(settings) == [], "processes were left behind"


def ours(environment):
    return living_processes(lambda process: process.environ().get(MARK) == environment[MARK])


def left_of(environment):
    return [command_line(process) for process in ours(environment)]


def run(environment, cwd, *arguments):
    return subprocess.run(
        [RUN, *arguments], env=environment, cwd=cwd, capture_output=True, text=True, timeout=200, check=False
    )


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--s3",)])
def test_run_door_runner_requests_and_fetches_over_http(environment, talk, tmp_path, options):
    """All is what the client has fetched: nothing is read in the media storage."""
    video = tmp_path / "l'été à la mer.mp4"
    video.write_bytes(talk.read_bytes())
    arguments = ("--door", "runner", "--transcribe", "en", "--cut", "0.5", "3.5", "--no-open")
    result = run(environment, tmp_path, *options, *arguments, "--", video)
    assert result.returncode == 0, result.stdout + result.stderr
    folder = Path(re.search(r"^The files are in (.+)$", result.stdout, re.MULTILINE)[1])
    assert folder.name == "result"
    names = {path.name for path in folder.iterdir()}
    assert {"livestream.m3u8", "info_video.json", "captions_en.vtt", "encoding.log"} <= names
    assert any(re.fullmatch(r"360p_.+\.mp4", name) for name in names)
    assert re.search(r"^3\.0 s of video", result.stdout, re.MULTILINE)


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--s3",)])
def test_run_studio_composes_encodes_and_says_where_both_are(environment, make_clip, tmp_path, options):
    sources = [make_clip(name) for name in ("presentation.mp4", "presenter.mp4")]
    result = run(environment, tmp_path, *options, "--studio", *sources, "--layout", "pipb", "--end", "1.5", "--no-open")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "composed and encoded" in result.stdout
    for made, beginning in (("The composed recording", b"....ftyp"), ("How it was composed", b"")):
        path = Path(re.search(f"^{made}: (.+)$", result.stdout, re.MULTILINE)[1])
        assert re.match(beginning, path.read_bytes(), re.DOTALL)
        assert path.is_relative_to(tmp_path / "demo/presentation/media")
    folder = Path(re.search(r"^The files are in (.+)$", result.stdout, re.MULTILINE)[1])
    assert (folder / "360p.mp4").is_file()
    assert all(source.exists() for source in sources)


@pytest.mark.slow
def test_run_studio_that_cannot_be_composed_says_why(environment, make_clip, tmp_path):
    (tmp_path / "presenter.webm").touch()
    result = run(environment, tmp_path, "--studio", make_clip("presentation.mp4"), "presenter.webm", "--no-open")
    assert result.returncode == 1
    assert "The job ended as 'failed'." in result.stderr
    assert "presenter.webm" in result.stderr


def test_run_transcribe_without_a_model_says_how_to_get_one(environment, talk, tmp_path):
    environment.pop("TRANSCRIPTION_MODEL_PARAM", None)
    result = run(environment, tmp_path, talk, "--transcribe", "fr", "--no-open")

    assert result.returncode == 1
    assert "TRANSCRIPTION_MODEL_PARAM" in result.stderr
    assert list(tmp_path.iterdir()) == []


@dataclass
class Seen:
    """What a demonstration on S3 shows to whoever looks at the machine while it runs."""

    secrets: dict[str, set[str]] = field(default_factory=dict)
    """Values that nobody may see → the programs that have them in their environment."""
    ports: set[int] = field(default_factory=set)
    command_lines: set[str] = field(default_factory=set)

    def look(self, environment):
        for process in ours(environment):
            with contextlib.suppress(psutil.Error):
                line, own = command_line(process), process.environ()
                self.command_lines.add(line)
                if "/weed " in line:
                    secret = {name: value for name, value in own.items() if name.startswith(("AWS_", "WEED_JWT"))}
                    self.secrets |= {value: set() for value in secret.values() if value not in self.secrets}
                    self.ports |= {int(port) for port in re.findall(r"port(?:\.grpc)?=(\d+)", line)} - {0}
                for value in self.secrets.keys() & own.values():
                    self.secrets[value].add(line)


def watch(environment, cwd, *arguments):
    """Run scripts/run to its end, and look at its processes meanwhile."""
    seen, log = Seen(), cwd / "log"
    with log.open("w") as out:
        process = subprocess.Popen([RUN, *arguments], env=environment, cwd=cwd, stdout=out, stderr=out)
        while process.poll() is None:
            seen.look(environment)
            time.sleep(0.05)
    return process.returncode, log.read_text(), seen


def files_with(values, folder):
    """The files that contain one of these."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in found if any(value.encode() in path.read_bytes() for value in values)]


OF_ANOTHER_STORAGE = {
    "AWS_PROFILE": "nobody",
    "AWS_ACCESS_KEY_ID": "another",
    "AWS_SECRET_ACCESS_KEY": "another",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "PODJOBS_S3_CA": "/no/such/file",
    "MEDIA_URL": "s3://production",
    "http_proxy": "http://127.0.0.1:9",
}


@pytest.mark.slow
def test_run_s3_does_the_job_in_a_bucket_twice_and_tells_nobody_the_credentials(environment, talk, tmp_path):
    environment.pop("TRANSCRIPTION_MODEL_PARAM", None)
    environment |= OF_ANOTHER_STORAGE
    arguments = ("--s3", "--transcribe", "en", "--no-open", talk)

    status, log, seen = watch(environment, tmp_path, *arguments)

    assert status == 0, log
    for made in ("360p.mp4", "360p.ts", "livestream.m3u8", "audio_192k.mp3", "info_video.json", "captions_en.vtt"):
        assert made in log
    (folder,) = (tmp_path / "demo" / "talk" / "media" / "videos").glob("*/0001")
    assert "Good morning" in (folder / "captions_en.vtt").read_text()
    assert "another" not in seen.secrets
    assert len(seen.secrets) == 6  # two of S3, four of the server's inner parts
    knowing = {line for lines in seen.secrets.values() for line in lines}
    for program in ("adapter run", "redis-server", "supervisord", "local run", "ffmpeg -"):
        assert not [line for line in knowing if program in line]
        assert [line for line in seen.command_lines if program in line]
    assert not [line for line in seen.command_lines if any(secret in line for secret in seen.secrets)]
    assert files_with(seen.secrets, tmp_path) == []
    assert not [socket for port in seen.ports for socket in SOCKETS.glob(f"seaweedfs-*-{port}.sock")]

    again = run(environment, tmp_path, "--s3", "--no-open", talk)

    assert again.returncode == 0, again.stderr
    assert "360p.mp4" in again.stdout
    assert "captions" not in again.stdout


@pytest.mark.slow
def test_run_s3_server_killed_in_mid_job_is_started_again_and_the_job_ends_well(environment, make_clip, tmp_path):
    video = make_clip("long.mp4", seconds=40, size="1280x720")
    with (tmp_path / "log").open("w") as out:
        argv = [RUN, "--s3", "--no-open", video]
        process = subprocess.Popen(argv, env=environment, cwd=tmp_path, stdout=out, stderr=out)
    wait_for(lambda: any("ffmpeg -" in line and "-x264-params" in line for line in left_of(environment)), 60)
    (server,) = [one for one in ours(environment) if "/weed " in command_line(one)]
    server.kill()

    assert process.wait(200) == 0, (tmp_path / "log").read_text()
    log = (tmp_path / "log").read_text()
    assert "40.0 s of video encoded" in log
    assert "720p.mp4" in log


def test_run_s3_without_the_server_says_how_to_get_it(tmp_path):
    """As in an environment in which only requirements.txt is installed."""
    wanted = "Demonstration(None, (0, 0), None, False, on_s3=True)"
    code = f"from local.run import Demonstration, run; import sys; sys.exit(run({wanted}))"
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    result = subprocess.run(
        [python, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([PYTHONPATH, *sys.path])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "The S3 server is not installed. Run scripts/setup --s3" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["bin"]


@pytest.mark.slow
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
@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--s3",)])
def test_run_interrupted_while_encoding_leaves_no_process(environment, make_clip, tmp_path, options):
    video = make_clip("long.mp4", seconds=40, size="1280x720")
    argv, settings = [RUN, *options, video], {**environment, "FFMPEG_PRESET": "slow"}
    process = subprocess.Popen(argv, env=settings, cwd=tmp_path, stdout=subprocess.DEVNULL)
    wait_for(lambda: any("ffmpeg -" in line and "-x264-params" in line for line in left_of(environment)), 60)

    process.send_signal(signal.SIGINT)

    assert process.wait(15) == 130
