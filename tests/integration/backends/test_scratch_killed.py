"""Scratch folders when processes are killed, meet, or are forked: nothing stays, and nobody loses anything."""

import multiprocessing
import os
import signal
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

from podjobs.backends.scratch import Scratch
from support.processes import environment_with, wait_for
from support.scratch_steps import do_step, do_steps, folders_left, leave_folder
from support.system_calls import at_each_system_call, at_system_call

HOLD = """
import sys
from pathlib import Path
from podjobs.backends.scratch import Scratch

with Scratch(Path(sys.argv[1]), 0).folder() as folder:
    (folder / "chunk").write_bytes(b"content")
    print(folder, flush=True)
    sys.stdin.read()
"""
"""A step: says where its files are, and ends when its standard input does."""
OUTLIVED = """
import subprocess, sys, os
from pathlib import Path
from podjobs.backends.scratch import Scratch

with Scratch(Path(sys.argv[1]), 0).folder():
    print(subprocess.Popen(["sleep", "60"], close_fds=False, stdout=2, stderr=2).pid, flush=True)
    os._exit(0)
"""
"""A process that dies while its command goes on."""
MOMENTS = 10
"""At least so many system calls there must be, for a test that tries each of them to mean anything."""


@pytest.fixture
def scratch(tmp_path):
    return Scratch(tmp_path, 0)


@pytest.fixture
def hold(tmp_path):
    """Start a process with a step. Returns it, and the step's folder."""
    started = []

    def start(prefix=()):
        process = subprocess.Popen(
            [*prefix, sys.executable, "-c", HOLD, str(tmp_path)],
            env=environment_with({}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process, Path(process.stdout.readline().strip())

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_folder_of_a_killed_process_is_removed_by_the_next_step(scratch, tmp_path, hold):
    process, folder = hold()
    process.kill()
    process.wait()
    assert (folder / "chunk").exists()
    with scratch.folder() as mine:
        assert folders_left(tmp_path) == [mine.parent]


def test_folder_of_a_living_process_stays(scratch, hold):
    process, folder = hold()
    with scratch.folder():
        assert (folder / "chunk").exists()
    process.communicate("")
    assert process.returncode == 0
    assert not folder.exists()


def test_folder_of_a_stopped_process_stays(scratch, hold):
    """As while a container is frozen: it goes on one day."""
    process, folder = hold()
    process.send_signal(signal.SIGSTOP)
    with scratch.folder():
        assert (folder / "chunk").exists()
    process.send_signal(signal.SIGCONT)
    process.communicate("")
    assert process.returncode == 0


def test_folder_of_another_container_stays_and_goes_when_that_is_killed(scratch, tmp_path, hold):
    """It has process ids of its own, and none of ours."""
    prefix = ("unshare", "--pid", "--fork", "--kill-child")
    if os.geteuid() or subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode:
        pytest.skip("no process ids of its own can be given to a process here")
    process, folder = hold(prefix)
    with scratch.folder():
        assert (folder / "chunk").exists()
    process.kill()
    process.wait()

    def is_gone():
        with scratch.folder():
            return not folder.exists()

    wait_for(is_gone, 10)


def killed_at(scratch, number):
    """Whether a process that does a step gets as far as a system call, at which it is killed."""
    if not (child := os.fork()):
        with at_system_call(number, lambda: os.kill(os.getpid(), signal.SIGKILL)):
            do_step(scratch)
        os._exit(0)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert ended in {0, -signal.SIGKILL}
    return ended != 0


def test_process_killed_at_any_system_call_leaves_nothing_for_long(scratch, tmp_path):
    """Its folder is half made, in use, or half removed."""
    number, found = 0, 0
    while killed_at(scratch, number):
        found += bool(folders_left(tmp_path))
        with scratch.folder() as mine:
            assert folders_left(tmp_path) == [mine.parent], number
        number += 1
    assert 0 < found < number


@pytest.mark.slow
def test_cleaner_killed_at_any_system_call_leaves_nothing_for_long(scratch, tmp_path):
    number = 0
    leave_folder(tmp_path)
    while killed_at(scratch, number):
        with scratch.folder() as mine:
            assert folders_left(tmp_path) == [mine.parent], number
        leave_folder(tmp_path)
        number += 1
    assert number > MOMENTS


def test_step_at_any_system_call_of_another_harms_nobody(scratch, tmp_path):
    """It cleans up, and may take a folder that was just made, or is being removed, for a leftover."""

    def begin_at(number):
        with at_system_call(number, lambda: do_step(scratch)) as calls:
            do_step(scratch)
        assert folders_left(tmp_path) == [], number
        return calls[0]

    assert at_each_system_call(begin_at) > MOMENTS


def test_step_at_any_system_call_of_a_cleaner_harms_nobody(scratch, tmp_path):
    def begin_at(number):
        leave_folder(tmp_path)
        with at_system_call(number, lambda: do_step(scratch)) as calls:
            do_step(scratch)
        assert folders_left(tmp_path) == [], number
        return calls[0]

    assert at_each_system_call(begin_at) > MOMENTS


def test_steps_of_many_processes_that_begin_at_once_keep_their_files(tmp_path):
    for _ in range(20):
        leave_folder(tmp_path)
    with ProcessPoolExecutor(6, mp_context=multiprocessing.get_context("spawn")) as pool:
        for done in [pool.submit(do_steps, tmp_path, 60) for _ in range(6)]:
            done.result()
    assert folders_left(tmp_path) == []


def test_steps_of_many_threads_keep_their_files(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(do_steps, tmp_path, 40) for _ in range(8)]:
            done.result()
    assert folders_left(tmp_path) == []


def test_forked_process_has_folders_of_its_own_and_leaves_those_of_its_parent(scratch, tmp_path):
    """RQ forks one for each job."""
    begun = scratch.folder()
    folder = begun.__enter__()
    if not (child := os.fork()):
        do_step(scratch)
        begun.__exit__(None, None, None)
        os._exit(0 if folder.exists() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with scratch.folder():
        assert folder.exists()
    begun.__exit__(None, None, None)
    assert folders_left(tmp_path) == []


def test_command_that_outlives_its_process_does_not_keep_the_folder(scratch, tmp_path):
    """It does not inherit the lock."""
    with scratch.folder() as folder:
        command = subprocess.Popen(["sleep", "60"], close_fds=False)
        (folder / "chunk").write_bytes(b"content")
    try:
        assert folders_left(tmp_path) == []
        argv = [sys.executable, "-c", OUTLIVED, tmp_path]
        child = subprocess.run(argv, env=environment_with({}), stdout=subprocess.PIPE, check=True)
        with scratch.folder() as mine:
            assert folders_left(tmp_path) == [mine.parent]
        os.kill(int(child.stdout), signal.SIGKILL)
    finally:
        command.kill()
        command.wait()
