"""Commands: deadlines, limits, and nothing left running."""

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from podjobs.backends.process import CommandError, LimitExceededError, ProcessTools
from podjobs.backends.sandbox_choice import choose_sandbox
from podjobs.contract.commands import NOTHING, Access, CommandLimits, MediaInput
from podjobs.contract.errors import (
    OperatorNeededError,
    OutputTooLongError,
    Problem,
    RetryableError,
)
from support.processes import wait_for
from support.url_storage import SECRET

PYTHON = str(Path(sys.executable).resolve())
"""Not that of the virtual environment, whose own files a command may not read."""
SANDBOX = choose_sandbox("auto", ("ffmpeg", "ffprobe", PYTHON))
TOOLS = ProcessTools(4 << 30, SANDBOX)


def run(*argv, timeout_s=20, access=NOTHING, **options):
    return TOOLS.run(argv, timeout_s=timeout_s, access=access, **options).decode()


def test_run_returns_what_the_command_wrote():
    assert run("printf", "%s", "a b;c $HOME") == "a b;c $HOME"  # no shell has a part in it


def test_run_failure_carries_command_status_and_end_of_stderr():
    with pytest.raises(CommandError) as failed:
        run("sh", "-c", "seq 100 >&2; exit 3")
    assert failed.value.context["exit_status"] == 3
    assert failed.value.context["argv"] == ["sh", "-c", "seq 100 >&2; exit 3"]
    assert failed.value.context["stderr"].splitlines() == [str(number) for number in range(71, 101)]
    assert "exit status 3: 100" in failed.value.detail


def test_run_past_its_deadline_is_killed_with_its_children(tmp_path):
    script = f"sleep 100 & echo $! > {tmp_path}/child; wait"
    begun = time.monotonic()
    with pytest.raises(RetryableError, match="did not finish within 1 s"):
        run("sh", "-c", script, timeout_s=1, access=Access(folder=tmp_path))
    assert time.monotonic() - begun < 5
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 3  # the kernel may take its time
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_run_killed_from_outside_is_retryable():
    with pytest.raises(RetryableError, match="killed by SIGKILL"):
        run("sh", "-c", "kill -9 $$")


def test_run_command_that_says_that_the_disk_is_full_has_failed():
    """Whether it is true, only the storage that it wrote to can tell; what an upload contains is printed, too."""
    with pytest.raises(CommandError, match="dd failed with exit status 1"):
        run("dd", "if=/dev/zero", "of=/dev/full", "bs=1k", "count=1", access=Access(folder=Path("/dev/full")))


def test_run_memory_is_limited():
    tools = ProcessTools(256 << 20, SANDBOX)
    with pytest.raises(CommandError, match="MemoryError"):
        tools.run([PYTHON, "-c", "bytearray(1 << 30)"], timeout_s=20, access=NOTHING)


def test_run_reports_progress_in_blocks():
    blocks = []
    run("printf", "frame=1\nprogress=continue\nframe=2\nout_time_us=N/A\nprogress=end\n", on_progress=blocks.append)
    assert blocks == [
        {"frame": "1", "progress": "continue"},
        {"frame": "2", "out_time_us": "N/A", "progress": "end"},
    ]


DYING_RUN = """
import sys
from pathlib import Path
from podjobs.backends.process import ProcessTools
from podjobs.contract.commands import Access
script = f"echo $$ > {sys.argv[1]}/pid; exec sleep 100"
ProcessTools(4 << 30).run(["sh", "-c", script], timeout_s=100, access=Access(folder=Path(sys.argv[1])))
"""


def test_run_dies_with_the_process_that_started_it(tmp_path):
    """A function that is killed leaves no ffmpeg behind that goes on writing."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen([sys.executable, "-c", DYING_RUN, str(tmp_path)], env=environment)
    file = tmp_path / "pid"
    wait_for(lambda: file.exists() and file.read_text().strip(), 20)
    child = psutil.Process(int(file.read_text()))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, 20)


def test_run_returns_the_bytes_as_they_are():
    assert TOOLS.run(["printf", r"\377\000\r\n"], timeout_s=20, access=NOTHING, limit_bytes=4) == b"\xff\x00\r\n"


def test_run_more_output_than_the_limit_is_stopped_at_once():
    begun = time.monotonic()
    with pytest.raises(OutputTooLongError, match="more than 1000 bytes"):
        TOOLS.run(["cat", "/dev/zero"], timeout_s=20, access=NOTHING, limit_bytes=1000)
    assert time.monotonic() - begun < 5


def test_run_with_a_limit_failure_is_the_commands():
    with pytest.raises(CommandError, match="exit status 3"):
        TOOLS.run(["sh", "-c", "printf x; exit 3"], timeout_s=20, access=NOTHING, limit_bytes=1000)


class Refusing(http.server.BaseHTTPRequestHandler):
    """Object storage whose presigned URLs are not valid any more; some paths lead there by a redirect."""

    def do_GET(self):
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", f"http://{self.headers['Host']}/there?X-Amz-Signature={SECRET}")
            self.end_headers()
        else:
            self.send_error(403)

    def log_message(self, *_):
        pass


@pytest.fixture
def refusing_url():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


LOGGING_RUN = """
import sys
from podjobs.backends.process import ProcessTools
from podjobs.contract.commands import Access, MediaInput
from podjobs.contract.errors import Problem, StepError
from podjobs.logs import configure_logs
configure_logs("encoding", "DEBUG")
try:
    urls = [word for word in sys.argv if word.startswith("http:")]
    access = Access(tuple(MediaInput(url, ("http", "tcp"), "") for url in urls))
    ProcessTools(4 << 30).run(sys.argv[1:], timeout_s=20, access=access)
