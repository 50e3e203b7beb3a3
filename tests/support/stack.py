"""The stack as an administrator starts it (scripts/up), with handles to watch it and to do it harm."""

import contextlib
import json
import os
import signal
import subprocess
import time
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis

from local.client import JobRecords, Progress, place_video, request_encoding, request_transcription, upload_dir

REPOSITORY = Path(__file__).resolve().parents[2]
MARK = "POD_FUNCTIONS_TEST"
QUICK = {
    "FFMPEG_PRESET": "ultrafast",
    "PODJOBS_RETRY_BASE_S": "0.5",
    "PODJOBS_RETRY_CAP_S": "2",
    "PODJOBS_SWEEP_S": "0.2",
    "PODJOBS_LEASE_S": "3",
}
"""So that tests do not wait."""
PROGRAMS = {
    "redis": "redis-server",
    "pod": "local.pod",
    "encoding": "functions/encoding/main.py",
    "notification": "functions/notification/main.py",
    "transcription": "functions/transcription/main.py",
    "xapi": "functions/xapi/main.py",
    "adapter": "-m adapter run",
    "supervisord": "supervisord",
    "ffmpeg": "ffmpeg -",
}
"""What marks a program's processes on their command lines."""
OURS = (
    *("PODJOBS_", "XAPI_", "POD_API_", "ENCODING_TRANSCODING_", "MEDIA_", "FFMPEG_", "FFPROBE_", "VIDEO_RENDITIONS"),
    "TRANSCRIPTION_",
)


