"""The choice of a sandbox, on machines that can do less than this one: the operator is told, and jobs go on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from podjobs.backends.process import ProcessTools
from podjobs.backends.sandbox import Level
from podjobs.backends.sandbox_choice import advise, choose_sandbox, describe_levels
from podjobs.contract.commands import NOTHING
from podjobs.settings import SettingsError

REPOSITORY = Path(__file__).parents[3]
ALL = frozenset(Level)
SECRET = 32 * "x"


def run_in_process(code, *arguments):
    """Run code in a process of its own, which may give up something for good."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    argv = [sys.executable, "-c", code, *arguments]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def program(tmp_path):
    """Write a command that is not among the system's."""

    def write(script, *, path="opt/bin/ffmpeg"):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
        return str(file)

    return write


def test_choose_sandbox_on_this_machine_confines_everything():
    sandbox = choose_sandbox("require")
    assert (sandbox.levels, sandbox.missing, advise(sandbox)) == (ALL, {}, "")
    assert not [words for words in describe_levels(sandbox).values() if words.startswith("not confined")]


def test_choose_sandbox_program_outside_the_system_may_use_what_was_installed_with_it(program, tmp_path):
    command = program(f". {tmp_path}/opt/lib/library; exec ffmpeg -version")
    (tmp_path / "opt/lib").mkdir()
    (tmp_path / "opt/lib/library").touch()
    assert choose_sandbox("require", (command,)).levels == ALL


def test_choose_sandbox_program_that_needs_other_files_runs_without_that_level(program, tmp_path):
    (tmp_path / "elsewhere").touch()
    command = program(f". {tmp_path}/elsewhere; exec ffmpeg -version")
    sandbox = choose_sandbox("auto", (command,))
    assert sandbox.levels == ALL - {Level.FILES}
    assert "elsewhere" in sandbox.missing[Level.FILES]
    assert "Permission denied" in advise(sandbox)
    assert describe_levels(sandbox)["files"].startswith("not confined: ")
    assert b"ffmpeg version" in ProcessTools(4 << 30, sandbox).run([command], timeout_s=20, access=NOTHING)


def test_choose_sandbox_program_that_needs_the_environment_gets_it(program, monkeypatch):
    monkeypatch.setenv("LICENCE", "x")
    sandbox = choose_sandbox("auto", (program('test "$LICENCE" || { echo no licence >&2; exit 1; }'),))
    assert sandbox.levels == ALL - {Level.ENVIRONMENT}
    assert "no licence" in sandbox.missing[Level.ENVIRONMENT]


def test_choose_sandbox_program_that_never_runs_is_no_reason_to_confine_less(program):
    """Whether it runs is asked elsewhere."""
    assert choose_sandbox("require", (program("exit 1"), "no-such-program")).levels == ALL


def test_choose_sandbox_required_but_impossible_is_the_operators_fault(program, tmp_path):
    (tmp_path / "elsewhere").touch()
    command = program(f". {tmp_path}/elsewhere")
    with pytest.raises(SettingsError, match=r"PODJOBS_SANDBOX is require\..*files.*elsewhere"):
        choose_sandbox("require", (command,))


def test_choose_sandbox_off_confines_nothing():
    sandbox = choose_sandbox("off")
    assert (sandbox.levels, advise(sandbox)) == (frozenset(), "")


WITHOUT_LANDLOCK = """
import sys
from podjobs.backends.call_filter import refuse_calls
from podjobs.backends.kernel import forbid_new_privileges
forbid_new_privileges()
refuse_calls([444])
"""
"""A container whose profile does not know Landlock."""

HEALTH = """
import sys
from flask import Flask
folder, secret = sys.argv[1:]
sys.path.insert(0, folder)
import main
handle = main.handle
with Flask("test").test_request_context("/", headers={"Authorization": f"Bearer {secret}"}) as context:
    print(handle(context.request).get_data(as_text=True), end="")
"""


def start_function(tmp_path, code, **settings):
    """Start the encoding function, and return its page and its log."""
    folder = str(REPOSITORY / "functions" / "encoding")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MEDIA_ROOT", str(tmp_path))
        environment.setenv("PODJOBS_FUNCTION_SECRET", SECRET)
        for name, value in settings.items():
            environment.setenv(name, value)
        return run_in_process(code + HEALTH, folder, SECRET)


def test_function_on_a_machine_without_landlock_says_so_and_works(tmp_path):
    result = start_function(tmp_path, WITHOUT_LANDLOCK)
    assert result.stdout.startswith("ok\nMedia commands are not fully confined")
    assert "files: a seccomp profile forbids Landlock; update the container runtime" in result.stdout
    assert "network:" not in result.stdout
    (line,) = [line for line in result.stderr.splitlines() if "How media commands are confined." in line]
    facts = json.loads(line)
    assert facts["files"].startswith("not confined: a seccomp profile forbids Landlock")
    assert facts["network"].startswith("seccomp: sockets only")


def test_function_that_requires_a_sandbox_does_not_start_without_it(tmp_path):
    result = start_function(tmp_path, WITHOUT_LANDLOCK, PODJOBS_SANDBOX="require")
    assert result.returncode == 1
    assert "cannot start. PODJOBS_SANDBOX is require." in result.stderr


def test_function_on_this_machine_has_no_advice(tmp_path):
    result = start_function(tmp_path, "", PODJOBS_SANDBOX="require")
    assert result.stdout == "ok\n"
    assert '"message": "How media commands are confined."' in result.stderr


def test_function_that_is_told_not_to_confine_logs_it(tmp_path):
    result = start_function(tmp_path, "", PODJOBS_SANDBOX="off")
    assert result.stdout == "ok\n"
    assert "Media commands are not confined: PODJOBS_SANDBOX is off." in result.stderr


def test_network_is_closed_without_landlock_too():
    code = """
from podjobs.backends.process import CommandError, ProcessTools
from podjobs.contract.commands import NOTHING
try:
    ProcessTools(4 << 30).run(["ffmpeg", "-v", "error", "-i", "tcp://127.0.0.1:1"], timeout_s=20, access=NOTHING)
except CommandError as error:
    print(error.detail)
"""
    assert "Permission denied" in run_in_process(WITHOUT_LANDLOCK + code).stdout


GREEN = """
import threading
threading.Thread.start = lambda thread: thread.run()
from podjobs.backends.sandbox_choice import choose_sandbox
print(choose_sandbox().missing)
import subprocess
subprocess.run(["grep", "NoNewPrivs", "/proc/self/status"])
open("/etc/passwd").close()
"""


def test_choose_sandbox_where_threads_are_not_the_kernels_leaves_the_process_alone():
    """Under gevent, for instance, a thread that confined itself would confine the function."""
    result = run_in_process(GREEN)
    assert result.returncode == 0, result.stderr
    assert "threads are not those of the kernel" in result.stdout
    assert "NoNewPrivs:\t0" in result.stdout


NOBODY = """
import os
from podjobs.backends.process import CommandError, ProcessTools
from podjobs.contract.commands import NOTHING
os.environ["POD_API_TOKEN"] = "secret"
os.setgroups([]); os.setgid(65534); os.setuid(65534)
tools = ProcessTools(4 << 30)
try:
    tools.run(["cat", "/etc/passwd"], timeout_s=20, access=NOTHING)
except CommandError as error:
    print(error.detail)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user; everybody else is one")
def test_sandbox_needs_no_privilege():
    assert "Permission denied" in run_in_process(NOBODY).stdout
