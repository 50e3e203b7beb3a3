"""Commands: deadlines, limits, and nothing left running."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from podjobs.backends.process import CommandError, ProcessTools
from podjobs.contract.errors import NotNowError, RetryableError
from support.processes import wait_for

TOOLS = ProcessTools(memory_limit_bytes=4 << 30)


def run(*argv, timeout_s=20, **options):
    return TOOLS.run(argv, timeout_s=timeout_s, **options)


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
        run("sh", "-c", script, timeout_s=1)
    assert time.monotonic() - begun < 5
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 3  # the kernel may take its time
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_run_killed_from_outside_is_tried_again():
    with pytest.raises(RetryableError, match="killed by SIGKILL"):
        run("sh", "-c", "kill -9 $$")


def test_run_full_disk_is_the_operators_fault():
    with pytest.raises(NotNowError, match="disk that holds the media is full"):
        run("dd", "if=/dev/zero", "of=/dev/full", "bs=1k", "count=1")


def test_run_memory_is_limited():
    tools = ProcessTools(memory_limit_bytes=256 << 20)
    with pytest.raises(CommandError, match="MemoryError"):
        tools.run([sys.executable, "-c", "bytearray(1 << 30)"], timeout_s=20)


def test_run_feeds_files_one_after_another(tmp_path):
    paths = [tmp_path / str(number) for number in range(3)]
    for path in paths:
        path.write_bytes(path.name.encode() * 200_000)
    assert run("md5sum", feed=(path.open("rb") for path in paths)) == run(
        "sh", "-c", f"cat {' '.join(map(str, paths))} | md5sum"
    )


def test_run_command_that_stops_reading_tells_its_own_story(tmp_path):
    (tmp_path / "big").write_bytes(bytes(10_000_000))
    with pytest.raises(CommandError, match="exit status 7: enough"):
        run("sh", "-c", "head -c 10 > /dev/null; echo enough >&2; exit 7", feed=[(tmp_path / "big").open("rb")])


def test_run_reports_progress_in_blocks():
    blocks = []
    run("printf", "frame=1\nprogress=continue\nframe=2\nout_time_us=N/A\nprogress=end\n", on_progress=blocks.append)
    assert blocks == [
        {"frame": "1", "progress": "continue"},
        {"frame": "2", "out_time_us": "N/A", "progress": "end"},
    ]


def test_run_dies_with_the_process_that_started_it(tmp_path):
    """A function that is killed leaves no ffmpeg behind that goes on writing."""
    code = (
        "import sys; from podjobs.backends.process import ProcessTools\n"
        f"ProcessTools(4 << 30).run(['sh', '-c', 'echo $$ > {tmp_path}/pid; exec sleep 100'], timeout_s=100)"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen([sys.executable, "-c", code], env=environment)
    file = tmp_path / "pid"
    wait_for(lambda: file.exists() and file.read_text().strip(), 20)
    child = psutil.Process(int(file.read_text()))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, 20)


def test_read_returns_the_bytes_as_they_are():
    assert TOOLS.read(["printf", r"\377\000\r\n"], timeout_s=20, limit_bytes=4) == b"\xff\x00\r\n"


def test_read_more_than_the_limit_is_stopped_at_once():
    begun = time.monotonic()
    with pytest.raises(CommandError, match="more than 1000 bytes"):
        TOOLS.read(["cat", "/dev/zero"], timeout_s=20, limit_bytes=1000)
    assert time.monotonic() - begun < 5


def test_read_failure_is_the_commands():
    with pytest.raises(CommandError, match="exit status 3"):
        TOOLS.read(["sh", "-c", "printf x; exit 3"], timeout_s=20, limit_bytes=1000)