except StepError as error:
    print(Problem.of(error).model_dump_json())
    print(repr(error), repr(error.__dict__), file=sys.stderr)
    raise
"""


def run_with_logs(*argv):
    """What a function that runs a command replies and writes to its log, which ends with a traceback."""
    return subprocess.run(
        [sys.executable, "-c", LOGGING_RUN, *argv],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("log_level", ["error", "debug"])
@pytest.mark.parametrize("place", ["/x", "/moved"])
@pytest.mark.parametrize("filler", ["", "filler" * 300])
def test_run_secrets_of_a_url_are_nowhere(refusing_url, place, log_level, filler):
    """Neither in the error nor the problem nor the log, however much ffmpeg says and wherever it cuts."""
    url = refusing_url.replace("//", f"//me:{SECRET}@") + f"{place}?X-Amz-Credential={filler}&X-Amz-Signature={SECRET}"
    argv = ["ffmpeg", "-hide_banner", "-loglevel", log_level, "-protocol_whitelist", "http,tcp", "-i", url]
    result = run_with_logs(*argv, "-f", "null", "-")
    problem = Problem.model_validate_json(result.stdout)
    shown = f"{refusing_url.replace('//', '//…@')}{place}?…"
    assert f"{shown}: Server returned 403 Forbidden" in problem.detail
    assert problem.context["argv"][7] == shown
    assert shown in problem.context["stderr"]
    assert shown in json.loads(result.stderr.splitlines()[0])["command"]
    assert "CommandError: ffmpeg failed" in result.stderr
    for text in (result.stdout, result.stderr):
        assert SECRET not in text
        assert "filler" not in text


def test_run_secrets_of_a_command_that_succeeds_are_not_in_the_log():
    script = "echo 'Opening https://me:'$0'@host/key?sig='$0', again' >&2"
    result = run_with_logs("sh", "-c", script, f"https://{SECRET}@host/")
    assert [json.loads(line)["level"] for line in result.stderr.splitlines()] == ["debug", "debug"]
    assert "https://…@host/" in result.stderr
    assert SECRET not in result.stderr


@pytest.mark.parametrize(
    ("error", "script"),
    [
        (RetryableError, "kill -9 $$"),
        (RetryableError, "sleep 100"),
        (CommandError, "echo No space left on device >&2; exit 1"),
        (LimitExceededError, "kill -XFSZ $$"),
        (CommandError, "exit 1"),
    ],
)
def test_run_every_error_is_without_secrets(error, script):
    url = f"https://me:{SECRET}@host/key?sig={SECRET}"
    with pytest.raises(error) as failed:
        run("sh", "-c", f"echo '{url}: damaged' >&2; {script}", url, timeout_s=1, limits=CommandLimits(file_bytes=4096))
    assert SECRET not in Problem.of(failed.value).model_dump_json()
    assert "https://…@host/key?…" in Problem.of(failed.value).context["argv"]


def test_run_more_output_than_the_limit_error_is_without_secrets():
    url = f"https://host/key?sig={SECRET}"
    with pytest.raises(OutputTooLongError, match="more than 10 bytes") as failed:
        TOOLS.run(["sh", "-c", "cat /dev/zero", url], timeout_s=20, access=NOTHING, limit_bytes=10)
    assert failed.value.context["argv"] == ["sh", "-c", "cat /dev/zero", "https://host/key?…"]


@pytest.mark.parametrize("script", ["exit 0", "echo the file is damaged >&2; exit 1"])
def test_run_whose_input_could_not_be_read_fails_for_that_reason(script):
    """Whatever the command says: it cannot know."""
    asked_s = []

    def trouble(since_s):
        asked_s.append(since_s)
        return OperatorNeededError("The credentials are refused.")

    source = MediaInput("http://127.0.0.1:1/x", ("http", "tcp"), "/media/x", trouble=trouble)
    before_s = time.monotonic()
    with pytest.raises(OperatorNeededError, match="credentials are refused"):
        run("sh", "-c", script, access=Access((source,)))
    assert before_s <= asked_s[0] <= time.monotonic()
