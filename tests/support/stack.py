"""The stack as an administrator starts it (scripts/up), with handles to watch it and to do it harm."""

import contextlib
import json
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import psutil
import redis

from local.client import JobRecords, Progress, place_video, request_encoding, upload_dir
from support.processes import REPOSITORY, environment_with, living_processes, serves, wait_for

MARK = "POD_FUNCTIONS_TEST"
"""A variable that every process of a stack inherits."""
STOP_TIMEOUT_S = 10
"""What an administrator is promised."""
QUICK = {
    "FFMPEG_PRESET": "ultrafast",
    "PODJOBS_RETRY_BASE_S": "0.5",
    "PODJOBS_RETRY_CAP_S": "2",
    "PODJOBS_SWEEP_S": "0.2",
    "PODJOBS_LEASE_S": "3",
    "PODJOBS_DISK_FREE_GB": "0",
}
"""So that tests do not wait, and what is free on this machine's disk does not matter."""
PROGRAMS = {
    "redis": "redis-server",
    "pod": "local.pod",
    "encoding": "functions/encoding/main.py",
    "notification": "functions/notification/main.py",
    "transcription": "functions/transcription/main.py",
    "xapi": "functions/xapi/main.py",
    "lambda": "-m local.lambda_service",
    "environment": "-m awslambdaric",
    "adapter": "-m adapter run",
    "supervisord": "supervisord",
    "ffmpeg": "ffmpeg -",
}
"""What marks a program's processes on their command lines."""


class RunningStack:
    """`scripts/up` in a folder of its own."""

    def __init__(self, state_dir: Path, settings: Mapping[str, str]) -> None:
        self.state_dir = state_dir
        self.mark = uuid.uuid4().hex
        self.environment = environment_with({**QUICK, **settings, MARK: self.mark})
        self.stdout, self.stderr = (
            state_dir.parent / f"{state_dir.name}.out",
            state_dir.parent / f"{state_dir.name}.err",
        )
        self.prefix: tuple[str, ...] = ()
        """A command that replaces itself with scripts/up."""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, ready: bool = True, timeout_s: float = 60) -> Self:
        with self.stdout.open("wb") as stdout, self.stderr.open("ab") as stderr:
            self._process = subprocess.Popen(
                [*self.prefix, REPOSITORY / "scripts" / "up", "--state", self.state_dir, "--env-file", "/dev/null"],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
        if ready:
            self.wait_until_ready(timeout_s)
        return self

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """scripts/up; it must have been started."""
        assert self._process
        return self._process

    @property
    def is_running(self) -> bool:
        """scripts/up was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def wait_until_ready(self, timeout_s: float = 60) -> None:
        self.wait_until(lambda: self.stdout.read_text() == "ready\n" or not self.is_running, timeout_s)
        assert self.stdout.read_text() == "ready\n", self.log()

    def stop(self, number: int = signal.SIGTERM, timeout_s: float = 20) -> tuple[int, float]:
        """Stop it as an administrator does. Returns the exit status and how long it took, in seconds."""
        started = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(timeout_s), time.monotonic() - started

    def processes(self) -> list[psutil.Process]:
        """Every process that descends from this stack, wherever it hangs now."""
        return living_processes(self._owns)

    def _owns(self, process: psutil.Process) -> bool:
        # redis-server writes its title over its environment
        stack_json = self.state_dir / "stack.json"
        title = f"redis-server 127.0.0.1:{self.facts['ports']['redis']}" if stack_json.exists() else MARK
        return process.environ().get(MARK) == self.mark or command_line(process) == title

    def find(self, program: str) -> list[psutil.Process]:
        """The processes of one program (a key of PROGRAMS), parents first."""
        sought = PROGRAMS[program]
        found = living_processes(lambda process: self._owns(process) and sought in command_line(process))
        return sorted(found, key=lambda process: process.pid)

    def kill(self, program: str, number: int = signal.SIGKILL) -> int:
        """Send a signal to all processes of a program; returns how many there were."""
        victims = self.find(program)
        for process in victims:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)
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
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            time.sleep(0.05)
        if self._process:
            self._process.wait(10)

    @property
    def facts(self) -> dict[str, Any]:
        return dict(json.loads((self.state_dir / "stack.json").read_text()))

    @property
    def media_dir(self) -> Path:
        return Path(self.facts["media_dir"])

    @property
    def broker_url(self) -> str:
        return f"redis://127.0.0.1:{self.facts['ports']['redis']}/0"

    def redis(self) -> redis.Redis:
        return redis.Redis.from_url(self.broker_url, decode_responses=True)

    def takes_messages(self) -> bool:
        """Redis answers, and the stand-in for Pod where there is one."""
        try:
            self.redis().ping()
        except redis.RedisError:
            return False
        return not self.facts["own_pod"] or serves(f"http://127.0.0.1:{self.facts['ports']['pod']}/control/videos/1")

    def send(self, video: Path, video_id: int = 1, cut: tuple[float, float] = (0, 0)) -> str:
        """Upload a video and ask for its encode, as Pod does. Returns the job's id."""
        placed = place_video(video, self.media_dir)
        return request_encoding(self.broker_url, video_id, str(placed), cut)

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

        self.wait_until(ended, timeout_s)
        return self.progress(job_id)

    def wait_until(self, condition: Callable[[], object], timeout_s: float = 30) -> None:
        """Wait for something to be so; the test fails with the end of the log if it does not come."""
        wait_for(condition, timeout_s, self.log)

    def log_lines(self) -> list[str]:
        """All lines its programs wrote that are JSON."""
        return [line for line in self.stderr.read_text(errors="replace").splitlines() if line.startswith("{")]

    def log(self) -> str:
        return self.stderr.read_text(errors="replace")[-20_000:]


def command_line(process: psutil.Process) -> str:
    """A process's command line, joined; empty when it has ended meanwhile."""
    try:
        return " ".join(process.cmdline()).strip()
    except psutil.Error:
        return ""


@contextlib.contextmanager
def shared_stack(state_dir: Path, settings: Mapping[str, str]) -> Iterator[RunningStack]:
    """A stack for many tests; it must end in time in the end, and leave nothing behind."""
    stack = RunningStack(state_dir, settings).start()
    yield stack
    status, took_s = stack.stop()
    assert (status, stack.processes()) == (0, []), stack.log()
    assert took_s < STOP_TIMEOUT_S
