"""The stack as an administrator starts it (`local up`), with processes that can be killed."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
import redis

from local.client import JobRecords, request_encoding

ROOT = Path(__file__).parents[3]
LADDER = [
    {"resolution": "320x180", "maxrate": "1000k", "audio_bitrate": "96k", "encode_mp4": True},
    {"resolution": "640x360", "maxrate": "2000k", "audio_bitrate": "96k", "encode_mp4": False},
]
ENVIRONMENT = {
    "VIDEO_RENDITIONS": json.dumps(LADDER),
    "FFMPEG_PRESET": "medium",
    "PODJOBS_CHUNK_MIN_S": "4",
    "PODJOBS_RETRY_BASE_S": "1",
    "PODJOBS_RETRY_FACTOR": "1.2",
    "PODJOBS_LEASE_S": "3",
    "PODJOBS_BUSY_CAP_S": "2",
    "PODJOBS_POD_TIMEOUT_S": "3",
    "PODJOBS_CONCURRENCY_ENCODING": "2",
}
PARTS = {
    "adapter": "-m adapter run",
    "encoding": "functions/encoding",
    "notification": "functions/notification",
    "redis": "redis-server",
}
VIDEO_S = 16


@dataclass
class RunningStack:
    """`local up` in a folder of its own."""

    folder: Path
    environment: dict
    process: subprocess.Popen | None = None
    last_video_id: int = 100
    facts: dict = field(default_factory=dict)

    def start(self):
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("POD", "MEDIA"))}
        environment |= self.environment | {"PYTHONPATH": f"{ROOT}:{ROOT}/layers/podjobs/python"}
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "local", "up", "--state", str(self.folder), "--env-file", str(self.folder / "none")],
            env=environment, stdout=subprocess.PIPE, stderr=log, cwd=ROOT,
        )  # fmt: skip
        assert self.process.stdout.readline() == b"ready\n", self.log_tail()
        self.facts = json.loads((self.folder / "stack.json").read_text())

    def stop(self):
        """SIGTERM; everything must be gone within 10 s."""
        family = psutil.Process(self.process.pid).children(recursive=True)
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(15) == 0, self.log_tail()
        assert time.monotonic() - begun < 10
        assert [process for process in family if process.is_running()] == []

    def log_tail(self):
        return (self.folder / "log").read_text(errors="replace")[-4000:]

    @property
    def media(self):
        return Path(self.facts["media_dir"])

    @property
    def broker_url(self):
        return f"redis://127.0.0.1:{self.facts['ports']['redis']}/0"

    @property
    def redis(self):
        return redis.Redis.from_url(self.broker_url, decode_responses=True)

    def processes(self, part=None):
        """The processes of a part; of everything below `local up` when none is named."""
        family = psutil.Process(self.process.pid).children(recursive=True)
        return [process for process in family if part is None or PARTS[part] in command_line(process)]

    def kill(self, part=None):
        """SIGKILL, all of it at once."""
        victims = self.processes(part)
        assert victims, f"no process of {part} runs"
        for victim in victims:
            with contextlib.suppress(psutil.NoSuchProcess):
                victim.kill()

    def place(self, source, name="talk.mp4"):
        """A video where Pod puts uploads; returns (video id, path as Pod sees it, folder of the result)."""
        self.last_video_id += 1
        folder = self.media / "videos" / f"user{self.last_video_id}"
        folder.mkdir(parents=True)
        target = folder / name
        if isinstance(source, bytes):
            target.write_bytes(source)
        elif source is not None:
            os.link(source, target)
        pod_path = f"{self.facts['media_root']}/videos/{folder.name}/{name}"
        return self.last_video_id, pod_path, folder / f"{self.last_video_id:04d}"

    def submit(self, source, name="talk.mp4", cut=(0, 0)):
        video_id, pod_path, output = self.place(source, name)
        job_id = request_encoding(self.broker_url, video_id, pod_path, cut)
        return Submitted(self, job_id, video_id, output)

    def tell_pod(self, answers):
        """Script the stand-in's next answers."""
        url = f"http://127.0.0.1:{self.facts['ports']['pod']}/control/answers"
        urllib.request.urlopen(urllib.request.Request(url, json.dumps(answers).encode(), method="POST"), timeout=5)

    def calls(self, video_id):
        """What Pod was told of a video."""
        journal = Path(self.facts["journal"])
        lines = journal.read_text().splitlines() if journal.exists() else []
        calls = [json.loads(line) for line in lines]
        return [call for call in calls if call["method"] == "POST" and f"id={video_id}" in call["path"]]


def command_line(process):
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


@dataclass
class Submitted:
    """A job that was put on the queue."""

    stack: RunningStack
    id: str
    video_id: int
    output: Path

    def progress(self):
        records = JobRecords(self.stack.broker_url)
        try:
            return records.progress(self.id)
        except redis.RedisError:
            return None
        finally:
            records.close()

    def wait_for(self, condition, timeout_s=120):
        deadline = time.monotonic() + timeout_s
        while True:
            progress = self.progress()
            if progress is not None and condition(progress):
                return progress
            assert time.monotonic() < deadline, f"{progress}\n{self.stack.log_tail()}"
            time.sleep(0.03)

    def wait_until(self, stage, done=0.0):
        """Wait until the job is in a stage, and that far."""
        return self.wait_for(lambda progress: progress.ended or (progress.stage == stage and progress.done >= done))

    def wait_end(self, timeout_s=120):
        return self.wait_for(lambda progress: progress.ended, timeout_s)

    def info(self):
        return json.loads((self.output / "info_video.json").read_text())


def check_done(job, frames):
    """The job ended well, in every respect."""
    progress = job.wait_end()
    assert (progress.state, progress.error) == ("done", ""), job.stack.log_tail()
    info = job.info()
    assert info["job_id"] == job.id
    assert list(info["list_hls_files"]) == ["180", "360"]
    for made in ("180p.mp4", "180p.ts", "360p.ts"):
        assert count_frames(job.output / made) == frames
    left = [path.name for path in job.output.iterdir() if path.name.startswith(".")]
    assert left == []
    accepted = [call for call in job.stack.calls(job.video_id) if call["status"] == 200]
    assert len(accepted) == 1
    assert accepted[0]["imported"]["missing"] == []
    check_nothing_left(job.stack)


def check_nothing_left(stack, timeout_s=30):
    """No work files, no steps, no messages."""
    deadline = time.monotonic() + timeout_s
    while True:
        left = leftovers(stack)
        if not left:
            return
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def leftovers(stack):
    work = stack.media / "work"
    client = stack.redis
    keys = [key for key in client.scan_iter("podjobs:steps:*") if client.xlen(key)]
    keys += [key for key in client.scan_iter("encoding*") if client.llen(key)]
    return [*keys, *(path.name for path in (work.iterdir() if work.exists() else ()))]


def count_frames(path):
    output = subprocess.run(
        [
            "ffprobe", "-v", "error", "-select_streams", "v", "-count_packets",
            "-show_entries", "stream=nb_read_packets", "-print_format", "json", str(path),
        ],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return int(json.loads(output)["streams"][0]["nb_read_packets"])


@pytest.fixture(scope="session")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "talk.mp4"
    subprocess.run(
        [
            "ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=s=640x360:r=25", "-f", "lavfi", "-i", "sine",
            "-t", str(VIDEO_S), "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "50", str(path),
        ],
        check=True,
    )  # fmt: skip
    return path


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    running = RunningStack(tmp_path_factory.mktemp("stack"), ENVIRONMENT)
    running.start()
    yield running
    running.stop()
