"""docs/from-celery.md, command by command, as an administrator follows it."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
import redis

from local.client import place_video, request_encoding, request_transcription
from support.captions import text_of
from support.durable_lrs import read_ids
from support.lrs import LOGIN, PASSWORD
from support.misbehaving_pod import TRANSCRIBED
from support.pages import shell_commands
from support.parts import running_redis
from support.pod_worker import DONE
from support.processes import REPOSITORY, wait_for
from support.server import Server
from support.speech import error_rate, join, speak
from support.statements import message_of, new_statement
from support.transcriber import MODEL
from support.xapi_stack import new_lrs, store_of

PAGE = REPOSITORY / "docs" / "from-celery.md"
MISSING = next((name for name in ("systemd-analyze", "systemd-sysusers") if shutil.which(name) is None), "")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(os.geteuid()), reason="installs packages and makes a user, as root"),
    pytest.mark.skipif(bool(MISSING), reason=f"the package systemd is not installed: {MISSING} is missing"),
]


SAID = "The encoder reads one frame after another."


@pytest.fixture
def lrs(tmp_path):
    program = new_lrs(tmp_path, latency_ms=0)
    program.start()
    yield program.wait()
    program.kill()


@pytest.fixture
def server():
    root = Path(tempfile.mkdtemp(prefix="podjobs-server-"))
    with running_redis(root / "redis") as port:
        running = Server(root, f"redis://127.0.0.1:{port}/0")
        running.prepare()
        yield running
        running.stop()
    shutil.rmtree(root)
    subprocess.run(["userdel", "podjobs"], check=False, capture_output=True)


class Site:
    """Pod, its users, and what became of their videos."""

    def __init__(self, server, pod, clip):
        self.server, self.pod, self.clip = server, pod, clip
        self.media = Path(pod.settings["MEDIA_ROOT"])
        self.redis = redis.Redis.from_url(server.broker_url, decode_responses=True)
        self.sent = {}

    def send(self, count):
        """Pod requests encodings."""
        for number in range(len(self.sent) + 1, len(self.sent) + 1 + count):
            path = place_video(self.clip, self.media / str(number))
            self.sent[number] = request_encoding(self.server.broker_url, number, str(path))

    def transcribe(self, number, sound):
        request_transcription(self.server.broker_url, number, str(sound), 4, "en")

        def is_done():
            return self.pod.calls_about(number, TRANSCRIBED)

        wait_for(is_done, 120, self.server.said)
        (call,) = is_done()
        return text_of(call.imported.text)

    def note(self, statements, store):
        """Pod sends statements."""
        for statement in statements:
            self.redis.lpush("xapi", message_of(statement, statement["id"]))
        wait_for(lambda: set(read_ids(store)) == {statement["id"] for statement in statements}, 60, self.server.said)

    def ours(self):
        return {number for number in self.sent if self.pod.calls_about(number)}

    def of_pods_worker(self):
        done = self.redis.lrange(DONE, 0, -1)
        assert len(done) == len(set(done)), "Pod's worker has done a task twice"
        return {number for number, job_id in self.sent.items() if job_id in done}

    def wait_until_done(self):
        def is_done():
            return self.ours() | self.of_pods_worker() == set(self.sent)

        wait_for(is_done, 120, lambda: f"{self.ours()} {self.of_pods_worker()}\n{self.server.said()}")
        assert self.ours() & self.of_pods_worker() == set()


def complete(env_file, settings):
    """Edit the server's settings, as the page asks."""
    text = env_file.read_text(encoding="utf-8")
    for name, value in settings.items():
        text, count = re.subn(rf"^#?{name}=.*$", lambda _, line=f"{name}={value}": line, text, flags=re.MULTILINE)
        assert count == 1, name
    env_file.write_text(text + "FFMPEG_PRESET=ultrafast\n", encoding="utf-8")


def test_each_command_of_the_page_does_what_the_page_says(server, pod, clip, lrs, tmp_path):
    commands = iter(shell_commands(PAGE))
    site = Site(server, pod, clip)
    printed = {}

    def follow(last):
        """Run the page's next commands up to one that begins so."""
        for line in commands:
            printed[line] = server.run(line)
            if line.startswith(last):
                return
        pytest.fail(f"The page has no further command that begins with {last!r}.")

    follow("sudo install -m 0640 -g podjobs")
    own = {
        "ENCODING_TRANSCODING_CELERY_BROKER_URL": server.broker_url,
        "POD_API_URL": pod.settings["POD_API_URL"],
        "POD_API_TOKEN": pod.settings["POD_API_TOKEN"],
        "MEDIA_ROOT": str(site.media),
        "PODJOBS_HEALTH_PORT": str(server.port),
        "TRANSCRIPTION_MODEL_PARAM": json.dumps({"WHISPER": {"en": {"model": MODEL}}}),
        "XAPI_LRS_URL": f"{lrs.page}statements",
        "XAPI_LRS_LOGIN": LOGIN,
        "XAPI_LRS_PWD": PASSWORD,
        "XAPI_CELERY_BROKER_URL": server.broker_url,
    }
    complete(server.env_file, own)

    follow("sudo systemctl enable --now podjobs-adapter")
    site.send(20)
    site.wait_until_done()
    assert (len(site.ours()), len(site.of_pods_worker())) == (2, 18)

    follow("curl -s")
    assert "does not" not in printed["sudo podjobs check"]
    assert "encoding" in printed["sudo podjobs jobs"]

    follow("sudo systemctl restart podjobs-adapter")
    server.stop_pod_worker()
    site.send(3)
    site.wait_until_done()
    assert len(site.ours()) == 5
    (site.media / "talk").mkdir()
    sound = join(site.media / "talk" / "audio_192k.mp3", speak(tmp_path / "said.wav", SAID))
    assert error_rate(SAID, site.transcribe(100, sound)) < 0.3
    site.note([new_statement(number) for number in range(10)], store_of(tmp_path))

    site.send(2)
    follow("sudo podjobs handback")
    follow("celery")
    site.send(2)
    site.wait_until_done()
    assert {26, 27} <= site.of_pods_worker()

    server.stop_pod_worker()
    follow("sudo podjobs takeover")
    site.send(1)
    site.wait_until_done()
    assert 28 in site.ours()
    assert list(commands) == [], "commands that nobody has run"
    assert server.seen == set(server.places)
