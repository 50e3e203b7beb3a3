"""The fence of a job's work folder: however late a step is, nothing that it writes stays when the job has ended.

Every order of events is tried, system call by system call; then as it comes, with threads and with processes.
"""

import contextlib
import os
import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from podjobs.contract.errors import RetryableError
from support.late_steps import begin_writing, finish_writing, try_write_chunk, write_chunk
from support.system_calls import at_each_system_call, at_system_call

MOMENTS = 5
"""At least so many system calls there must be, for a test that tries each of them to mean anything."""


class BrokenOffError(BaseException):
    """As if the process was killed."""


def break_off():
    raise BrokenOffError


@pytest.mark.slow
def test_job_that_ends_at_any_system_call_of_a_writer_leaves_nothing(storage, media):
    def end_at(number):
        storage.start_work("job-1")
        with at_system_call(number, lambda: storage.remove_work("job-1"), media.moments) as calls:
            try_write_chunk(storage, "job-1")
        if number < calls[0]:
            assert media.work_left() == set(), number
        storage.remove_work("job-1")
        return calls[0]

    assert at_each_system_call(end_at) > MOMENTS


def test_writer_at_any_system_call_of_a_job_s_end_leaves_nothing(storage, media):
    """From the moment that the work folder is closed nobody is let in."""
    let_in = []

    def write_at(number):
        storage.start_work("job-1")
        write_chunk(storage, "job-1", "earlier")
        with at_system_call(number, write, media.moments) as calls:
            storage.remove_work("job-1")
        assert media.work_left() == set(), number
        return calls[0]

    def write():
        is_open = storage.has_work("job-1")
        let_in.append(False)
        try:
            with storage.writing("work/job-1/chunk") as folder:
                let_in[-1] = True
                (folder / "a").write_bytes(b"content")
        except RetryableError:
            assert not let_in[-1]
        assert let_in[-1] is is_open

    assert at_each_system_call(write_at) > MOMENTS
    assert set(let_in) == {True, False}


def test_writer_that_finishes_at_any_system_call_of_a_job_s_end_leaves_nothing(storage, media):
    """And learns whether it was in time."""
    outcomes = []

    def finish_at(number):
        storage.start_work("job-1")
        late = begin_writing(storage, "job-1")
        with at_system_call(number, lambda: finish(late), media.moments) as calls:
            storage.remove_work("job-1")
        if number >= calls[0]:
            finish(late)
        assert media.work_left() == set(), number
        return calls[0]

    def finish(late):
        is_open = storage.has_work("job-1")
        outcomes.append(finish_writing(late))
        assert outcomes[-1] is is_open

    assert at_each_system_call(finish_at) > MOMENTS
    assert set(outcomes) == {True, False}


def test_writer_that_finishes_after_a_job_s_end_was_broken_off_removes_its_files(storage, media):
    """Its process was killed at any system call; the rest goes when the end is tried again."""
    closed = []

    def break_off_at(number):
        storage.start_work("job-1")
        late = begin_writing(storage, "job-1")
        with contextlib.suppress(BrokenOffError), at_system_call(number, break_off, media.moments) as calls:
            storage.remove_work("job-1")
        closed.append(not storage.has_work("job-1"))
        assert finish_writing(late) is not closed[-1]
        assert storage.list_files("work/job-1/chunk") == (() if closed[-1] else ("work/job-1/chunk/a",))
        storage.remove_work("job-1")
        assert media.work_left() == set(), number
        return calls[0]

    assert at_each_system_call(break_off_at) > MOMENTS
    assert set(closed) == {True, False}


@pytest.mark.parametrize("has_work", [True, False])
def test_job_that_starts_while_another_ends_at_any_system_call_has_its_work_folder(storage, media, has_work):
    """The last job's end removes the folder that holds all jobs' folders."""

    def end_at(number):
        if has_work:
            storage.start_work("job-1")
        with at_system_call(number, lambda: storage.remove_work("job-1"), media.moments) as calls:
            storage.start_work("job-2")
        assert storage.has_work("job-2")
        write_chunk(storage, "job-2")
        storage.remove_work("job-1")
        storage.remove_work("job-2")
        assert media.work_left() == set(), number
        return calls[0]

    assert at_each_system_call(end_at) > 0


def random_delay_s(media):
    """From nothing to somewhat longer than a step takes."""
    storage = media.open()
    storage.start_work("first")
    begun = time.perf_counter()
    write_chunk(storage, "first")
    longest_s = 1.5 * (time.perf_counter() - begun)
    storage.remove_work("first")
    return lambda: random.uniform(0, longest_s)


@pytest.mark.slow
def test_writers_and_remover_at_once_leave_nothing(media):
    storage, delay_s = media.open(), random_delay_s(media)
    outcomes = []
    writers = [media.open(), media.open()]
    for writer in writers:
        writer.has_work("job")  # connected
    with ThreadPoolExecutor(3) as pool:
        for number in range(media.rounds):
            job_id = f"job-{number}"
            storage.start_work(job_id)
            begin = threading.Barrier(3)

            def write(writer, job_id=job_id, begin=begin):
                begin.wait()
                return try_write_chunk(writer, job_id, "chunk/1")

            def remove(job_id=job_id, begin=begin):
                begin.wait()
                time.sleep(delay_s())
                storage.remove_work(job_id)

            # two attempts at the same step, as a duplicate delivery makes them
            late = [pool.submit(write, writer) for writer in writers]
            pool.submit(remove).result()
            outcomes += [future.result() for future in late]
            assert media.work_left() == set(), number
    assert set(outcomes) == {True, False}


@pytest.mark.slow
def test_jobs_that_start_while_others_end_keep_their_work_folders(media):
    """The folder that holds all jobs' folders comes and goes with them."""

    def begin_and_end(worker):
        storage = media.open()
        for number in range(media.rounds):
            job_id = f"job-{worker}-{number}"
            storage.start_work(job_id)
            write_chunk(storage, job_id)
            assert len(storage.list_files(storage.work_key(job_id, "chunk/1"))) == 3
            storage.remove_work(job_id)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(begin_and_end, range(3)))
    assert media.work_left() == set()


LATE_WRITER = """
import sys
from podjobs.backends.storage import open_storage
from podjobs.contract.errors import RetryableError
from podjobs.settings import MediaSettings, load_settings
storage = open_storage(load_settings(MediaSettings))
for line in sys.stdin:
    print("begun", flush=True)
    try:
        with storage.writing(storage.work_key(line.strip(), "chunk/1")) as folder:
            for name in "abc":
                (folder / name).write_bytes(b"x" * 1000)
    except RetryableError as error:
        print(error, flush=True)
    else:
        print("written", flush=True)
"""


def test_writer_in_another_process_leaves_nothing(media):
    storage, delay_s = media.open(), random_delay_s(media)
    environment = os.environ | media.environment | {"PYTHONPATH": os.pathsep.join(sys.path)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
    outcomes = set()
    with subprocess.Popen([sys.executable, "-c", LATE_WRITER], env=environment, **pipes) as writer:
        for number in range(media.rounds):
            storage.start_work(f"job-{number}")
            print(f"job-{number}", file=writer.stdin)
            assert writer.stdout.readline() == "begun\n"
            time.sleep(delay_s())
            storage.remove_work(f"job-{number}")
            outcome = writer.stdout.readline().strip()
            outcomes.add(outcome if outcome == "written" else outcome.partition("gone: ")[2])
            assert media.work_left() == set(), number
        writer.stdin.close()
    assert outcomes == {"written", "the job has ended or was superseded."}
