"""Limits of commands, with real ones that exceed them: each ends at once, for good, and says what it exceeded."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from podjobs.backends.process import LimitExceededError, ProcessTools
from podjobs.backends.sandbox_choice import choose_sandbox
from podjobs.contract.commands import NOTHING, Access, CommandLimits
from podjobs.contract.errors import PermanentError, RetryableError
from podjobs.settings import SettingsError

PYTHON = str(Path(sys.executable).resolve())
"""Not that of the virtual environment, whose own files a command may not read."""
TOOLS = ProcessTools(4 << 30, choose_sandbox("auto", ("ffmpeg", PYTHON)))
BUSY = [PYTHON, "-c", "while True: pass"]
FIRST = "import contextlib\nwith contextlib.suppress(OSError): open('/proc/self/autogroup', 'w').write('-20')\n"
FIRST_OF_ALL = [PYTHON, "-c", FIRST + BUSY[-1]]
"""At work all the time even on a busy machine, if the tests may give it priority."""
FFMPEG = ["ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i"]


def test_run_command_that_burns_processor_time_is_stopped_for_good():
    begun_s = time.monotonic()
    with pytest.raises(LimitExceededError, match=r"stopped after 1 s of processor time.*upload it again") as stopped:
        TOOLS.run(BUSY, timeout_s=20, access=NOTHING, limits=CommandLimits(cpu_s=1))
    assert time.monotonic() - begun_s < 10
    assert "memory" not in stopped.value.detail


def test_run_command_that_ignores_the_signal_is_killed_and_the_reason_is_the_same():
    code = "import signal; signal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass"
    with pytest.raises(LimitExceededError, match="of processor time"):
        TOOLS.run([PYTHON, "-c", code], timeout_s=20, access=NOTHING, limits=CommandLimits(cpu_s=1))


def test_run_ffmpeg_that_ends_in_order_when_its_processor_time_is_up_has_failed_all_the_same(tmp_path):
    """It handles the signal, writes its trailer and exits with 255: the file looks whole, but is not."""
    argv = [*FFMPEG, "testsrc2=s=1280x720", "-c:v", "libx264", tmp_path / "endless.mkv"]
    with pytest.raises(LimitExceededError, match="of processor time"):
        TOOLS.run(list(map(str, argv)), timeout_s=30, access=Access(folder=tmp_path), limits=CommandLimits(cpu_s=1))


def test_run_command_that_needs_all_its_time_would_need_it_again():
    with pytest.raises(LimitExceededError, match="of processor time"):
        # in no sandbox, where root may give itself priority
        ProcessTools(4 << 30, choose_sandbox("off")).run(FIRST_OF_ALL, timeout_s=2, access=NOTHING)


def test_run_command_that_was_kept_waiting_may_try_again():
    with pytest.raises(RetryableError, match="did not finish within 1 s"):
        TOOLS.run(["sleep", "100"], timeout_s=1, access=NOTHING, limits=CommandLimits(cpu_s=1))


def test_run_command_that_fails_by_itself_within_its_limits_says_its_own_reason():
    with pytest.raises(PermanentError, match="exit status 255: damaged"):
        TOOLS.run(
            ["sh", "-c", "echo damaged >&2; exit 255"],
            timeout_s=9,
            access=NOTHING,
            limits=CommandLimits(cpu_s=9, file_bytes=9),
        )


def test_run_command_that_writes_endlessly_is_stopped_for_good(tmp_path):
    file = tmp_path / "endless"
    limits = CommandLimits(file_bytes=1_000_000, file_setting="THE_SETTING")
    with pytest.raises(LimitExceededError, match=r"more than 1 MB.*If that is right, raise THE_SETTING\.$"):
        TOOLS.run(
            ["dd", "if=/dev/zero", f"of={file}", "bs=64k"], timeout_s=20, access=Access(folder=tmp_path), limits=limits
        )
    assert file.stat().st_size == 1_000_000


def test_run_ffmpeg_that_writes_endlessly_is_stopped_for_good(tmp_path):
    argv = [*FFMPEG, "anullsrc", "-f", "wav", str(tmp_path / "endless.wav")]
    with pytest.raises(LimitExceededError, match="more than 3 MB"):
        TOOLS.run(argv, timeout_s=20, access=Access(folder=tmp_path), limits=CommandLimits(file_bytes=3_000_000))


def test_run_error_of_whoever_watches_the_progress_ends_the_command(tmp_path):
    def watch(_):
        raise PermanentError("Enough.")

    argv = [*FFMPEG, "anullsrc", "-progress", "pipe:1", "-f", "null", "-"]
    begun_s = time.monotonic()
    with pytest.raises(PermanentError, match="Enough"):
        TOOLS.run(argv, timeout_s=30, access=NOTHING, on_progress=watch)
    assert time.monotonic() - begun_s < 10


class Stuck:
    """A file on a shared folder that does not answer."""

    def __init__(self):
        self.released = threading.Event()

    def read(self, _):
        self.released.wait(60)
        return b""

    def close(self):
        pass


def test_run_ends_at_its_deadline_even_if_a_file_to_feed_does_not_answer():
    stuck = Stuck()
    begun_s = time.monotonic()
    with pytest.raises(RetryableError, match="did not finish within 1 s"):
        TOOLS.run(["cat"], timeout_s=1, access=NOTHING, feed=[stuck])
    assert time.monotonic() - begun_s < 20
    stuck.released.set()


STARTING = """
import os, resource, sys
from podjobs.backends.process import ProcessTools
from podjobs.contract.commands import NOTHING, CommandLimits
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
resource.setrlimit(resource.RLIMIT_CPU, (50, 50))
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
tools = ProcessTools(int(sys.argv[1]) << 20)
tools.run(["true"], timeout_s=9, access=NOTHING, limits=CommandLimits(cpu_s=1000))
"""
"""A function whose own limits are hard."""


def start_with(memory_mb):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    argv = [sys.executable, "-c", STARTING, str(memory_mb)]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)


def test_tools_hard_limit_on_memory_below_the_setting_is_said_at_start():
    result = start_with(3000)
    assert f"{SettingsError.__name__}: PODJOBS_FFMPEG_MEMORY_MB is 3000, but the hard limit" in result.stderr
    assert "2048 MiB" in result.stderr
    assert "lower the setting" in result.stderr


def test_tools_hard_limits_that_suffice_are_respected():
    """A command never gets more than this process has; asking for it would keep it from starting."""
    result = start_with(1000)
    assert (result.returncode, result.stderr) == (0, "")


def test_limits_are_not_ours(tmp_path):
    """They hold for the command alone."""
    TOOLS.run(["true"], timeout_s=9, access=NOTHING, limits=CommandLimits(cpu_s=1, file_bytes=1))
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    assert signal.getsignal(signal.SIGXFSZ) == signal.SIG_IGN  # Python's own choice: such writes raise OSError


@pytest.mark.slow
def test_run_command_that_yields_gets_less_of_a_busy_machine():
    """Beside as many others as there are processors, each in a session of its own."""
    count = "import time; end = time.monotonic() + 2\nwhile time.monotonic() < end: pass\nprint(time.process_time())"
    others = [subprocess.Popen(BUSY, start_new_session=True) for _ in range(2 * (os.cpu_count() or 1))]
    try:
        used_s = {
            yields: float(
                TOOLS.run([PYTHON, "-c", count], timeout_s=30, access=NOTHING, limits=CommandLimits(yields=yields))
            )
            for yields in (True, False)
        }
    finally:
        for other in others:
            other.kill()
            other.wait()
    assert used_s[True] < used_s[False] / 2