class RunningStack:
    """`scripts/up` in a folder of its own."""

    def __init__(self, state_dir: Path, settings: dict[str, str]):
        self.state_dir = state_dir
        self.mark = uuid.uuid4().hex
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        self.environment = {**kept, **QUICK, **settings, MARK: self.mark}
        self.process: subprocess.Popen | None = None
        self.stdout, self.stderr = (
            state_dir.parent / f"{state_dir.name}.out",
            state_dir.parent / f"{state_dir.name}.err",
        )

    def start(self, *, ready: bool = True, timeout_s: float = 60) -> "RunningStack":
        with self.stdout.open("wb") as stdout, self.stderr.open("ab") as stderr:
            self.process = subprocess.Popen(
                [REPOSITORY / "scripts" / "up", "--state", self.state_dir, "--env-file", "/dev/null"],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
        if ready:
            self.wait_until_ready(timeout_s)
        return self

    def wait_until_ready(self, timeout_s: float = 60) -> None:
        wait_for(lambda: self.stdout.read_text() == "ready\n" or self.process.poll() is not None, timeout_s, self.log)
        assert self.stdout.read_text() == "ready\n", self.log()

    def stop(self, number: int = signal.SIGTERM, timeout_s: float = 20) -> tuple[int, float]:
        """Stop it as an administrator does. Returns the exit status and how long it took, in seconds."""
        started = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(timeout_s), time.monotonic() - started

    def processes(self) -> list[psutil.Process]:
        """Every process that descends from this stack, wherever it hangs now."""
        found = []
        for process in psutil.process_iter():
            try:
                if self._owns(process) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def _owns(self, process: psutil.Process) -> bool:
        # redis-server writes its title over its environment
        stack_json = self.state_dir / "stack.json"
        title = f"redis-server 127.0.0.1:{self.facts['ports']['redis']}" if stack_json.exists() else MARK
        return process.environ().get(MARK) == self.mark or " ".join(process.cmdline()).strip() == title

    def find(self, program: str) -> list[psutil.Process]:
        """The processes of one program (a key of PROGRAMS), parents first."""
        found = []
        for process in self.processes():
            try:
                if PROGRAMS[program] in " ".join(process.cmdline()):
                    found.append(process)
            except psutil.Error:
                continue
        return sorted(found, key=lambda process: process.pid)

    def kill(self, program: str, number: int = signal.SIGKILL) -> int:
        """Send a signal to all processes of a program; returns how many there were."""
        victims = self.find(program)
        for process in victims:
            try:
                process.send_signal(number)
            except psutil.NoSuchProcess:
                continue
        return len(victims)

    def kill_programs(self) -> None:
        """SIGKILL to everything scripts/up started, supervisord too, at once; it starts them again."""
        for process in self.processes():
            if process.pid != self.process.pid:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()

    def kill_everything(self) -> None:
        """As a power cut does, short of the disk."""
        while victims := self.processes():
            for process in victims:
                try:
                    process.kill()
                except psutil.NoSuchProcess:
                    continue
            time.sleep(0.05)
        self.process.wait(10)

    @property
    def facts(self) -> dict[str, Any]:
        return json.loads((self.state_dir / "stack.json").read_text())

    @property
    def media_dir(self) -> Path:
        return Path(self.facts["media_dir"])

    @property
    def broker_url(self) -> str:
        return f"redis://127.0.0.1:{self.facts['ports']['redis']}/0"

    def redis(self) -> redis.Redis:
        return redis.Redis.from_url(self.broker_url, decode_responses=True)

    def control(self, path: str, body: Any) -> None:
        """Tell the stand-in for Pod something."""
        url = f"http://127.0.0.1:{self.facts['ports']['pod']}/control/{path}"
        urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), method="POST"), timeout=5).close()

    def answer_next(self, *answers: str) -> None:
        """How Pod answers its next calls: statuses, or hang, abort, lost, late (local/pod.py)."""
        self.control("answers", answers)

    def takes_messages(self) -> bool:
        """Redis and the stand-in for Pod answer."""
        try:
            self.redis().ping()
            self.answer_next()
        except (redis.RedisError, OSError):
            return False
        return True

    def send(self, video: Path, video_id: int = 1, cut: tuple[float, float] = (0, 0)) -> str:
        """Upload a video and ask for its encode, as Pod does. Returns the job's id."""
        placed = place_video(video, self.media_dir)
        self.control(f"videos/{video_id}", {})
        return request_encoding(self.broker_url, video_id, str(placed), cut)

    def send_sound(self, sound: Path, video_id: int = 1, language: str = "en") -> str:
        """Ask for the transcription of a sound, as Pod does. Returns the job's id."""
        placed = place_video(sound, self.media_dir)
        return request_transcription(self.broker_url, video_id, str(placed), 0, language)

    def result_dir(self, video: Path, video_id: int = 1) -> Path:
        return upload_dir(video, self.media_dir) / f"{video_id:04d}"

    def progress(self, job_id: str) -> Progress:
        records = JobRecords(self.broker_url)
        try:
            return records.progress(job_id)
        finally:
            records.close()

    def wait(self, job_id: str, timeout_s: float = 120) -> Progress:
        """Wait for the job's end; redis-server may be away for a while."""

        def ended() -> bool:
            try:
                return self.progress(job_id).ended
            except redis.RedisError:
                return False

        wait_for(ended, timeout_s, self.log)
        return self.progress(job_id)

    def journal(self, path: str = "/rest/store_remote_encoded_video/") -> list[dict[str, Any]]:
        """The calls Pod got."""
        file = Path(self.facts["journal"])
        lines = file.read_text().splitlines() if file.exists() else []
        return [call for call in map(json.loads, lines) if call["path"].startswith(path)]

    def wait_until(self, condition: Callable[[], bool], timeout_s: float = 30) -> None:
        """Wait for something to be so; the test fails with the end of the log if it does not come."""
        wait_for(condition, timeout_s, self.log)

    def log_lines(self) -> list[str]:
        """All lines its programs wrote that are JSON."""
        return [line for line in self.stderr.read_text(errors="replace").splitlines() if line.startswith("{")]

    def log(self) -> str:
        return self.stderr.read_text(errors="replace")[-20_000:]


def wait_for(condition: Callable[[], bool], timeout_s: float, explain: Callable[[], str] = lambda: "") -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"Not within {timeout_s} s.\n{explain()}")
        time.sleep(0.05)
